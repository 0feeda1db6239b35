"""Master key and data keys are changed while the server serves; the commands are killed half-way and go on (checklist E09)."""

import base64
import contextlib
import json
import secrets
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.browsing import Browser, person, pkce_app
from tests.load import must_verify, until
from tests.servers import ROOT, new_server

MANY = 4000
FILL = """
from iam.vault.envelope import _encrypt, check_value
from iam.vault.models import DataKey
from django.conf import settings
master = settings.MASTER_KEYS()[0]
rows = [DataKey(instance_id="elsewhere", id=str(n), purpose="x", check_value=check_value(master),
        wrapped=_encrypt(master, b"k" * 32, f"elsewhere/{n}")) for n in range(MANY)]
DataKey.objects.bulk_create(rows)
"""
FILL_PERSONS = """
from django.utils.timezone import now
from eventstore.models import PersonKey
from iam.instance.models import InstanceRow
from iam.vault import wiring
instance, envelope = InstanceRow.objects.get().pk, wiring.envelope()
wrap = lambda: envelope.wrap(instance, b"k" * 32)
rows = [PersonKey(instance_id=instance, id=f"filled-{n}", wrapped=wrap(), created_at=now()) for n in range(MANY)]
PersonKey.objects.bulk_create(rows)
"""
DATA_KEYS = "SELECT count(*) FROM vault_data_keys WHERE instance_id = 'elsewhere' AND check_value <> '{before}'"
"""Data keys of `FILL` that are wrapped under another master key than before."""
PERSONS = "SELECT count(*) FROM eventstore_person_keys WHERE id LIKE 'filled-%' AND wrapped NOT LIKE 'v1.{before}.%'"
"""Persons' keys of `FILL_PERSONS` that are wrapped under another data key than before."""


