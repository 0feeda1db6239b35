"""Followers beside concurrent writers in processes of their own: every fact exactly once, in order per stream."""

import contextlib
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests import engine

ROOT = Path(__file__).parent.parent.parent
WRITERS = 8
FACTS_EACH = 2500
DYING = 3
POSTGRES = os.environ.get("GATEHOUSE_TEST_DB") == "postgres"


class Place:
    """A database of its own and the processes on it."""

    def __init__(self, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZITADEL_", "DJANGO_"))}
        self.file = folder / "gatehouse.sqlite3"
        self.environment = {
            **kept,
            "GATEHOUSE_VAR": str(folder),
            "DJANGO_SETTINGS_MODULE": "iam.settings.prod",
            "ZITADEL_MASTERKEY": secrets.token_hex(16),
        }
        if POSTGRES:
            self.environment["ZITADEL_DATABASE_POSTGRES_DSN"] = engine.new_database(f"crowd_{secrets.token_hex(4)}")
        self.run("manage.py", "migrate", "--verbosity", "0")
        serial = "bigserial" if POSTGRES else "integer"
        self.sql(f"CREATE TABLE seen (n {serial} PRIMARY KEY, position bigint, stream text, version bigint)")

    def start(self, *role: str) -> "subprocess.Popen[bytes]":
        """A process of the crowd, or one that starts several and tells how they ended."""
        command = [sys.executable, "-m", "tests.store.crowd", *role]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE)

    def run(self, *arguments: str) -> str:
        """A command; its output."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sql(self, statement: str) -> list[list[str]]:
        """Rows as texts, over a connection of its own."""
        if POSTGRES:
            with psycopg.connect(self.environment["ZITADEL_DATABASE_POSTGRES_DSN"], autocommit=True) as postgres:
                found = postgres.execute(statement)
                return [[str(value) for value in row] for row in found] if found.description else []
        with contextlib.closing(sqlite3.connect(self.file, timeout=60)) as sqlite, sqlite:
            return [[str(value) for value in row] for row in sqlite.execute(statement)]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """20,000 facts by 8 writers; three more are killed inside a push, and one of two followers in its work."""
    place = Place(tmp_path_factory.mktemp("crowd"))
    followers = [place.start("follow"), place.start("follow")]
    try:
        writers = place.start("write", str(FACTS_EACH), *map(str, range(WRITERS)))
        dying = place.start("die", "200", *(str(100 + seed) for seed in range(DYING)))
        assert json.loads(dying.communicate()[0]) == [-signal.SIGKILL] * DYING
        followers[0].kill()
        assert json.loads(writers.communicate()[0]) == [0] * WRITERS
        catch_up(place)
    finally:
        for process in followers:
            process.kill()
            process.wait()
    return place


def catch_up(place: Place) -> None:
    """Wait for the follower that is left; the limit is only against hanging."""
    last = place.sql("SELECT max(position) FROM eventstore_events")[0][0]
    for _ in range(600):
        if {row[0] for row in place.sql("SELECT position FROM projections_heads")} and place.sql(
            f"SELECT 1 FROM projections_horizon WHERE position = {last}"
        ):
            behind = place.sql(
                "SELECT 1 FROM projections_heads h LEFT JOIN projections_checkpoints c ON c.instance_id = h.instance_id"
                " AND c.projection = 'seen' WHERE coalesce(c.position, 0) < h.position"
            )
            if not behind:
                break
        time.sleep(0.2)


def test_every_fact_is_fed_exactly_once(crowded):
    facts = [int(row[0]) for row in crowded.sql("SELECT position FROM eventstore_events ORDER BY position")]
    seen = [int(row[0]) for row in crowded.sql("SELECT position FROM seen ORDER BY position")]
    assert len(facts) >= WRITERS * FACTS_EACH
    assert seen == facts


def test_positions_have_holes_on_postgresql_only(crowded):
    facts = [int(row[0]) for row in crowded.sql("SELECT position FROM eventstore_events ORDER BY position")]
    holes = facts[-1] - len(facts)
    assert (holes > 0) == POSTGRES


def test_facts_are_fed_in_the_order_of_their_stream(crowded):
    last: dict[str, int] = {}
    for stream, version in crowded.sql("SELECT stream, version FROM seen ORDER BY n"):
        assert int(version) == last.get(stream, 0) + 1
        last[stream] = int(version)
    assert len(last) > 100


def test_nothing_of_a_killed_push_is_there_and_the_log_verifies(crowded):
    assert crowded.sql("SELECT count(*) FROM eventstore_events WHERE aggregate_id LIKE 'dying%'") == [["0"]]
    assert "every digest fits" in crowded.run("manage.py", "verify_log")


def test_the_counted_hours_are_the_facts_and_can_be_rebuilt(crowded):
    facts = crowded.sql("SELECT count(*) FROM eventstore_events")
    follower = crowded.start("follow")
    try:
        for _ in range(100):
            if crowded.sql("SELECT coalesce(sum(facts), 0) FROM projections_hours") == facts:
                break
            time.sleep(0.2)
    finally:
        follower.kill()
        follower.wait()
    assert crowded.sql("SELECT sum(facts) FROM projections_hours") == facts
    assert f"{facts[0][0]} facts" in crowded.run("manage.py", "rebuild", "hours", "--verify")
    assert "equal" in crowded.run("manage.py", "rebuild", "hours")
