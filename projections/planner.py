"""How PostgreSQL plans what is asked for a list."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import connections, transaction

PLANNED = {"jit": "off", "work_mem": "'32MB'"}
"""For lists PostgreSQL compiles nothing, which takes longer than running it, and sorts a hundred thousand keys in memory."""


@contextmanager
def planned_anew(alias: str) -> Iterator[None]:
    """Statements in here are planned for their values and not kept by the server."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    driver = connection.connection
    before, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        with planned(alias, PLANNED):
            yield
    finally:
        driver.prepare_threshold = before


@contextmanager
def planned(alias: str, settings: Mapping[str, str]) -> Iterator[None]:
    """With settings of PostgreSQL, which end with a transaction: a pooler may give the next one another connection."""
    if not settings:
        yield
        return
    is_nested = connections[alias].in_atomic_block
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("; ".join(f"SET LOCAL {name} = {value}" for name, value in settings.items()))
        yield
        if is_nested:
            cursor.execute("; ".join(f"SET LOCAL {name} TO DEFAULT" for name in settings))
