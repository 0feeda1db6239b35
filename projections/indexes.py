"""Indexes of long lists beyond those that a migration makes, on PostgreSQL (decision 0005).

Set-up makes what is missing after every migration, beside running programs, which go on writing meanwhile. SQLite has
nothing alike. There are three shapes:

- `Trigrams` finds rows by any part of their texts. One index holds all texts of a table, and serves questions with
  regard to case and without (projections/texts.py). It takes the extension pg_trgm, which set-up makes if the database user
  may (it is a trusted one: whoever owns the database may). Where it may not, lists answer the same, slowly for parts of
  long texts; the doctor says so, and the next set-up goes on from there.
- `BesideIds` lets a page far behind be counted off in the order of the ids without reading the table. An index row holds
  2,704 bytes at most, so not all texts of a row stand in one.
- `Beginnings` and `Ends` find rows by the beginning of a text, or its end, in any case, and by the whole text; beside it
  stand the id and the text, so that a tenth of a table is found without reading the table.
"""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import DatabaseError, connections, models, transaction

SAMPLES = 1000
"""How finely the planner knows the texts: one in SAMPLES of them is told apart. PostgreSQL's own is 100."""
HEAD = 32
"""Letters of a text that are a beginning: 128 bytes at most, which leave room for the longest id and name."""
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
class Beginnings(Index):
    """The beginning of a text in small letters; with it the id, the text as it is, and what is asked for together with it."""

    column: str
    beside: tuple[str, ...] = ()

    @property
    def rows(self) -> str:
        """The beginning, to be found in any collation."""
        beside = ", ".join((self.column, *self.beside))
        return f"btree (instance_id, ({self.head(self.column)}) text_pattern_ops, id) INCLUDE ({beside})"

    @property
    def finer(self) -> str:
        """The beginning, the second of what the index holds."""
        return f"ALTER INDEX {self.name} ALTER COLUMN 2 SET STATISTICS {SAMPLES}"

    @staticmethod
    def head(text: str) -> str:
        """What is found of a text, which is a column or another expression of SQL."""
        return f"left(lower({text}), {HEAD})"


@dataclass(frozen=True)
class Ends(Beginnings):
    """The same of a text written backwards."""

    @staticmethod
    def head(text: str) -> str:
        """The end, backwards."""
        return f"left(reverse(lower({text})), {HEAD})"


_kept: list[Index] = []
_retired: list[str] = []


def keep(*declared: Index) -> None:
    """Declare indexes; set-up makes them."""
    _kept.extend(declared)


def retire(*names: str) -> None:
    """Declare indexes of before that others have taken the place of; set-up drops them."""
    _retired.extend(names)


def heads_of(field: Any, kind: type[Beginnings]) -> Beginnings | None:
    """The index that finds beginnings of a model's field, or ends, if there is one."""
    asked = (field.model, field.column)
    return next((one for one in _kept if type(one) is kind and (one.table, one.column) == asked), None)


def put(using: str = "default") -> None:
    """Make what is missing, then drop what is retired. Costs two statements when there is nothing to do."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    alongside = "" if connection.in_atomic_block else "CONCURRENTLY"
    if missing := lacking(using):
        _make_all(missing, using, alongside)
    with connection.cursor() as cursor:
        for name in _there(_retired, using):
            cursor.execute(f"DROP INDEX {alongside} IF EXISTS {name}")


def _make_all(missing: list[Index], using: str, alongside: str) -> None:
    if any(one.takes_extension for one in missing) and not (has_extension(using) or _make_extension(using)):
        missing = [one for one in missing if not one.takes_extension]
    with connections[using].cursor() as cursor:
        for one in missing:
            _make(cursor, one, alongside)
        for table in dict.fromkeys(one.table._meta.db_table for one in missing):
            cursor.execute(f"ANALYZE {table}")


def has_extension(using: str = "default") -> bool:
    """Whether the database has pg_trgm."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        return cursor.fetchone() is not None


def lacking(using: str = "default") -> list[Index]:
    """The declared indexes of tables that exist which are not there, or were not finished."""
    there = _there([one.name for one in _kept], using)
    tables = set(connections[using].introspection.table_names()) if len(there) < len(_kept) else set()
    return [one for one in _kept if one.name not in there and one.table._meta.db_table in tables]


def _there(names: list[str], using: str) -> set[str]:
    """Which of some indexes there are, finished."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indisvalid AND indexrelid::regclass::text = ANY(%s)",
            [names],
        )
        return {name for (name,) in cursor.fetchall()}


def _make_extension(using: str) -> bool:
    """Whether it could be made."""
    try:
        with transaction.atomic(using), connections[using].cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as failure:  # no right to, or the server's package without it
        log.warning("the database goes without pg_trgm: %s", str(failure).splitlines()[0])
        return False
    return True


def _make(cursor: Any, one: Index, alongside: str) -> None:
    table = one.table._meta.db_table
    cursor.execute(f"DROP INDEX {alongside} IF EXISTS {one.name}")
    cursor.execute(f"SET maintenance_work_mem = '{BUILDING_MEGABYTES}MB'")
    cursor.execute(f"CREATE INDEX {alongside} {one.name} ON {table} USING {one.rows}")
    cursor.execute("RESET maintenance_work_mem")
    if one.finer:
        cursor.execute(one.finer)
