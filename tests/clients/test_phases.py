"""The phases as an operator runs them: on a PostgreSQL by host, by variables, again with another public origin."""

import json
import os
import urllib.request

import pytest

from tests.servers import new_server

MASTER = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def operator(tmp_path):
    """Variables of a server on the run's cluster, with a database and a user that do not exist yet."""
    if os.environ.get("GATEHOUSE_TEST_DB") != "postgres":
        pytest.skip("init has nothing to do on SQLite")
    from django.conf import settings

    running = settings.DATABASES["default"]
    server = new_server(tmp_path)
    server.environment |= {
        "ZITADEL_MASTERKEY": MASTER,
        "ZITADEL_DATABASE_POSTGRES_HOST": running["HOST"],
        "ZITADEL_DATABASE_POSTGRES_PORT": str(running["PORT"]),
        "ZITADEL_DATABASE_POSTGRES_DATABASE": f"gatehouse_{server.port}",
        "ZITADEL_DATABASE_POSTGRES_USER_USERNAME": f"gatehouse_{server.port}",
        "ZITADEL_DATABASE_POSTGRES_USER_PASSWORD": "it's \\ secret",
        "ZITADEL_DATABASE_POSTGRES_ADMIN_USERNAME": "tester",
    }
    yield server
    if server.process:
        server.kill()


def test_init_setup_start_and_all_of_it_again(operator):
    for _ in range(2):
        done = operator.manage("init")
        assert done.returncode == 0, done.stderr
    refused = operator.manage("start", "--masterkeyFromEnv")
    assert (refused.returncode, "manage.py setup" in refused.stderr) == (1, True)
    first = operator.manage("setup", "--masterkeyFromEnv")
    assert "Password" in first.stdout, first.stderr
    assert "Password" not in operator.manage("setup", "--masterkeyFromEnv").stdout
    assert operator.manage("ready").returncode == 1
    operator.start()
    assert operator.manage("ready").returncode == 0


def as_superuser(operator, statement: str) -> None:
    import psycopg

    where = {"host": operator.environment["ZITADEL_DATABASE_POSTGRES_HOST"]}
    where["port"] = operator.environment["ZITADEL_DATABASE_POSTGRES_PORT"]
    with psycopg.connect(**where, user="tester", dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)


def test_row_27_an_administrator_who_is_no_superuser_is_enough(operator):
    """As on a managed server: the role may make roles and databases, and no more."""
    as_superuser(operator, f"CREATE ROLE managed_{operator.port} LOGIN CREATEDB CREATEROLE")
    operator.environment["ZITADEL_DATABASE_POSTGRES_ADMIN_USERNAME"] = f"managed_{operator.port}"
    for _ in range(2):
        done = operator.manage("init")
        assert done.returncode == 0, done.stderr
    assert operator.manage("setup", "--masterkeyFromEnv").returncode == 0


def test_row_08_without_an_administrator_what_exists_is_enough_and_what_is_missing_is_an_error(operator):
    operator.environment["ZITADEL_DATABASE_POSTGRES_ADMIN_USERNAME"] = "nobody_of_this_name"
    refused = operator.manage("init")
    assert refused.returncode == 1 and "nobody_of_this_name" in refused.stderr
    operator.environment["ZITADEL_DATABASE_POSTGRES_ADMIN_USERNAME"] = "tester"
    for part in ("user", "database", "grant", "zitadel"):
        assert operator.manage("init", part).returncode == 0
    operator.environment["ZITADEL_DATABASE_POSTGRES_ADMIN_USERNAME"] = "nobody_of_this_name"
    done = operator.manage("init")
    assert done.returncode == 0 and "exist already" in done.stdout, done.stderr


def test_init_says_who_cannot_be_reached(tmp_path):
    server = new_server(tmp_path)
    server.environment |= {"ZITADEL_MASTERKEY": MASTER, "ZITADEL_DATABASE_POSTGRES_HOST": "127.0.0.1"}
    server.environment |= {"ZITADEL_DATABASE_POSTGRES_PORT": "1"}
    done = server.manage("init")
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr and "Traceback" not in done.stderr


def answer(server, host, path="/.well-known/openid-configuration"):
    request = urllib.request.Request(server.url + path, headers={"Host": host})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def test_setup_carries_a_changed_origin_over_and_defaults_have_an_effect(tmp_path, own_database):
    server = new_server(tmp_path)
    server.environment |= own_database | {
        "ZITADEL_DEFAULTINSTANCE_INSTANCENAME": "Acme",
        "ZITADEL_DEFAULTINSTANCE_DEFAULTLANGUAGE": "de",
        "ZITADEL_DEFAULTINSTANCE_ORG_NAME": "Acme Works",
        "ZITADEL_DEFAULTINSTANCE_LOCKOUTPOLICY_MAXPASSWORDATTEMPTS": "3",
    }
    assert "zitadel-admin\n" in server.manage("setup").stdout
    instance = json.loads(server.manage("shell", "-v", "0", "-c", TELL).stdout)
    assert instance == {"name": "Acme", "language": "de", "lockout": 3, "hosts": ["localhost"]}
    server.environment["ZITADEL_EXTERNALDOMAIN"] = "id.example.com"
    server.start()
    try:
        assert answer(server, f"id.example.com:{server.port}")["issuer"] == f"http://id.example.com:{server.port}"
        told = json.loads(server.manage("shell", "-v", "0", "-c", TELL).stdout)
        assert told["hosts"] == ["id.example.com"]
        assert server.manage("shell", "-v", "0", "-c", CALLBACK).stdout.strip() == (
            f"http://id.example.com:{server.port}/ui/console/callback"
        )
        assert server.manage("rebuild", "--verify").returncode == 0
    finally:
        server.kill()


TELL = """
import json
from iam.instance.models import InstanceDomainRow, InstanceRow
from iam.instance.settings import settings_of
row = InstanceRow.objects.get()
hosts = sorted(InstanceDomainRow.objects.values_list("domain", flat=True))
lockout = settings_of(row.instance_id).lockout.max_password_attempts
print(json.dumps({"name": row.name, "language": row.default_language, "lockout": lockout, "hosts": hosts}))
"""
CALLBACK = """
from projects.models import AppRow
print(AppRow.objects.get(name="Console").redirect_uris[0])
"""


def test_logs_are_json_lines_when_asked(tmp_path, own_database):
    server = new_server(tmp_path)
    server.environment |= own_database | {"ZITADEL_LOG_FORMATTER_FORMAT": "json"}
    code = "import logging; logging.getLogger('planted').error('a %s', 'word')"
    done = server.manage("shell", "-v", "0", "-c", code)
    line = json.loads(done.stderr.strip().splitlines()[-1])
    assert (line["event"], line["level"], line["logger"]) == ("a word", "error", "planted")
    assert "time" in line
