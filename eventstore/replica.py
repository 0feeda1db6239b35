"""Lists read from a streaming replica, and never from one that lags: everybody reads their own writes (DESIGN §10).

Before a list the primary is asked how far its write-ahead log is (a statement without a table), and the replica, in one
statement, whether it has replayed that far. Whatever was committed before the list began is therefore in it. A replica
that lags or does not answer costs its question: the primary answers then, and a dead one is not asked for a while.
"""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.db import DatabaseError, connections, models
from django.db.models import QuerySet

ALIAS = "replica"
LEFT_ALONE_SECONDS = 5.0
Row = TypeVar("Row", bound=models.Model)
Found = TypeVar("Found")
Rest = ParamSpec("Rest")
log = logging.getLogger(__name__)
_dead_until = [0.0]
watchers: list[Callable[[str], None]] = []
"""Told of each list that may come from the replica: `replica` when it does, `lagging` or `dead` when the primary answers."""


def lists(
    read: Callable[Concatenate["QuerySet[Any]", Rest], Found],
) -> Callable[Concatenate["QuerySet[Any]", Rest], Found]:
    """A function that reads rows, reading them from the replica whenever that has everything."""

    @wraps(read)
    def reads(rows: "QuerySet[Any]", *rest: Rest.args, **named: Rest.kwargs) -> Found:
        near = fresh(rows)
        try:
            return read(near, *rest, **named)
        except DatabaseError as failure:  # it died since, or replay took away the rows under the statement
            if near is rows:
                raise
            _leave_alone(failure)
            return read(rows, *rest, **named)

    return reads


def fresh(rows: "QuerySet[Row]") -> "QuerySet[Row]":
    """The same rows, from the replica if it has everything that was committed up to now; not inside a transaction."""
    if ALIAS not in settings.DATABASES or connections["default"].in_atomic_block or time.monotonic() < _dead_until[0]:
        return rows
    try:
        if not _has_replayed(_written()):
            _tell("lagging")
            return rows
    except DatabaseError as failure:
        _leave_alone(failure)
        return rows
    _tell("replica")
    return rows.using(ALIAS)


def _leave_alone(failure: DatabaseError) -> None:
    _dead_until[0] = time.monotonic() + LEFT_ALONE_SECONDS
    _tell("dead")
    log.warning("the replica does not answer: %s", type(failure).__name__)
    connections[ALIAS].close()


def _tell(went: str) -> None:
    for watcher in watchers:
        watcher(went)


def _written() -> str:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()::text")
        return str(cursor.fetchone()[0])


def _has_replayed(position: str) -> bool:
    """Whether everything up to a position of the primary is there. One that was promoted is no replica any more."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(pg_last_wal_replay_lsn() >= %s::text::pg_lsn, false) AND pg_is_in_recovery()", [position]
        )
        return bool(cursor.fetchone()[0])
