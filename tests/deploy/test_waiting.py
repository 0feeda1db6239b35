"""A database that is not there yet: waited for as long as configured, then named."""

import contextlib
import socket
import subprocess
import sys
import threading
import time

import psycopg
import pytest

from tests.deploy.support import MASTER, clean_environment
from tests.ports import free_port
from tests.servers import ROOT


def phase(name, folder, port, wait):
    """A phase of a server whose PostgreSQL should be at a port of this machine."""
    environment = clean_environment(
        GATEHOUSE_VAR=str(folder),
        ZITADEL_MASTERKEY=MASTER,
        ZITADEL_DATABASE_POSTGRES_HOST="127.0.0.1",
        ZITADEL_DATABASE_POSTGRES_PORT=str(port),
        ZITADEL_DATABASE_POSTGRES_DATABASE="late",
        ZITADEL_DATABASE_POSTGRES_USER_PASSWORD="zitadel",
        ZITADEL_DATABASE_POSTGRES_ADMIN_USERNAME="zitadel",
        ZITADEL_DATABASE_POSTGRES_ADMIN_PASSWORD="zitadel",
        ZITADEL_DATABASE_POSTGRES_AWAITINITIALCONN=wait,
    )
    command = [sys.executable, "manage.py", name]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("name", ["init", "setup", "start"])
def test_row_48_after_the_wait_the_process_ends_with_host_and_port(name, tmp_path):
    port, begun = free_port(), time.monotonic()
    process = phase(name, tmp_path, port, "1s")
    _, told = process.communicate(timeout=60)
    assert time.monotonic() - begun >= 1
    assert (process.returncode, "Traceback" in told) == (1, False)
    assert f"127.0.0.1:{port}" in told.splitlines()[-1] and "Connection refused" in told


def test_row_48_a_database_that_comes_in_time_is_used(postgres, tmp_path):
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE late OWNER zitadel")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))  # not listening yet: connections are refused
        process = phase("setup", tmp_path, door.getsockname()[1], "60s")
        assert "waiting for the database" in process.stderr.readline()
        door.listen()
        threading.Thread(target=let_in, args=(door, postgres.port), daemon=True).start()
        _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told


def let_in(door, port):
    """Pass every connection on."""
    with contextlib.suppress(OSError):
        while True:
            near, far = door.accept()[0], socket.create_connection(("127.0.0.1", port))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=carry, args=(one, other), daemon=True).start()


def carry(one, other):
    with contextlib.suppress(OSError):
        while piece := one.recv(65536):
            other.sendall(piece)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
