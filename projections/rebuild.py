"""Replays a projection into shadow tables while the server serves, compares, and swaps under a short lock (DESIGN §4)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, models, transaction

from eventstore.database import DatabaseStore
from eventstore.reading import facts_after, hold_still
from projections.projection import Projection


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
        facts, last = _replay(store, projection, 0)
        with transaction.atomic():
            hold_still()
            more, _ = _replay(store, projection, last)
            replayed = {name: _rows(_shadow(name)) for name in _tables(projection)}
            different = tuple(name for name, rows in replayed.items() if rows != _rows(name))
            if swap:
                _swap(projection)
        return Rebuilt(facts + more, {name: len(rows) for name, rows in replayed.items()}, different)
    finally:
        _drop(projection)


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


def _replay(store: DatabaseStore, projection: Projection, after: int) -> tuple[int, int]:
    count, last = 0, after
    for recorded in facts_after(store, after):
        with _into_shadow(projection):
            projection.apply(recorded)
        count, last = count + 1, recorded.position
    return count, last


def _create(projection: Projection) -> None:
    with connection.cursor() as cursor:
        for name in _tables(projection):
            if connection.vendor == "postgresql":
                cursor.execute(f'CREATE TABLE "{_shadow(name)}" (LIKE "{name}" INCLUDING DEFAULTS)')
                continue
            cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", [name])
            cursor.execute(cursor.fetchone()[0].replace(f'"{name}"', f'"{_shadow(name)}"', 1))


def _drop(projection: Projection) -> None:
    with connection.cursor() as cursor:
        for name in _tables(projection):
            cursor.execute(f'DROP TABLE IF EXISTS "{_shadow(name)}"')


def _rows(table: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our tables
        return sorted(tuple(_plain(value) for value in row) for row in cursor.fetchall())


def _plain(value: object) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else repr(value)


def _swap(projection: Projection) -> None:
    with connection.cursor() as cursor:
        for name in _tables(projection):
            cursor.execute(f'DELETE FROM "{name}"')  # noqa: S608 - our tables
            cursor.execute(f'INSERT INTO "{name}" SELECT * FROM "{_shadow(name)}"')  # noqa: S608 - our tables
