"""One set-up at a time: others wait, then find everything done."""

import contextlib
import fcntl
from collections.abc import Iterator

from django.conf import settings
from django.db import connection

KEY = 0x6761746568  # any fixed number


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Hold the lock. A process that dies gives it back: the file's or the connection's end frees it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [KEY])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [KEY])
        return
    settings.VAR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR / "setup.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