def post(server, path, body):
    headers = {"Authorization": f"Bearer {server.pat}", "Content-Type": "application/json"}
    request = urllib.request.Request(server.url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def reads(server, id):
    """Whether sealed personal data opens."""
    headers = {"Authorization": f"Bearer {server.pat}"}
    request = urllib.request.Request(f"{server.url}/v2/users/{id}", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as found:
        return json.load(found)["user"]["human"]["profile"]["givenName"] == "Gigi"


def works(server):
    """A call that seals personal data, and one that opens it."""
    return reads(server, person(lambda path, body: post(server, path, body), f"u{secrets.token_hex(4)}"))


def token(server, secret):
    """A token of the service user, checked by the keys that are published now."""
    form = {"grant_type": "client_credentials", "scope": "openid"}
    basic = base64.b64encode(f"robot:{secret}".encode()).decode()
    request = urllib.request.Request(
        f"{server.url}/oauth/v2/token", urllib.parse.urlencode(form).encode(), {"Authorization": f"Basic {basic}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        made = json.load(answer)["access_token"]
    with urllib.request.urlopen(f"{server.url}/oauth/v2/keys", timeout=30) as answer:
        return jwt.decode(made, KeySet.import_key_set(json.load(answer)), algorithms=["RS256"])


class Repeated(threading.Thread):
    """Does the same again and again until it is stopped, and notes what did not work."""

    def __init__(self, step):
        super().__init__(daemon=True)
        self.step, self.done, self.wrong, self.stopped = step, 0, [], threading.Event()

    def run(self):
        while not self.stopped.wait(0.02):
            try:
                assert self.step()
                self.done += 1
            except Exception as failure:
                self.wrong.append(repr(failure))


def reach(loads, more):
    """Wait until each has been done so often again, or something was wrong."""
    goals = [one.done + more for one in loads]
    until(lambda: all(one.wrong or one.done >= goal for one, goal in zip(loads, goals, strict=True)))


def shell(server, script):
    answer = server.manage("shell", "-v", "0", "-c", script)
    assert answer.returncode == 0, answer.stderr


def asked(server, statement):
    """The first column of the first row, from the server's own database."""
    if dsn := server.environment.get("ZITADEL_DATABASE_POSTGRES_DSN"):
        with psycopg.connect(dsn, autocommit=True) as connection:
            return connection.execute(statement).fetchone()[0]
    with contextlib.closing(sqlite3.connect(server.var / "gatehouse.sqlite3", timeout=30)) as connection:
        return connection.execute(statement).fetchone()[0]


def fill(server, script, many=MANY):
    """Give the commands that are killed something to do."""
    shell(server, f"MANY = {many}\n{script}")


def kill_half_way(server, command, counted, many=MANY):
    """Start a command and kill it when it has done a quarter of its work; answers how much it had done then."""
    running = subprocess.Popen([sys.executable, "manage.py", command], cwd=ROOT, env=server.environment)
    while asked(server, counted) < many // 4:
        assert running.poll() is None, "it was too quick to be killed"
        time.sleep(0.02)
    running.kill()
    running.wait()
    half = asked(server, counted)
    assert 0 < half < many
    return half


def test_e09_rotation_is_killed_and_goes_on_while_serving(tmp_path, own_database):
    old, new = secrets.token_hex(16), secrets.token_hex(16)
    server = new_server(tmp_path)
    server.environment |= own_database | {"ZITADEL_MASTERKEY": old}
    server.start()
    assert works(server)
    server.kill()
    fill(server, FILL)
    before = asked(server, "SELECT check_value FROM vault_data_keys WHERE instance_id = 'elsewhere'")
    server.environment |= {"ZITADEL_MASTERKEY": new, "ZITADEL_MASTERKEY_PREVIOUS": old}
    server.start()
    try:
        kill_half_way(server, "rotate_masterkey", DATA_KEYS.format(before=before))
        assert works(server)
        again = server.manage("rotate_masterkey")
        assert again.returncode == 0, again.stderr
        assert works(server)
    finally:
        server.kill()
    del server.environment["ZITADEL_MASTERKEY_PREVIOUS"]
    server.start()
    try:
        assert works(server)
        assert server.manage("verify_log").returncode == 0
    finally:
        server.kill()


@pytest.fixture
def server(tmp_path, own_database):
    made = new_server(tmp_path)
    made.environment |= own_database
    made.start()
    yield made
    made.kill()


def test_e09_row_44_new_data_keys_under_load_killed_half_way_and_resumed(server):
    ask = lambda path, body: post(server, path, body)
    _, client = pkce_app(ask, "shop")
    people = [person(ask, "gigi")]
    robot = {"userName": "robot", "name": "Robot", "accessTokenType": "ACCESS_TOKEN_TYPE_JWT"}
    robot_id = ask("/management/v1/users/machine", robot)["userId"]
    secret = ask(f"/v2/users/{robot_id}/secret", {})["clientSecret"]

    def writes_and_reads():
        people.append(person(ask, f"u{secrets.token_hex(6)}"))
        return reads(server, people[-1]) and reads(server, secrets.choice(people))

    steps = (
        writes_and_reads,
        lambda: token(server, secret),
        lambda: Browser([server]).sign_in(client, "gigi")["access_token"],
    )
    loads = [Repeated(step) for step in steps]
    fill(server, FILL_PERSONS)
    first = asked(server, "SELECT id FROM vault_data_keys WHERE purpose = 'persons'")
    renewed = PERSONS.format(before=first)
    try:
        for load in loads:
            load.start()
        reach(loads, 3)
        half = kill_half_way(server, "rotate_datakeys", renewed)
        reach(loads, 3)
        again = server.manage("rotate_datakeys", "--resume")
        assert again.returncode == 0, again.stderr
        assert asked(server, renewed) == MANY, "nobody's key is left under the data key of before"
        reach(loads, 3)
    finally:
        for load in loads:
            load.stopped.set()
        for load in loads:
            load.join(60)
    sys.stdout.write(f"killed after {half} of {MANY}; meanwhile {[load.done for load in loads]} steps\n")
    assert [load.wrong for load in loads] == [[], [], []]
    server.kill()
    server.start()  # a process that knows nothing: everything is opened by the data keys as they are kept
    assert all(reads(server, id) for id in people)
    assert all(step() for step in steps)
    last = server.manage("rotate_datakeys", "--resume")  # what was sealed before the server noticed the new key
    assert last.returncode == 0, last.stderr
    left = asked(server, f"SELECT count(*) FROM eventstore_person_keys WHERE wrapped LIKE 'v1.{first}.%'")
    kept = asked(server, "SELECT count(*) FROM vault_data_keys WHERE purpose = 'persons'")
    assert (left, kept) == (0, 2), "the data key of before wraps no person's key any more, and is kept"
    must_verify(server)
