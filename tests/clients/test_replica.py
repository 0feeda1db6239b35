"""Lists from a streaming replica, with one's own writes always in them (handbook's promise 24)."""

import json
import os
import re
import urllib.request

import pytest

from tests import cluster
from tests.load import ask, begin, end, until
from tests.servers import new_server

pytestmark = pytest.mark.skipif(os.environ.get("GATEHOUSE_TEST_DB") != "postgres", reason="replicas are PostgreSQL's")
LIST = "/zitadel.project.v2.ProjectService/ListProjects"
ROUNDS = 200


@pytest.fixture
def pair():
    """A primary and its replica."""
    primary = cluster.start()
    replica = None
    try:
        replica = cluster.replica_of(primary)
        yield primary, replica
    finally:
        if replica:
            replica.stop()
        primary.stop()


@pytest.fixture
def server(pair, tmp_path, own_database):
    """A server that may read lists from the replica."""
    made = new_server(tmp_path)
    primary, replica = (one.dsn for one in pair)
    made.environment |= own_database | {
        "ZITADEL_DATABASE_POSTGRES_DSN": primary,
        "ZITADEL_DATABASE_POSTGRES_REPLICADSN": replica,
    }
    made.start()
    yield made
    made.kill()


def write_and_list(server, name):
    """Whether a project is in the very next list."""
    status, content = ask(server, "/v2/projects", {"name": name}, server.pat)
    assert status == 200, content
    query = {"filters": [{"projectNameFilter": {"projectName": name}}]}
    status, content = ask(server, LIST, query, server.pat)
    assert status == 200, content
    return [one["name"] for one in json.loads(content).get("projects", [])] == [name]


def lists_of(replica):
    """How many lists of projects the replica has answered, by its own log."""
    log = (replica.folder / "log").read_text(errors="replace")
    return sum('FROM "projects_project' in line and "LIMIT" in line for line in log.splitlines())


def counted(server):
    """Lists by where they were read, as the metrics tell."""
    with urllib.request.urlopen(f"{server.url}/debug/metrics", timeout=30) as answer:
        text = answer.read().decode()
    found = re.findall(r'^gatehouse_replica_lists_total\{went="(\w+)"\} ([\d.]+)$', text, re.MULTILINE)
    return {went: float(count) for went, count in found}


def test_row_24_lists_come_from_the_replica_and_have_every_write_before_them(server, pair):
    primary, replica = pair
    missing = [number for number in range(ROUNDS) if not write_and_list(server, f"quiet {number}")]
    assert missing == []
    until(lambda: primary.ask("SELECT pg_current_wal_lsn()") == replica.ask("SELECT pg_last_wal_replay_lsn()"))
    before = lists_of(replica)
    for _ in range(20):
        assert ask(server, LIST, {}, server.pat)[0] == 200
    quiet = lists_of(replica) - before
    assert quiet >= 15, "followers write now and then, otherwise the replica has everything"
    assert counted(server)["replica"] >= lists_of(replica)

    writers = begin([server], 2)
    missing = [number for number in range(ROUNDS // 2) if not write_and_list(server, f"busy {number}")]
    end(writers)
    assert missing == []

    replica.sql("SELECT pg_wal_replay_pause()")
    until(lambda: replica.ask("SELECT pg_get_wal_replay_pause_state()") == "paused")
    assert write_and_list(server, "first while paused"), "the primary answers"
    before = lists_of(replica)
    assert all(write_and_list(server, f"paused {number}") for number in range(20))
    assert lists_of(replica) == before, "what lags is not asked"
    assert counted(server)["lagging"] >= 20
    replica.sql("SELECT pg_wal_replay_resume()")
    until(lambda: ask(server, LIST, {}, server.pat)[0] == 200 and lists_of(replica) > before)

    replica.kill()
    assert all(write_and_list(server, f"alone {number}") for number in range(20))
    assert counted(server)["dead"] >= 1
    replica.resume()
    before = lists_of(replica)
    until(lambda: ask(server, LIST, {}, server.pat)[0] == 200 and lists_of(replica) > before)
    assert write_and_list(server, "together again")
