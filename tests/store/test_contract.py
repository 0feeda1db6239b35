"""What every store of facts promises, shown on the one in memory and the one in the database."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from eventstore.aggregates import Claim, Scoping, Vacant
from eventstore.database import DatabaseStore
from eventstore.engines import is_postgres
from eventstore.events import Event, Personal, event
from eventstore.models import EventRow
from eventstore.store import Conflict, Origin, Stream, Taken, Write
from eventstore.testing import MemoryStore
from eventstore.verify import verify_log

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
NOWHERE = Origin()
STREAM = Stream("tenant", "user", "1")


@event("test.named")
class Named(Event):
    """A fact with a personal field."""

    name: Personal[str] = ""
    colour: str = ""


class PlainWrapper:
    """Keys as they are; the envelope has tests of its own."""

    def wrap(self, instance: str, plain: bytes) -> str:
        return plain.hex()

    def unwrap(self, instance: str, wrapped: str) -> bytes:
        return bytes.fromhex(wrapped)

    def forget(self) -> None:
        """There is nothing in memory."""


@pytest.fixture(params=["memory", "database"])
def store(request, db):
    """Each store in turn."""
    return MemoryStore() if request.param == "memory" else DatabaseStore(apply=lambda new: None, keys=PlainWrapper())


def write(store, *names, stream=STREAM, expected=None, claims=(), releases=(), owner="org", origin=NOWHERE):
    past = store.read(stream)
    return Write(
        stream=stream,
        expected=len(past) if expected is None else expected,
        facts=tuple(Named(name=name) for name in names),
        owner=owner,
        actor="7",
        at=NOW,
        after=past[-1].digest if past else b"",
        claims=frozenset(Claim("name", one, "name.taken") for one in claims),
        releases=frozenset(Claim("name", one) for one in releases),
        origin=origin,
    )


def names(store, stream=STREAM):
    return [recorded.fact.name for recorded in store.read(stream)]


def test_facts_are_read_as_they_were_pushed(store):
    store.push([write(store, "a", "b")])
    store.push([write(store, "c")])
    assert names(store) == ["a", "b", "c"]
    assert [one.version for one in store.read(STREAM)] == [1, 2, 3]


def test_positions_increase(store):
    pushed = [*store.push([write(store, "a", "b")]), *store.push([write(store, "c")])]
    positions = [one.position for one in pushed]
    assert positions == sorted(set(positions))


def test_a_push_at_a_stale_version_is_refused(store):
    store.push([write(store, "a")])
    with pytest.raises(Conflict), transaction.atomic():
        store.push([write(store, "b", expected=0)])
    assert names(store) == ["a"]


def test_a_guard_refuses_the_push_when_its_stream_moved(store):
    other = Stream("tenant", "org", "9")
    store.push([write(store, "org", stream=other)])
    with pytest.raises(Conflict), transaction.atomic():
        store.push([write(store, "a"), write(store, stream=other, expected=0)])
    assert names(store) == []
    store.push([write(store, "a"), write(store, stream=other)])
    assert names(store) == ["a"]


def test_a_claim_is_held_once_without_regard_to_case(store):
    store.push([write(store, "a", claims=["Gigi"])])
    other = Stream("tenant", "user", "2")
    with pytest.raises(Taken) as taken, transaction.atomic():
        store.push([write(store, "b", stream=other, claims=["gigi"])])
    assert taken.value.claim.code == "name.taken"
    assert names(store, other) == []


def test_a_released_claim_is_free(store):
    store.push([write(store, "a", claims=["gigi"])])
    store.push([write(store, "b", releases=["gigi"])])
    store.push([write(store, "c", stream=Stream("tenant", "user", "2"), claims=["gigi"])])


def test_several_pushes_are_whole_or_nothing(store):
    other = Stream("tenant", "user", "2")
    with pytest.raises(Taken), transaction.atomic(), store.whole():
        store.push([write(store, "a", claims=["gigi"])])
        store.push([write(store, "b", stream=other, claims=["free"])])
        store.push([write(store, "c", stream=other, claims=["gigi"])])
    assert names(store) == names(store, other) == []
    with store.whole():
        store.push([write(store, "a", claims=["free"])])
        with store.whole():
            store.push([write(store, "b", stream=other, claims=["gigi"])])
    assert (names(store), names(store, other)) == (["a"], ["b"])


def test_t14_the_same_name_in_two_tenants_is_no_conflict(store):
    store.push([write(store, "a", claims=["gigi"])])
    store.push([write(store, "b", stream=Stream("other", "user", "1"), claims=["gigi"])])


def guarded(store, name, *, stream, vacant=(), owner="org", claims=(), scopings=(), at_once=False):
    made = write(store, name, stream=stream, owner=owner, claims=claims)
    asked = frozenset(Vacant(Claim("name", value, "name.taken"), of, at_once) for value, of in vacant)
    return replace(made, vacant=asked, scopings=scopings)


AT_ONCE = pytest.mark.parametrize("at_once", [False, True])


@AT_ONCE
def test_what_must_be_vacant_is_not_held_afterwards(store, at_once):
    other = Stream("tenant", "user", "2")
    store.push([guarded(store, "a", stream=STREAM, vacant=[("gigi", "")], at_once=at_once)])
    store.push([write(store, "b", stream=other, claims=["gigi"])])
    with pytest.raises(Taken) as taken, transaction.atomic():
        store.push([guarded(store, "c", stream=STREAM, vacant=[("free", ""), ("GIGI", "")], at_once=at_once)])
    assert (taken.value.claim.code, names(store)) == ("name.taken", ["a"])


@AT_ONCE
def test_a_value_may_be_asked_to_be_vacant_within_one_owner(store, at_once):
    store.push([write(store, "a", claims=["gigi"], owner="ours")])
    other = Stream("tenant", "user", "2")
    store.push([guarded(store, "b", stream=other, vacant=[("gigi", "theirs")], at_once=at_once)])
    with pytest.raises(Taken), transaction.atomic():
        store.push([guarded(store, "c", stream=other, vacant=[("gigi", "ours")], at_once=at_once)])
    assert names(store, other) == ["b"]


@AT_ONCE
def test_a_push_that_takes_a_value_may_ask_for_it(store, at_once):
    store.push([guarded(store, "a", stream=STREAM, vacant=[("gigi", "")], claims=["gigi"], at_once=at_once)])
    assert names(store) == ["a"]


def test_values_become_unique_within_their_owners_and_once_per_instance_again(store):
    user = lambda id: Stream("tenant", "user", id)
    scope = lambda inside: (Scoping("name", ("A", "B"), inside, "name.met"),)
    store.push([write(store, "a", stream=user("1"), owner="A", claims=["Gigi"])])
    store.push([guarded(store, "on", stream=STREAM, scopings=scope(True))])
    store.push([write(store, "b", stream=user("2"), owner="C", claims=["gigi"])])
    with pytest.raises(Taken) as taken, transaction.atomic():
        store.push([guarded(store, "off", stream=STREAM, scopings=scope(False))])
    assert (taken.value.claim.code, taken.value.values) == ("name.met", ("gigi",))
    free = Claim("name", "gigi", also="gigi A")
    mine = write(store, "c", stream=user("1"), owner="A")
    store.push([replace(mine, releases=frozenset({free}))])
    with pytest.raises(Taken), transaction.atomic():  # what C holds is not freed with the other form of A's
        store.push([write(store, "d", stream=user("3"), owner="B", claims=["gigi"])])
    store.push([guarded(store, "off", stream=STREAM, scopings=scope(False))])


@pytest.fixture
def database(db):
    """The store in the database."""
    return DatabaseStore(apply=lambda new: None, keys=PlainWrapper())


def test_a_failing_projection_fails_the_push(db):
    def fail(new):
        raise RuntimeError("cannot")

    store = DatabaseStore(apply=fail, keys=PlainWrapper())
    with pytest.raises(RuntimeError), transaction.atomic():
        store.push([write(store, "a")])
    assert names(store) == []


def test_personal_fields_are_sealed_at_rest(database):
    database.push([write(database, "Gigi Giraffe", origin=Origin(ip="203.0.113.9", user_agent="Planted/1"))])
    row = EventRow.objects.get()
    assert "Giraffe" not in str(row.payload)
    assert "203.0.113.9" not in str(row.context)
    recorded = database.read(STREAM)[0]
    assert (recorded.fact.name, recorded.origin.ip) == ("Gigi Giraffe", "203.0.113.9")


def test_e05_an_erased_persons_fields_are_gone_and_the_log_still_verifies(database):
    database.push([write(database, "Gigi Giraffe")])
    database.erase_subjects("tenant", ["1"])
    assert names(database) == [""]
    assert verify_log().problem == ""


def test_e02_a_rewritten_fact_is_found(database):
    database.push([write(database, "a", "b", "c")])
    assert verify_log().problem == ""
    tamper("UPDATE eventstore_events SET actor = 'somebody' WHERE version = 2")
    found = verify_log()
    assert "version 2" in found.problem
    assert found.position == database.read(STREAM)[1].position


@pytest.mark.parametrize("statement", ["UPDATE eventstore_events SET actor = 'x'", "DELETE FROM eventstore_events"])
def test_e03_the_database_refuses_to_change_facts(database, statement):
    database.push([write(database, "a")])
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def tamper(statement: str) -> None:
    """What somebody with all rights on the database could do."""
    with connection.cursor() as cursor:
        if is_postgres():
            cursor.execute("ALTER TABLE eventstore_events DISABLE TRIGGER ALL")
        else:
            cursor.execute("DROP TRIGGER eventstore_events_no_update")
        cursor.execute(statement)


def test_the_engine_is_the_one_that_was_asked_for(db):
    import os

    assert is_postgres() == (os.environ.get("GATEHOUSE_TEST_DB") == "postgres")
