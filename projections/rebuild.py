"""Replays a projection into shadow tables while the server serves, compares, and swaps under a short lock (DESIGN §4)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from django.db import connection, models, transaction

from eventstore.database import DatabaseStore
from eventstore.reading import facts_after, hold_still
from eventstore.store import Recorded
from projections import horizon
from projections.models import Checkpoint
from projections.projection import CELERY, Projection

AT_ONCE = 500


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild found: facts replayed, rows per table, and the tables that differed."""

    facts: int
    rows: dict[str, int]
    different: tuple[str, ...]


def rebuild(store: DatabaseStore, projection: Projection, *, swap: bool = True) -> Rebuilt:
    """Replay and compare; with `swap` the shadow rows replace the live ones."""
    _drop(projection)
    _create(projection)
    try:
        replay = _replay_followed if projection.mode == CELERY else _replay_immediate
        with replay(store, projection) as facts:
            columns = _replayed(projection)
            replayed = {name: _rows(_shadow(name), columns[name]) for name in columns}
            different = tuple(name for name in columns if replayed[name] != _rows(name, columns[name]))
            if swap:
                _swap(projection)
        return Rebuilt(facts, {name: len(rows) for name, rows in replayed.items()}, different)
    finally:
        _drop(projection)


@contextmanager
def _replay_immediate(store: DatabaseStore, projection: Projection) -> Iterator[int]:
    """Replay what is settled while others write, the rest while they wait."""
    horizon.advance()
    settled = horizon.reached()
    facts = _apply(projection, facts_after(store, 0, settled))
    with transaction.atomic():
        hold_still()
        yield facts + _apply(projection, facts_after(store, settled))


@contextmanager
def _replay_followed(store: DatabaseStore, projection: Projection) -> Iterator[int]:
    """Replay each instance up to its checkpoint; only the projection's own followers wait."""
    with transaction.atomic():
        held = list(Checkpoint.objects.select_for_update().filter(projection=projection.name))
        yield sum(_apply(projection, facts_after(store, 0, row.position, row.instance_id)) for row in held)


def _tables(projection: Projection) -> list[str]:
    return [model._meta.db_table for model in projection.tables]


def _shadow(table: str) -> str:
    return f"{table}_shadow"


@contextmanager
def _into_shadow(projection: Projection) -> Iterator[None]:
    """In this process the projection's models write to the shadow tables."""
    names = [(model, model._meta.db_table) for model in projection.tables]
    for model, name in names:
        _point(model, _shadow(name))
    try:
        yield
    finally:
        for model, name in names:
            _point(model, name)


def _point(model: type[models.Model], table: str) -> None:
    """Let a model read and write another table; its fields remember theirs, so they forget it."""
    model._meta.db_table = table
    for field in model._meta.get_fields():
        field.__dict__.pop("cached_col", None)


def _apply(projection: Projection, facts: Iterable[Recorded]) -> int:
    count, rest = 0, iter(facts)
    while some := list(islice(rest, AT_ONCE)):
        with transaction.atomic(), _into_shadow(projection):
            projection.apply_all(some)
        count += len(some)
    return count


def _create(projection: Projection) -> None:
    with connection.cursor() as cursor:
        for name in _tables(projection):
            if connection.vendor == "postgresql":
                cursor.execute(f'CREATE TABLE "{_shadow(name)}" (LIKE "{name}" INCLUDING DEFAULTS INCLUDING INDEXES)')
                continue
            cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", [name])
            cursor.execute(cursor.fetchone()[0].replace(f'"{name}"', f'"{_shadow(name)}"', 1))


def _drop(projection: Projection) -> None:
    with connection.cursor() as cursor:
        for name in _tables(projection):
            cursor.execute(f'DROP TABLE IF EXISTS "{_shadow(name)}"')


def _replayed(projection: Projection) -> dict[str, list[str]]:
    """The columns of each table that facts fill."""
    return {
        model._meta.db_table: [
            one.column for one in model._meta.concrete_fields if one.column and one.column not in projection.by_database
        ]
        for model in projection.tables
    }


def _rows(table: str, columns: list[str]) -> list[tuple[str, ...]]:
    wanted = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT {wanted} FROM "{table}"')  # noqa: S608 - our tables
        return sorted(tuple(_plain(value) for value in row) for row in cursor.fetchall())


def _plain(value: object) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else repr(value)


def _swap(projection: Projection) -> None:
    with connection.cursor() as cursor:
        for name in _tables(projection):
            cursor.execute(f'DELETE FROM "{name}"')  # noqa: S608 - our tables
            cursor.execute(f'INSERT INTO "{name}" SELECT * FROM "{_shadow(name)}"')  # noqa: S608 - our tables
