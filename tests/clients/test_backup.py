"""A dump of a serving system restores into an empty database, and followers go on from wherever they stood (rows 42, 43)."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests import engine
from tests.clients.test_upgrade import Load, reach
from tests.cluster import _binary
from tests.servers import new_server

PASSWORD = "Correct-Horse-9"


def ask(server, pat, path, body=None):
    headers = {"Authorization": f"Bearer {pat}", "Content-Type": "application/json"}
    request = urllib.request.Request(
        server.url + path, json.dumps(body).encode() if body is not None else None, headers
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def dumped(dsn: str) -> bytes:
    return subprocess.run([_binary("pg_dump"), dsn], check=True, capture_output=True).stdout


def restored(dump: bytes, name: str) -> str:
    dsn = engine.new_database(name)
    command = [_binary("psql"), "--quiet", "--set", "ON_ERROR_STOP=1", dsn]
    subprocess.run(command, input=dump, check=True, capture_output=True)
    return dsn


def test_row_42_a_dump_of_a_serving_system_restores_and_serves(tmp_path, own_database):
    if os.environ.get("GATEHOUSE_TEST_DB") != "postgres":
        pytest.skip("the handbook's backup is PostgreSQL's")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first, second = new_server(tmp_path / "one"), new_server(tmp_path / "two")
    first.environment |= own_database
    first.start()
    pat = Path(own_database["ZITADEL_FIRSTINSTANCE_PATPATH"]).read_text().strip()
    person = {
        "username": "gigi",
        "profile": {"givenName": "Gigi", "familyName": "G"},
        "password": {"password": PASSWORD},
    }
    made = ask(first, pat, "/v2/users/human", {**person, "email": {"email": "gigi@example.com", "isVerified": True}})
    load = Load(first, pat, [made["userId"]])
    try:
        load.start()
        reach([load], 60)
        dump = dumped(own_database["ZITADEL_DATABASE_POSTGRES_DSN"])
        load.stopped.set()
        load.join(30)
        assert load.failures == []
    finally:
        first.kill()
    dsn = restored(dump, f"restored_{second.port}")
    second.environment |= own_database | {"ZITADEL_DATABASE_POSTGRES_DSN": dsn}
    for command in (("setup", "--plan"), ("verify_log",), ("rebuild", "--verify")):
        done = second.manage(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    half = second.manage("shell", "-v", "0", "-c", HALF)
    assert half.returncode == 0, half.stderr
    second.start()
    try:
        assert ask(second, pat, f"/v2/users/{made['userId']}")["user"]["human"]["profile"]["givenName"] == "Gigi"
        checks = {"user": {"loginName": "gigi@zitadel.localhost"}, "password": {"password": PASSWORD}}
        assert ask(second, pat, "/v2/sessions", {"checks": checks})["sessionToken"]
        checks["password"]["password"] = "wrong"
        with pytest.raises(urllib.error.HTTPError):
            ask(second, pat, "/v2/sessions", {"checks": checks})
        wait = second.manage("shell", "-v", "0", "-c", CAUGHT_UP)
        assert wait.stdout.strip() == "caught up", wait.stdout + wait.stderr
        assert second.manage("rebuild", "--verify").returncode == 0
    finally:
        second.kill()


HALF = """
from django.db import connection
from projections.models import Checkpoint, HourRow
for row in Checkpoint.objects.all():
    Checkpoint.objects.filter(instance_id=row.instance_id, projection=row.projection).update(position=row.position // 2)
HourRow.objects.all().delete()
from projections.projection import projection
from projections.rebuild import rebuild
from iam.vault import wiring
rebuild(wiring.store(), projection("hours"))  # partial: what the half checkpoints have seen
"""
CAUGHT_UP = """
import time
from projections.lag import lag_of
for _ in range(100):
    behind = [one for one in lag_of() if one.facts]
    if not behind:
        break
    time.sleep(0.2)
print("caught up" if not behind else behind)
"""
