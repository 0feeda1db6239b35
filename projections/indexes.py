"""Indexes of long lists beyond those that a migration makes, on PostgreSQL (decision 0005).

Set-up makes what is missing after every migration, beside running programs, which go on writing meanwhile. SQLite has
nothing alike. There are three shapes:

- `Trigrams` finds rows by any part of their texts. One index holds all texts of a table, and serves questions with
  regard to case and without (projections/texts.py). It takes the extension pg_trgm, which set-up makes if the database user
  may (it is a trusted one: whoever owns the database may). Where it may not, lists answer the same, slowly for parts of
  long texts; the doctor says so, and the next set-up goes on from there.
- `BesideIds` lets a page far behind be counted off in the order of the ids without reading the table. An index row holds
  2,704 bytes at most, so not all texts of a row stand in one.
- `Ends` finds rows by the end of a text that often ends alike, as addresses do: few of its trigrams are rare.
"""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import DatabaseError, connections, models, transaction

SAMPLES = 1000
"""How finely the planner knows the texts: one in SAMPLES of them is told apart. PostgreSQL's own is 100."""
PENDING_KILOBYTES = 1024
"""New rows wait in a list of that length, which every search reads, until they are sorted in."""
BUILDING_MEGABYTES = 256
"""Memory that PostgreSQL may use while it makes an index; with its own default it takes twice the time."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Index:
    """What set-up makes in a table; `rows` says how an index row is made of a table's."""

    name: str
    table: type[models.Model]
    takes_extension: ClassVar[bool] = False

    @property
    def rows(self) -> str:
        """The kind of the index and what it holds, as CREATE INDEX takes it."""
        raise NotImplementedError

    @property
    def finer(self) -> str:
        """The statement that lets the planner know what is held more finely; empty where it need not."""
        return ""


@dataclass(frozen=True)
class Trigrams(Index):
    """Parts of texts of a table."""

    columns: tuple[str, ...]
    takes_extension = True

    @property
    def rows(self) -> str:
        """All texts, in pieces."""
        held = ", ".join(f"{column} gin_trgm_ops" for column in self.columns)
        return f"gin ({held}) WITH (gin_pending_list_limit = {PENDING_KILOBYTES})"

    @property
    def finer(self) -> str:
        """Each text by itself."""
        columns = [f"ALTER COLUMN {name} SET STATISTICS {SAMPLES}" for name in self.columns]
        return f"ALTER TABLE {self.table._meta.db_table} {', '.join(columns)}"


@dataclass(frozen=True)
class BesideIds(Index):
    """Columns beside the ids of a table, in their order."""

    columns: tuple[str, ...]

    @property
    def rows(self) -> str:
        """The ids, and what is read with them."""
        return f"btree (instance_id, id) INCLUDE ({', '.join(self.columns)})"


@dataclass(frozen=True)
class Ends(Index):
    """The end of a text, written backwards; `in_any_case` in small letters."""

    column: str
    in_any_case: bool = False

    @property
    def rows(self) -> str:
        """The text backwards, to be found by its beginning in any collation."""
        return f"btree (instance_id, {backwards(self.column, in_any_case=self.in_any_case)} text_pattern_ops)"

    @property
    def finer(self) -> str:
        """The text backwards, the second of what the index holds."""
        return f"ALTER INDEX {self.name} ALTER COLUMN 2 SET STATISTICS {SAMPLES}"


_kept: list[Index] = []


def keep(*declared: Index) -> None:
    """Declare indexes; set-up makes them."""
    _kept.extend(declared)


def backwards(column: str, *, in_any_case: bool) -> str:
    """The expression by which an end is found: of a column, or SQL that stands for one."""
    return f"reverse(lower({column}))" if in_any_case else f"reverse({column})"


def know_ends_of(field: Any, *, in_any_case: bool) -> bool:
    """Whether an index finds the ends of a model's field."""
    asked = (field.model, field.column, in_any_case)
    return any(isinstance(one, Ends) and (one.table, one.column, one.in_any_case) == asked for one in _kept)


def put(using: str = "default") -> None:
    """Make what is missing. Costs two statements when all is there."""
    connection = connections[using]
    if connection.vendor != "postgresql" or not (missing := lacking(using)):
        return
    if any(one.takes_extension for one in missing) and not (has_extension(using) or _make_extension(using)):
        missing = [one for one in missing if not one.takes_extension]
    with connection.cursor() as cursor:
        for one in missing:
            _make(cursor, one, alongside="" if connection.in_atomic_block else "CONCURRENTLY")
        for table in dict.fromkeys(one.table._meta.db_table for one in missing):
            cursor.execute(f"ANALYZE {table}")


def has_extension(using: str = "default") -> bool:
    """Whether the database has pg_trgm."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        return cursor.fetchone() is not None


def lacking(using: str = "default") -> list[Index]:
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


def _make(cursor: Any, one: Index, *, alongside: str) -> None:
    table = one.table._meta.db_table
    cursor.execute(f"DROP INDEX {alongside} IF EXISTS {one.name}")
    cursor.execute(f"SET maintenance_work_mem = '{BUILDING_MEGABYTES}MB'")
    cursor.execute(f"CREATE INDEX {alongside} {one.name} ON {table} USING {one.rows}")
    cursor.execute("RESET maintenance_work_mem")
    if one.finer:
        cursor.execute(one.finer)
