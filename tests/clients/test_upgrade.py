"""The program before and this one on one database, under load, while this one migrates: no request fails (row 40, E12).

Both write, and both follow what both write: each fact is followed once, whichever of them moves the horizon.
"""

import http.client
import json
import secrets
import subprocess
import threading
from pathlib import Path

import psycopg
import pytest

from tests.load import until
from tests.servers import ROOT, Server, new_server

CALLS_BEFORE, CALLS_TOGETHER = 30, 90
COUNTED = "SELECT (SELECT sum(facts) FROM projections_hours), (SELECT count(*) FROM eventstore_events)"
"""Facts that a follower has counted one by one, and facts."""


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


@pytest.fixture
def before(tmp_path):
    """The tree of the main line as it was before the newest migration came to it."""
    newest = git("log", "-1", "--first-parent", "-m", "--diff-filter=A", "--format=%H", "--", "*/migrations/0*.py")
    if not newest or not git("rev-parse", "--verify", "--quiet", f"{newest}^"):
        pytest.skip("the history of this checkout does not reach back to the program before")
    tree = tmp_path / "before"
    subprocess.run(["git", "clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(tree)], check=True)
    subprocess.run(["git", "checkout", "--quiet", f"{newest}^"], cwd=tree, check=True)
    return tree


class Load(threading.Thread):
    """One client that creates and reads users until it is told to stop; notes every failure."""

    def __init__(self, server: Server, pat: str, seen: list[str]) -> None:
        super().__init__(daemon=True)
        self.server, self.seen, self.failures, self.calls = server, seen, [], 0
        self.headers = {"Authorization": f"Bearer {pat}", "Content-Type": "application/json"}
        self.stopped = threading.Event()

    def run(self) -> None:
        connection = http.client.HTTPConnection("localhost", self.server.port, timeout=30)
        while not self.stopped.is_set():
            name = f"u{secrets.token_hex(6)}"
            human = {"username": name, "profile": {"givenName": "A", "familyName": "B"}}
            made = self._ask(
                connection, "POST", "/v2/users/human", {**human, "email": {"email": f"{name}@example.com"}}
            )
            self.seen.append(made.get("userId", ""))
            self._ask(connection, "GET", f"/v2/users/{self.seen[secrets.randbelow(len(self.seen))]}")
            self._ask(connection, "POST", "/v2/users", {"query": {"limit": 5}})

    def _ask(self, connection, verb, path, body=None):
        connection.request(verb, path, json.dumps(body) if body else None, self.headers)
        answer = connection.getresponse()
        content = answer.read()
        self.calls += 1
        if answer.status != 200:
            self.failures.append((path, answer.status, content[:300]))
        return json.loads(content)


def reach(loads, calls):
    """Wait until every load has made so many calls, or has failed."""
    while not all(load.calls >= calls or load.failures for load in loads):
        assert all(load.is_alive() for load in loads), [load.failures for load in loads]
        threading.Event().wait(0.1)


def stop(loads):
    for load in loads:
        load.stopped.set()
    for load in loads:
        if load.ident:
            load.join(30)


def has_caught_up(server):
    lines = server.manage("lag").stdout.splitlines()
    return bool(lines) and all(": at" in line and " 0 facts and 0 s behind" in line for line in lines)


def test_row_40_old_and_new_serve_one_database_while_it_is_migrated(tmp_path, own_database, before: Path):
    if not own_database:
        pytest.skip("pods roll on PostgreSQL")
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old, new = new_server(tmp_path / "old"), new_server(tmp_path / "new")
    old.root = before
    shared = own_database | {"ZITADEL_EXTERNALPORT": str(old.port)}
    old.environment |= shared
    new.environment |= shared
    old.start()
    pat = Path(own_database["ZITADEL_FIRSTINSTANCE_PATPATH"]).read_text().strip()
    seen: list[str] = []
    loads = [Load(old, pat, seen), Load(old, pat, seen)]
    try:
        for load in loads:
            load.start()
        reach(loads, CALLS_BEFORE)
        plan = new.manage("setup", "--plan")
        assert "migrate" in plan.stdout, plan.stdout + plan.stderr
        migrated = new.manage("setup")
        assert migrated.returncode == 0, migrated.stderr
        new.start()
        loads += [Load(new, pat, seen), Load(new, pat, seen)]
        for load in loads[2:]:
            load.start()
        reach(loads, CALLS_TOGETHER)
        stop(loads)
        until(lambda: has_caught_up(new))
        with psycopg.connect(own_database["ZITADEL_DATABASE_POSTGRES_DSN"]) as connection:
            followed, facts = connection.execute(COUNTED).fetchone()
    finally:
        stop(loads)
        for server in (old, new):
            if server.process:
                server.kill()
    assert [load.failures for load in loads] == [[], [], [], []]
    assert followed == facts, "no fact is lost to the followers, and none comes twice"
    assert new.manage("verify_log").returncode == 0
    assert new.manage("rebuild").returncode == 0  # what the program before wrote gets the columns that it did not know
    assert new.manage("rebuild", "--verify").returncode == 0
