"""Behind PgBouncer in transaction mode, where prepared statements are lost between transactions."""

import os
import pwd
import secrets
import shutil
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from tests.ports import free_port
from tests.servers import new_server

SETTINGS = """[databases]
* = host={host} port={port} user=tester
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
auth_type = any
pool_mode = transaction
default_pool_size = 4
ignore_startup_parameters = extra_float_digits,options
unix_socket_dir =
logfile = {folder}/log
"""


@pytest.fixture
def pooled(tmp_path, own_database):
    """A server whose connections all go through a private PgBouncer."""
    if not own_database:
        pytest.skip("poolers stand before PostgreSQL")
    port = free_port()
    folder = f"/tmp/gatehouse-pooler-{secrets.token_hex(4)}"
    os.mkdir(folder, 0o755)
    running = settings.DATABASES["default"]
    file = f"{folder}/pgbouncer.ini"
    with open(file, "w") as ini:
        ini.write(SETTINGS.format(host=running["HOST"], port=running["PORT"], own=port, folder=folder))
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
    drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    process = subprocess.Popen([*drop, "pgbouncer", "-q", file])
    server = new_server(tmp_path)
    dsn = own_database["ZITADEL_DATABASE_POSTGRES_DSN"].replace(f"port={running['PORT']}", f"port={port}")
    server.environment |= own_database | {"ZITADEL_DATABASE_POSTGRES_DSN": dsn}
    time.sleep(0.5)
    server.start()
    yield server
    server.kill()
    process.kill()
    process.wait()
    shutil.rmtree(folder)


def test_many_requests_at_once_through_a_pooler_in_transaction_mode(pooled):
    def ask(_):
        headers = {"Authorization": f"Bearer {pooled.pat}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{pooled.url}/v2/users", b"{}", headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status

    with ThreadPoolExecutor(12) as pool:
        assert {*pool.map(ask, range(300))} == {200}
