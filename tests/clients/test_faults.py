"""What breaks under load costs no acknowledged write and no wrong answer, and nobody has to help afterwards (issue 4, faults survived)."""

import os
import signal
import subprocess
import sys

import psycopg
import pytest

from tests import cluster
from tests.load import begin, end, must_be_there, must_verify, reach, told, until
from tests.ports import free_port
from tests.servers import ROOT, new_server

pytestmark = pytest.mark.skipif(
    os.environ.get("GATEHOUSE_TEST_DB") != "postgres", reason="the embedded mode has no such parts"
)
CLIENTS = 4
SLOW = """
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END';
CREATE TRIGGER slowly BEFORE INSERT OR UPDATE ON projections_hours FOR EACH ROW EXECUTE FUNCTION slowly();
"""


class Place:
    """A server, a worker with its beat, a PostgreSQL and a Redis, all private."""

    def __init__(self, folder, variables):
        self.database = cluster.start()
        self.port = free_port()
        self.start_redis()
        self.server = new_server(folder)
        self.server.environment |= variables | {
            "ZITADEL_DATABASE_POSTGRES_DSN": self.database.dsn,
            "ZITADEL_CACHES_CONNECTORS_REDIS_ENABLED": "true",
            "ZITADEL_CACHES_CONNECTORS_REDIS_URL": f"redis://127.0.0.1:{self.port}/0",
        }
        self.server.start()
        self.worker = subprocess.Popen(
            [sys.executable, "manage.py", "worker", "--beat"],
            cwd=ROOT,
            env=self.server.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def start_redis(self):
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.redis = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd="/tmp")

    def has_caught_up(self):
        return "0 facts and 0 s behind" in self.server.manage("lag").stdout

    def must_be_whole(self, writers, fault):
        """Stop the load; everything is there, nothing was wrong, whoever follows has followed."""
        acknowledged = end(writers)
        sys.stdout.write(f"{fault}: {told(writers)}\n")
        must_be_there(self.server, acknowledged)
        until(self.has_caught_up)
        must_verify(self.server)

    def stop(self):
        os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait()
        self.server.kill()
        self.redis.kill()
        self.redis.wait()
        self.database.stop()


@pytest.fixture
def place(tmp_path, own_database):
    made = Place(tmp_path, own_database)
    yield made
    made.stop()


def test_postgresql_redis_and_a_follower_fail_one_after_the_other_under_load(place):
    writers = begin([place.server], CLIENTS)
    reach(writers, 20)
    place.database.halt()
    until(lambda: all(writer.refused for writer in writers), writers)
    place.database.resume()
    reach(writers, 20)
    place.must_be_whole(writers, "PostgreSQL restarted")

    writers = begin([place.server], CLIENTS)
    reach(writers, 20)
    place.redis.kill()
    place.redis.wait()
    reach(writers, 40)
    assert sum(writer.refused for writer in writers) == 0, "Redis is never needed for an answer"
    place.start_redis()
    place.must_be_whole(writers, "Redis killed")

    place.database.sql(SLOW)
    writers = begin([place.server], CLIENTS)
    reach(writers, 40)
    assert not place.has_caught_up(), "the follower is too slow to keep up"
    assert sum(writer.refused for writer in writers) == 0
    with psycopg.connect(place.database.dsn, autocommit=True) as connection:
        connection.execute("DROP TRIGGER slowly ON projections_hours")
    place.must_be_whole(writers, "a slow follower")
