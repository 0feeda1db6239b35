"""Rows 29–31: who is alive, who is ready, and why not."""

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from iam.api import readiness


@pytest.fixture(autouse=True)
def asked_anew():
    readiness._migrated.clear()
    yield
    readiness._migrated.clear()


@pytest.mark.parametrize("service", ["admin", "management", "auth", "system"])
def test_row29_healthz_answers_an_empty_object(house, web, service):
    answer = web.get(f"/{service}/v1/healthz")
    assert (answer.status_code, answer.json()) == (200, {})


def test_alive_and_ready(house, web):
    assert web.get("/debug/healthz").content == b"ok"
    assert web.get("/debug/ready").content == b"ok"
    assert web.get("/debug/validate").json() == {"database": "ok", "migrations": "ok", "masterkey": "ok"}


def test_row31_not_ready_without_a_database(house, web, monkeypatch):
    from django.db import OperationalError

    def refuse():
        raise OperationalError("connection refused")

    monkeypatch.setattr(readiness, "_database", refuse)
    answer = web.get("/debug/ready")
    assert (answer.status_code, answer.content) == (412, b"the database does not answer or takes no writes")
    assert web.get("/debug/healthz").status_code == 200  # the process itself is well
    assert web.get("/debug/validate").status_code == 412


def test_row31_not_ready_while_the_database_hangs(house, web, monkeypatch):
    import threading

    over = threading.Event()
    monkeypatch.setattr(readiness, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(readiness, "_database", lambda: over.wait(10) and "")
    answers = [web.get("/debug/ready") for _ in range(3)]
    over.set()
    assert {(one.status_code, one.content) for one in answers} == {
        (412, b"the database does not answer or takes no writes")
    }
    monkeypatch.setattr(readiness, "WAIT_SECONDS", 10)
    readiness._asked[0].result(10)
    assert web.get("/debug/ready").status_code == 200


@pytest.mark.django_db(databases=["default"])
def test_row31_not_ready_without_migrations(house, web, monkeypatch):
    known = MigrationRecorder.applied_migrations
    monkeypatch.setattr(
        MigrationRecorder, "applied_migrations", lambda self: {k: v for k, v in known(self).items() if k[0] != "oidc"}
    )
    answer = web.get("/debug/ready")
    assert (answer.status_code, answer.content) == (412, b"the database is not prepared: migrations are missing")


def test_row31_not_ready_with_another_master_key(house, web, monkeypatch):
    monkeypatch.setattr(settings, "MASTER_KEYS", lambda: [b"x" * 32])
    monkeypatch.setattr(readiness, "_thread", _Here())
    answer = web.get("/debug/ready")
    assert (answer.status_code, answer.content) == (412, b"the master key does not fit the data keys of this database")


class _Here:
    """Checks in the test's own thread, where its transaction's rows are."""

    def submit(self, work):
        from concurrent.futures import Future

        monkey = pytest.MonkeyPatch()
        monkey.setattr(connection, "close", lambda: None)
        done = Future()
        done.set_result(work())
        monkey.undo()
        return done
