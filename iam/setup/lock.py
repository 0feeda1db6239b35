"""One set-up at a time: others wait, then find everything done.

PostgreSQL: a row with a heartbeat. It is no advisory lock, because a pooler in transaction mode hands the session on
(DESIGN §10), and a holder that died without closing its connection would be waited for without end.
SQLite: a lock on a file, which the end of the process frees.
"""

import contextlib
import fcntl
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db import IntegrityError, connection

STALE_AFTER = 15
"""Seconds without a heartbeat after which a set-up counts as dead."""
TABLE = """CREATE TABLE IF NOT EXISTS frame_setup_lock (
  id integer PRIMARY KEY, holder text NOT NULL, taken_at timestamptz NOT NULL, beat_at timestamptz NOT NULL)"""
TAKE = """INSERT INTO frame_setup_lock (id, holder, taken_at, beat_at) VALUES (1, %s, now(), now())
  ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, taken_at = now(), beat_at = now()
  WHERE frame_setup_lock.beat_at < now() - make_interval(secs => %s) RETURNING holder"""
BEAT = "UPDATE frame_setup_lock SET beat_at = now() WHERE id = 1 AND holder = %s"
HELD = "SELECT holder, extract(epoch FROM now() - taken_at)::int FROM frame_setup_lock WHERE id = 1"


def only_one(*, stale_after: float = STALE_AFTER) -> "contextlib.AbstractContextManager[None]":
    """Hold the lock for the block; waits while another set-up lives, takes over from one that is dead."""
    return _row(stale_after) if connection.vendor == "postgresql" else _file()


def release() -> str:
    """`setup cleanup`: free the lock of a set-up that is known to be dead; answers who held it, or an empty string."""
    if connection.vendor != "postgresql":
        return ""
    _make_table()
    rows = _fetch("DELETE FROM frame_setup_lock WHERE id = 1 RETURNING holder, 0")
    return str(rows[0]) if rows else ""


@contextlib.contextmanager
def _file() -> Iterator[None]:
    settings.VAR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR / "setup.lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _tell("waiting for another set-up of this folder")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _row(stale_after: float) -> Iterator[None]:
    holder = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
    _make_table()
    waits_for = ""
    while not _fetch(TAKE, holder, stale_after):
        held = _fetch(HELD)
        if held and held[0] != waits_for:
            waits_for = held[0]
            _tell(f"waiting for another set-up: {held[0]}, for {held[1]} s")
        time.sleep(min(1, stale_after / 3))
    heart = Heart(holder, stale_after / 5)
    heart.start()
    try:
        yield
    finally:
        heart.stop()
        _fetch("DELETE FROM frame_setup_lock WHERE id = 1 AND holder = %s RETURNING holder", holder)


@dataclass
class Heart:
    """Renews the lock from a connection of its own while the set-up works."""

    holder: str
    every: float
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Beat from now on."""
        self._thread = threading.Thread(target=self._run, name="setup-heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Beat no more."""
        self._done.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._done.wait(self.every):
                with connection.cursor() as cursor:
                    cursor.execute(BEAT, [self.holder])
                    lost = cursor.rowcount == 0
                if lost:
                    _tell("another set-up took over: this one stood still for too long and ends here")
                    os._exit(1)
        finally:
            connection.close()


def _make_table() -> None:
    """The lock is needed before the first migration, so its table is none of theirs."""
    with contextlib.suppress(IntegrityError), connection.cursor() as cursor:  # two at once: one of them makes it
        cursor.execute(TABLE)


def _fetch(statement: str, *arguments: object) -> tuple[str, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(arguments))
        return cursor.fetchone()  # type: ignore[no-any-return]


def _tell(line: str) -> None:
    sys.stdout.write(f"set-up: {line}\n")
    sys.stdout.flush()
