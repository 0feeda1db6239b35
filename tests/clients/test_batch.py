"""A worker dies by SIGKILL while its batch is provably open in the database; another one goes on: nothing is lost or done twice."""

import contextlib
import os
import signal
import socketserver
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from tests.browsing import Browser, person
from tests.clients.test_worker import redis  # noqa: F401 - a fixture
from tests.load import PATIENCE, must_verify, until
from tests.servers import new_server
from tests.users.test_codes import MailServer

pytestmark = pytest.mark.skipif(os.environ.get("GATEHOUSE_TEST_DB") != "postgres", reason="SQLite has one writer")
PEOPLE = 150
"""Their changed addresses make more facts than one batch takes."""
OPEN = """
SELECT count(DISTINCT s.pid) FROM pg_stat_activity s JOIN pg_locks l USING (pid)
WHERE s.datname = current_database() AND s.pid <> pg_backend_pid() AND s.xact_start IS NOT NULL
  AND l.relation = %s::regclass AND l.mode = 'RowExclusiveLock' AND l.granted AND s.state LIKE %s
"""
"""Transactions that have written into a table and are not over."""
WAITING = """
SELECT count(DISTINCT s.pid) FROM pg_stat_activity s JOIN pg_locks l USING (pid)
WHERE s.datname = current_database() AND s.wait_event_type = 'Lock' AND s.query LIKE 'INSERT INTO "projections_hours"%%'
  AND l.relation = 'projections_checkpoints'::regclass AND l.granted
"""
"""Followers that have taken a checkpoint and wait to write what they counted."""


class House:
    """A server that follows nothing itself, its workers, and a look at its database."""

    def __init__(self, server, pat, dsn):
        self.server, self.browser, self.pat, self.dsn = server, Browser([server]), pat, dsn
        self.workers = []

    def ask(self, path, body):
        answer = self.browser.call("POST", path, body, self.pat)
        assert answer.status in (200, 201), (path, answer)
        return answer.json()

    def work(self):
        self.workers.append(self.server.work("--beat"))
        return self.workers[-1]

    def signal(self, worker, what):
        """To a worker and the processes that do its work."""
        os.killpg(worker.pid, what)

    def value(self, statement, *values):
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return connection.execute(statement, values).fetchone()[0]

    def reached(self, projection):
        return self.value(
            "SELECT coalesce(max(position), 0) FROM projections_checkpoints WHERE projection = %s", projection
        )

    def has_caught_up(self):
        lines = self.server.manage("lag").stdout.splitlines()
        return bool(lines) and all("0 facts and 0 s behind" in line for line in lines)

    def ends_well(self):
        """Another worker goes on until nothing is left; tables are what a replay makes of the log, counts included."""
        self.work()
        until(self.has_caught_up)
        must_verify(self.server)
        facts = self.value("SELECT count(*) FROM eventstore_events")
        assert self.value("SELECT sum(facts) FROM projections_hours") == facts, "each fact is counted once"


@pytest.fixture
def house(tmp_path, own_database, redis):  # noqa: F811 - the fixture
    MailServer.taken.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer) as mail:
        threading.Thread(target=mail.serve_forever, daemon=True).start()
        server = new_server(tmp_path)
        server.environment |= own_database | {
            "ZITADEL_CACHES_CONNECTORS_REDIS_ENABLED": "true",
            "ZITADEL_CACHES_CONNECTORS_REDIS_URL": redis,
            "ZITADEL_DEFAULTINSTANCE_SMTPCONFIGURATION_SMTP_HOST": f"127.0.0.1:{mail.server_address[1]}",
            "ZITADEL_DEFAULTINSTANCE_SMTPCONFIGURATION_FROM": "id@acme.example",
        }
        server.start()
        pat = Path(own_database["ZITADEL_FIRSTINSTANCE_PATPATH"]).read_text().strip()
        made = House(server, pat, own_database["ZITADEL_DATABASE_POSTGRES_DSN"])
        try:
            yield made
        finally:
            for worker in made.workers:
                with contextlib.suppress(ProcessLookupError):
                    made.signal(worker, signal.SIGKILL)
                worker.wait()
            server.kill()
            mail.shutdown()


def test_row_22_a_worker_killed_while_it_counts_leaves_no_fact_out_and_counts_none_twice(house):
    for number in range(20):
        person(house.ask, f"p{number}")
    with psycopg.connect(house.dsn) as other:
        other.execute("LOCK TABLE projections_hours IN SHARE MODE")  # nobody can write it; whoever wants to waits
        worker = house.work()
        until(lambda: house.value(WAITING))
        house.signal(worker, signal.SIGKILL)
        worker.wait()
        assert house.value(WAITING) == 1, "the database goes on with the batch of a follower that is dead"
        assert (house.reached("hours"), house.value("SELECT count(*) FROM projections_hours")) == (0, 0)
        other.rollback()
    until(lambda: not house.value(WAITING))
    house.ends_well()


def test_row_22_a_worker_killed_while_it_posts_mails_sends_each_of_them_once(house):
    people = [person(house.ask, f"p{number}") for number in range(PEOPLE)]
    for id in people:
        house.ask(f"/v2/users/{id}/email", {"email": f"new-{id}@example.com", "isVerified": True})
    worker = house.work()
    stop_inside_of_a_batch(house, worker)
    posted, reached, sent = (
        house.value("SELECT count(*) FROM outbox_messages"),
        house.reached("notices"),
        len(MailServer.taken),
    )
    house.signal(worker, signal.SIGKILL)
    worker.wait()
    until(lambda: not house.value(OPEN, "outbox_messages", "%"))
    assert house.value("SELECT count(*) FROM outbox_messages") == posted, "what the batch had posted is gone with it"
    assert (house.reached("notices"), len(MailServer.taken)) == (reached, sent)
    house.ends_well()
    until(lambda: len(MailServer.taken) >= PEOPLE)
    receivers = Counter(line for mail in MailServer.taken for line in mail.splitlines() if line.startswith("To: "))
    assert receivers == {f"To: p{number}@example.com": 1 for number in range(PEOPLE)}
    assert house.value("SELECT count(*) FROM outbox_messages WHERE state <> 'sent'") == 0


def stop_inside_of_a_batch(house, worker):
    """Freeze the worker at a moment at which it has posted mails in a transaction that is not over."""
    begun = time.monotonic()
    with psycopg.connect(house.dsn, autocommit=True) as looking:
        count = lambda state: looking.execute(OPEN, ("outbox_messages", state)).fetchone()[0]
        while True:
            assert time.monotonic() - begun < PATIENCE, "no batch was seen open"
            if not count("%"):
                time.sleep(0.001)
                continue
            house.signal(worker, signal.SIGSTOP)
            time.sleep(0.3)  # a statement that was under way ends; a frozen client sends no other
            if count("idle in transaction"):
                return
            house.signal(worker, signal.SIGCONT)
