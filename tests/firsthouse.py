"""The rows that set-up makes, kept as statements: a process sets up once, and puts the same rows back for every other test.

Each test's transaction takes them away again. Whatever set-up does by itself, its own tests call it (tests/setup).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import connection

from iam.vault import wiring

MADE_BY_TRIGGERS = ("cache_epochs",)
ROWS_AT_ONCE = 100


@dataclass
class FirstHouse:
    """What was made: statements that insert it, the numbers that followed, and the keys that set-up leaves in memory."""

    statements: list[str] = field(default_factory=list)
    unwrapped: dict[tuple[str, str], bytes] = field(default_factory=dict)
    current: dict[tuple[str, str], str] = field(default_factory=dict)
    persons: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def put_back(self) -> None:
        """Insert the rows and remember the keys."""
        with connection.cursor() as cursor:
            for statement in self.statements:
                cursor.execute(statement)
        now, envelope = time.monotonic(), wiring.envelope()
        envelope._by_id.update(self.unwrapped)
        envelope._current.update({key: (id, now) for key, id in self.current.items()})
        wiring.store().persons._kept.update({key: (now, kept) for key, kept in self.persons.items()})


def kept(make: Callable[[], None]) -> FirstHouse:
    """Make it, and keep what came."""
    wiring.ports().new_id()  # the process leases its slot for ids before, which is no part of a house
    before, numbers = {table: _count(table) for table in _tables()}, _numbers()
    make()
    envelope, persons = wiring.envelope(), wiring.store().persons
    made = FirstHouse(
        unwrapped=dict(envelope._by_id),
        current={key: id for key, (id, _) in envelope._current.items()},
        persons={key: kept for key, (_, kept) in persons._kept.items()},
    )
    for table, count in before.items():
        if _count(table) != count:
            assert not count, f"{table} had rows before the set-up"
            made.statements += _inserts(table)
    changed = {name: number for name, number in _numbers().items() if number != numbers[name]}
    made.statements += [f"SELECT setval('{name}', {number})" for name, number in changed.items()]
    if connection.vendor == "postgresql":
        made.statements = [";\n".join(made.statements)]  # on its way once
    return made


def _tables() -> list[str]:
    """Every table but partitions, which their parent shows."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_list(cursor)
    return sorted(one.name for one in found if one.type == "t" and one.name not in MADE_BY_TRIGGERS)


def _rows(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _count(table: str) -> int:
    return _rows(f'SELECT count(*) FROM "{table}"')[0][0]


def _numbers() -> dict[str, int]:
    """Where PostgreSQL's sequences stand. SQLite numbers by what is in the table."""
    if connection.vendor != "postgresql":
        return {}
    return dict(_rows("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"))


def _inserts(table: str) -> Iterator[str]:
    """The rows of a table as statements; the database itself writes its values as literals."""
    if connection.vendor == "postgresql":
        asked = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' AND is_generated = 'NEVER'"
        literal = 'quote_nullable("{}"::text)'
    else:
        asked = f"SELECT name FROM pragma_table_xinfo('{table}') WHERE hidden = 0"
        literal = 'quote("{}")'
    columns = [name for (name,) in _rows(asked)]
    values = " || ', ' || ".join(literal.format(name) for name in columns)
    lines = [f"({line})" for (line,) in _rows(f'SELECT {values} FROM "{table}"')]
    names = ", ".join(f'"{name}"' for name in columns)
    for start in range(0, len(lines), ROWS_AT_ONCE):
        yield f'INSERT INTO "{table}" ({names}) VALUES {", ".join(lines[start : start + ROWS_AT_ONCE])}'
