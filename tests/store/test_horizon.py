"""How far the log is settled while transactions end in another order than they began (PostgreSQL)."""

import os
import secrets

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from projections.horizon import ONLY, advance, reached
from projections.models import Horizon

pytestmark = pytest.mark.skipif(os.environ.get("GATEHOUSE_TEST_DB") != "postgres", reason="SQLite has one writer")
FACT = (
    "INSERT INTO eventstore_events (instance_id, aggregate_type, aggregate_id, version, event_type, revision, owner,"
    " subject, payload, actor, created_at, context, digest, position)"
    " VALUES ('i', 'thing', %s, 1, 'thing.added', 1, 'o', '', '{}', '', now(), '{}', '', %s)"
)


WRITERS = []


class Writer:
    """A push in slow motion: its transaction id first, then its position, then the commit."""

    def __init__(self, name):
        self.name, self.session = name, session_of(connection.settings_dict["NAME"])
        self.session.execute("SELECT pg_current_xact_id()")
        WRITERS.append(self)

    def draw(self):
        self.position = self.session.execute("SELECT nextval('eventstore_position_seq')").fetchone()[0]
        return self.position

    def commit(self):
        self.session.execute(FACT, [self.name, self.position])
        self.session.commit()


def session_of(database, **options):
    at = settings.DATABASES["default"]
    return psycopg.connect(host=at["HOST"], port=at["PORT"], user=at["USER"], dbname=database, **options)


@pytest.fixture(scope="module")
def fresh(django_db_blocker):
    """A database where transactions may be committed: the log of the other tests would not forget them."""
    tests, name = connection.settings_dict["NAME"], f"horizon_{secrets.token_hex(4)}"
    with session_of("postgres", autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}")
    with django_db_blocker.unblock():
        try:
            use(name)
            call_command("migrate", verbosity=0)
            yield
        finally:
            use(tests)


def use(name):
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = name


@pytest.fixture
def settled(fresh):
    """A horizon at the last position that was drawn."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('eventstore_position_seq')")
        at = cursor.fetchone()[0]
    Horizon(id=ONLY, position=at).save()
    yield at
    while WRITERS:
        WRITERS.pop().session.close()


def test_whoever_began_last_and_drew_first_is_waited_for(settled):
    """Its id is above every id that has ended, so no snapshot's upper end tells of it."""
    second, first = Writer("second"), Writer("first")
    first.draw()
    second.draw()
    second.commit()
    for _ in range(4):
        advance()
        assert reached() == settled, "the first one's position is still to come"
    first.commit()
    advance()
    assert reached() == second.position


def test_a_position_that_nobody_fills_is_passed_when_those_who_could_have_ended(settled):
    gone, other = Writer("gone"), Writer("other")
    gone.draw()
    other.draw()
    other.commit()
    advance()
    assert reached() == settled
    gone.session.close()  # rolled back
    for _ in range(2):
        advance()
    assert reached() == other.position
