"""Tells a database that is away, full or read-only from a mistake of ours, and remembers it until a write works again."""

import logging
import threading

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

READ_ONLY = "25006"
OUR_MISTAKES = ("no such", "near ", "duplicate column")
_trouble = threading.Event()
log = logging.getLogger(__name__)


def is_outage(error: BaseException | None) -> bool:
    """Whether trying again later may help: no connection, a full disk, a read-only database (checklist N09).

    SQLite names a wrong statement an operational error, too; PostgreSQL tells read-only by its state alone.
    """
    if isinstance(error, InterfaceError):
        return True
    if isinstance(error, OperationalError):
        return not str(error).startswith(OUR_MISTAKES)
    return isinstance(error, DatabaseError) and getattr(error.__cause__, "sqlstate", "") == READ_ONLY


def note(error: BaseException, where: str) -> None:
    """Remember that the database failed a request; one line of the log, without the values of the statement."""
    _trouble.set()
    log.error("%s failed, the database: %s", where, str(error).strip().splitlines()[0][:200] if str(error) else "?")


def serves() -> bool:
    """Whether the database answers, and after an outage whether it takes writes again."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if _trouble.is_set():
            _write()
    except DatabaseError:
        return False
    _trouble.clear()
    return True


def _write() -> None:
    """Change nothing, but through the disk."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE eventstore_claims SET owner = owner WHERE (scope, kind, value) ="
            " (SELECT scope, kind, value FROM eventstore_claims LIMIT 1)"
        )
