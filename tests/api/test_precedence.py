"""Sign-ins and followers let requests go first, between two statements, and never wait for long (checklist N07)."""

import asyncio
import threading

import pytest
from django.db import connection

from iam import precedence
from iam.api import admission
from iam.precedence import giving_way, going_first


@pytest.fixture
def asked(db, monkeypatch):
    """Statements that give way; how often one really waited is counted. Outside of tests a wait is short."""
    waited = []
    waiting = precedence._Answering.changed.wait_for

    def wait_for(is_over, seconds):
        waited.append(not is_over())
        return waiting(is_over, seconds)

    monkeypatch.setattr(precedence._Answering.changed, "wait_for", wait_for)
    monkeypatch.setattr(precedence, "_holds_the_only_lock", lambda _: False)
    with connection.execute_wrapper(precedence._before_statement):
        yield waited


def ask():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_work_that_can_wait_gives_way_to_a_request_before_each_statement(asked):
    with giving_way(), going_first():
        ask()
        ask()
    assert asked == [True, True]


def test_it_does_not_wait_when_nothing_is_being_answered(asked):
    with giving_way():
        with going_first():
            pass
        ask()
    assert asked == [False]


def test_a_request_waits_for_nobody(asked):
    with going_first():
        ask()
    assert asked == []


def test_the_end_of_the_last_request_ends_the_wait(asked, monkeypatch):
    monkeypatch.setattr(precedence, "LONGEST_SECONDS", 60.0)
    answering = going_first()
    answering.__enter__()
    threading.Timer(0.05, answering.__exit__, (None, None, None)).start()
    with giving_way():
        ask()
    assert asked == [True]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases have many writers")
def test_on_sqlite_nobody_waits_who_holds_the_lock_that_others_wait_for(db, monkeypatch):
    monkeypatch.setattr(precedence._Answering.changed, "wait_for", lambda *_: pytest.fail("it waited"))
    with connection.execute_wrapper(precedence._before_statement), giving_way(), going_first():
        ask()  # tests run in a transaction


@pytest.mark.parametrize(
    ("path", "body", "is_patient"),
    [
        ("/v2/sessions", b'{"checks":{"password":{"password":"x"}}}', True),
        ("/v2/sessions", b"{}", False),
        ("/oauth/v2/introspect", b"token=x", False),
    ],
)
def test_at_the_door_sign_ins_give_way_and_all_else_goes_first(monkeypatch, path, body, is_patient):
    monkeypatch.setattr(admission, "room", lambda: admission.Room(1, 1))

    async def story():
        async with admission.turn({"method": "POST", "path": path, "headers": []}, body):
            seen = await asyncio.to_thread(lambda: (precedence._is_patient.get(), precedence._Answering.count))
        assert seen == (is_patient, 0 if is_patient else 1)
        assert (precedence._is_patient.get(), precedence._Answering.count) == (False, 0)

    asyncio.run(story())
