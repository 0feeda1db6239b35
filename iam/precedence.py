"""Who goes first in a process: between two statements, work that can wait gives way to requests that cannot.

Threads of one process share an interpreter. A sign-in and the followers run as long as a dozen token checks, and a token
check beside one of them takes twice as long: it gets every other turn. So those stop for a moment before each statement
while anything else is being answered; never for long, so that they end under any load. (Measured, a storm of sign-ins in one
process: the 95th percentile of a token check is 1.7 times the idle one, 2.5 to 3.5 times without this.)
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from iam.observe.statements import wrap_statements

LONGEST_SECONDS = 0.006
"""That one statement waits."""

_is_patient: ContextVar[bool] = ContextVar("is_patient", default=False)


class _Answering:
    """Requests that are being answered and wait for nobody."""

    changed = threading.Condition()
    count = 0


@contextmanager
def going_first() -> Iterator[None]:
    """A request that others give way to."""
    with _Answering.changed:
        _Answering.count += 1
    try:
        yield
    finally:
        with _Answering.changed:
            _Answering.count -= 1
            if not _Answering.count:
                _Answering.changed.notify_all()


@contextmanager
def giving_way() -> Iterator[None]:
    """Work that can wait, and what it starts in other threads with its context."""
    token = _is_patient.set(True)
    try:
        yield
    finally:
        _is_patient.reset(token)


def start() -> None:
    """Let the statements of work that can wait give way, in this process."""
    wrap_statements(_before_statement)


def _before_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if _is_patient.get() and not _holds_the_only_lock(context["connection"]):
        with _Answering.changed:
            _Answering.changed.wait_for(lambda: not _Answering.count, LONGEST_SECONDS)
    return execute(sql, params, many, context)


def _holds_the_only_lock(connection: Any) -> bool:
    """Whether those who go first might wait for this transaction: SQLite has one writer."""
    return bool(connection.vendor == "sqlite" and connection.in_atomic_block)
