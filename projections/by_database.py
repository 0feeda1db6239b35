"""What triggers of the database keep, whoever writes (decision 0005): copies of columns, or tables made from others.

Set-up makes the triggers that are missing, and fills what they keep from what was there before. It looks after every
migration: SQLite loses triggers when it makes a table anew. It takes them away before: SQLite renames no table while a
trigger names one that is being made anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction


@dataclass(frozen=True)
class Kept:
    """The triggers by engine and name, the columns of each table that must be there for them, and what fills."""

    triggers: Mapping[str, Mapping[str, str]]
    columns: Mapping[str, tuple[str, ...]]
    fill: Callable[[str], None]


def put(kept: Kept, using: str) -> None:
    """Make the triggers that are missing, and fill then. Costs a statement when all are there."""
    if make(kept, using):
        kept.fill(using)


def make(kept: Kept, using: str) -> bool:
    """Make the triggers that are missing, and tell whether there were any."""
    connection = connections[using]
    with connection.cursor() as cursor:
        is_postgres = connection.vendor == "postgresql"
        cursor.execute("SELECT tgname FROM pg_trigger" if is_postgres else "SELECT name FROM sqlite_master")
        known = {name for (name,) in cursor.fetchall()}
    missing = {name: sql for name, sql in kept.triggers[connection.vendor].items() if name not in known}
    if not missing or not _has_columns(connection, kept.columns):
        return False
    with transaction.atomic(using), connection.cursor() as cursor:
        for sql in missing.values():
            cursor.execute(sql)
    return True


def take_away(kept: Kept, using: str) -> None:
    """Drop the triggers on SQLite, whose tables are made anew by migrations; `put` makes them again and fills."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        with transaction.atomic(using), connection.cursor() as cursor:
            for name in kept.triggers[connection.vendor]:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def in_turns(using: str, table: str, at_once: int, fill: Callable[[Any, str, list[str]], None]) -> None:
    """Fill for some rows of a table after the other, so that running programs never wait long.

    `fill` gets a cursor in a transaction of its own, the condition that tells the rows, and its values.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT instance_id FROM {table}")  # noqa: S608 - our names
        instances = [instance for (instance,) in cursor.fetchall()]
    for instance in instances:  # PostgreSQL knows how many rows lie between two ids, but not between two pairs
        at: str | None = ""
        while at is not None:
            with transaction.atomic(using), connections[using].cursor() as cursor:
                at = _fill_some(cursor, table, at_once, instance, at, fill)


def _fill_some(cursor: Any, table: str, at_once: int, instance: str, after: str, fill: Any) -> str | None:
    """Answers the last id; nothing if no more may follow."""
    cursor.execute(
        f"SELECT id FROM {table} WHERE instance_id = %s AND id > %s ORDER BY id LIMIT 1 OFFSET %s",  # noqa: S608 - our names
        [instance, after, at_once - 1],
    )
    (until,) = cursor.fetchone() or (None,)
    upper, values = ("", []) if until is None else (f" AND {table}.id <= %s", [until])
    fill(cursor, f"{table}.instance_id = %s AND {table}.id > %s{upper}", [instance, after, *values])
    return until


def _has_columns(connection: Any, columns: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the migrations that add them have run: set-up may end at an older one."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        return tables.issuperset(columns) and all(
            {one.name for one in connection.introspection.get_table_description(cursor, table)}.issuperset(wanted)
            for table, wanted in columns.items()
        )
