"""Indexes that find rows by any part of their texts, where PostgreSQL has the extension pg_trgm (decision 0005).

Set-up makes what is missing after every migration: the extension, if the database user may (it is a trusted one: whoever
owns the database may), and the indexes, beside running programs. Where it may not, lists answer the same, slowly for
parts of long texts; the doctor says so, and the next set-up goes on from there. One index holds all texts of a table, and
serves questions with regard to case and without (iam/api/texts.py). SQLite has nothing alike.
"""

import logging
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connections, models, transaction

SAMPLES = 1000
"""How finely the planner knows the texts: one in SAMPLES of them is told apart. PostgreSQL's own is 100."""
PENDING_KILOBYTES = 1024
"""New rows wait in a list of that length, which every search reads, until they are sorted in."""
BUILDING_MEGABYTES = 256
"""Memory that PostgreSQL may use while it makes an index; with its own default it takes twice the time."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trigrams:
    """An index over texts of a table."""

    name: str
    table: type[models.Model]
    columns: tuple[str, ...]


_kept: list[Trigrams] = []


def keep(name: str, table: type[models.Model], *columns: str) -> None:
    """Declare an index; set-up makes it."""
    _kept.append(Trigrams(name, table, columns))


def put(using: str = "default") -> None:
    """Make what is missing. Costs two statements when all is there."""
    connection = connections[using]
    if connection.vendor != "postgresql" or not (missing := lacking(using)):
        return
    if not has_extension(using) and not _make_extension(using):
        return
    with connection.cursor() as cursor:
        for one in missing:
            _make(cursor, one, alongside="" if connection.in_atomic_block else "CONCURRENTLY")


def has_extension(using: str = "default") -> bool:
    """Whether the database has pg_trgm."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        return cursor.fetchone() is not None


def lacking(using: str = "default") -> list[Trigrams]:
    """The declared indexes of tables that exist which are not there, or were not finished."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indisvalid AND indexrelid::regclass::text = ANY(%s)",
            [[one.name for one in _kept]],
        )
        there = {name for (name,) in cursor.fetchall()}
    tables = set(connections[using].introspection.table_names()) if len(there) < len(_kept) else set()
    return [one for one in _kept if one.name not in there and one.table._meta.db_table in tables]


def _make_extension(using: str) -> bool:
    """Whether it could be made."""
    try:
        with transaction.atomic(using), connections[using].cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as failure:  # no right to, or the server's package without it
        log.warning("the database goes without pg_trgm: %s", str(failure).splitlines()[0])
        return False
    return True


def _make(cursor: Any, one: Trigrams, *, alongside: str) -> None:
    table, columns = one.table._meta.db_table, ", ".join(f"{name} gin_trgm_ops" for name in one.columns)
    cursor.execute(f"DROP INDEX {alongside} IF EXISTS {one.name}")
    cursor.execute(f"SET maintenance_work_mem = '{BUILDING_MEGABYTES}MB'")
    cursor.execute(
        f"CREATE INDEX {alongside} {one.name} ON {table} USING gin ({columns})"
        f" WITH (gin_pending_list_limit = {PENDING_KILOBYTES})"
    )
    cursor.execute("RESET maintenance_work_mem")
    finer = [f"ALTER COLUMN {name} SET STATISTICS {SAMPLES}" for name in one.columns]
    cursor.execute(f"ALTER TABLE {table} {', '.join(finer)}")
    cursor.execute(f"ANALYZE {table}")
