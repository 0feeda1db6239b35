"""Fills a database with copies of one person, made by the database itself.

The person is made through the API: created, signed in a few times. Every row that tells of this person, in whatever table,
is copied under new ids and names, so that sizes and indexes are those of the product. What is sealed and what is digested
stays that of the first one: the copies can be found and listed, not opened or verified.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from tests.bench.rounds import say, working
from tests.bench.sides import Bench, Side, size
from tests.bench.wire import PASSWORD, House, Wire

NAME = "first0of0all"
FIELDS = ("givenName", "familyName", "nickName", "displayName")
CHUNK = 10_000
CONNECTIONS = 2
FACTS_OF_A_PERSON, FACTS_OF_A_SESSION = 2, 4
LEAVES = (
    "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
    " WHERE relkind = 'r' AND nspname = 'public' ORDER BY 1"
)
INDEXES = (
    "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
    " WHERE i.indrelid::regclass::text = ANY(%s) AND NOT i.indisunique"
    " AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = i.indexrelid)"
)
COUNTED = ("users_users", "eventstore_events", "eventstore_activity", "eventstore_claims", "oidc_access_tokens")


@dataclass(frozen=True)
class First:
    """The person that is copied: words of its rows, and what stands for each in copy `n`."""

    ids: tuple[str, ...]
    words: dict[str, str]


def get_ready(bench: Bench) -> None:
    """Prepare, and fill when rows are asked for, unless a run before did it."""
    if not bench.sides:
        with working():
            bench.prepare()
        users, facts = size()
        if users:
            load(bench.copy(), bench.house, users, facts)
    bench.is_ready = True


def load(side: Side, house: House, users: int, facts: int) -> None:
    """Copy; then the followers are set to the end of the log."""
    side.start()
    try:
        first = _first(side, house, max(0, (facts // users - FACTS_OF_A_PERSON) // FACTS_OF_A_SESSION))
    finally:
        side.stop()
    begun = time.monotonic()
    with psycopg.connect(side.dsn) as connection:
        statements = _copies(connection, first)
    say(f"each person has {len(statements)} rows in {len({table for table, _ in statements})} tables")
    indexes = _without_indexes(side, {table for table, _ in statements})
    _at_once([(_copy, side.dsn, [one for _, one in statements], start, users) for start in range(0, users, CHUNK)])
    say(f"copied after {time.monotonic() - begun:.0f} s; {len(indexes)} indexes are made anew")
    _at_once([(_index, side.dsn, one) for one in indexes])
    _follow(side)
    with psycopg.connect(side.dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        found = [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in COUNTED]  # type: ignore[index]
        size = connection.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchone()[0]  # type: ignore[index]
    if found[0] < users:
        raise SystemExit(f"{found[0]} of {users} users were loaded")
    told = ", ".join(f"{count} {name}" for count, name in zip(found, COUNTED, strict=True))
    say(f"loaded in {time.monotonic() - begun:.0f} s: {told}; {size}")


def _first(side: Side, house: House, sessions: int) -> First:
    """Make the person, and find out which words of its rows must differ in a copy."""
    wire = Wire(side.port, house)
    person = wire.create_user(PASSWORD, username=NAME, **dict.fromkeys(FIELDS, NAME))
    for _ in range(sessions):
        if wire.sign_in(person)[0] not in (200, 201):
            raise SystemExit("the first person could not sign in")
    time.sleep(6)  # the followers and the uses come after the answer
    with psycopg.connect(side.dsn) as connection:
        rows: Any = connection.execute
        sessions_of = rows("SELECT id, token_digest FROM users_sessions WHERE user_id = %s", [person]).fetchall()
        uses = rows("SELECT id, '' FROM eventstore_activity WHERE aggregate_id = %s", [person]).fetchall()
        tokens = rows("SELECT id, digest, family_id FROM oidc_access_tokens ORDER BY id LIMIT 1").fetchall()
    ids = [person, *(id for id, *_ in [*sessions_of, *uses, *tokens]), *(family for *_, family in tokens)]
    words = {id: _id_of(number) if id.isdigit() else _digest_of(number, 1) for number, id in enumerate(ids)}
    digests = [digest for _, digest, *_ in [*sessions_of, *tokens]]
    words |= {digest: _digest_of(number, 2) for number, digest in enumerate(digests, start=len(ids))}
    return First(tuple(ids), words | {house.robot: words[person], NAME: "md5(n::text)"})


def _id_of(number: int) -> str:
    """18 digits below those of now."""
    return f"(100000000000000000 + n * 100 + {number})::text"


def _digest_of(number: int, halves: int) -> str:
    return " || ".join(f"md5('{number}.{half}.' || n)" for half in range(halves))


def _copies(connection: Any, first: First) -> list[tuple[str, sql.Composed]]:
    """One INSERT for every row that names one of the ids."""
    tables = [name for (name,) in connection.execute(LEAVES).fetchall()]
    pattern = "|".join((*first.ids, NAME))
    found = []
    for table in tables:
        named = f"SELECT ctid::text, to_jsonb(t) FROM {table} t WHERE t::text ~ %s"
        for place, row in connection.execute(named, [pattern]).fetchall():
            found.append((table, _copy_of(table, place, row, first)))
    return found


def _copy_of(table: str, place: str, row: dict[str, Any], first: First) -> sql.Composed:
    """The INSERT: columns as they are, but for ids, names, positions and times."""
    kept = {name: _value(name, value, first) for name, value in row.items()}
    return sql.SQL(
        "INSERT INTO {} ({}) SELECT {} FROM {} AS t, generate_series(%(first)s::int, %(last)s::int) AS n"
        " WHERE t.ctid = {}"
    ).format(
        sql.SQL(table),
        sql.SQL(", ").join(map(sql.Identifier, kept)),
        sql.SQL(", ").join(kept.values()),
        sql.SQL(table),
        sql.Literal(place),
    )


def _value(name: str, value: Any, first: First) -> sql.Composable:
    column: sql.Composable = sql.SQL("t.") + sql.Identifier(name)
    if name == "position":
        return sql.SQL("nextval('eventstore_position_seq')")
    if name in ("created_at", "changed_at"):  # spread over the month, so that uses stay in its partition
        return sql.SQL("date_trunc('month', {0}) + ({0} - date_trunc('month', {0})) * (n::float8 / %(users)s)").format(
            column
        )
    words = [word for word in first.words if word in str(value)] if isinstance(value, str | dict) else []
    kind = "jsonb" if isinstance(value, dict) else "text"
    for word in words:
        column = sql.SQL("replace({}::text, {}, {})").format(column, sql.Literal(word), sql.SQL(first.words[word]))
    return sql.SQL("({})::" + kind).format(column) if words else column


def _without_indexes(side: Side, tables: Collection[str]) -> list[str]:
    """Take away indexes that promise nothing; answers how to make them again."""
    with psycopg.connect(side.dsn) as connection:
        found = connection.execute(INDEXES, [list(tables)]).fetchall()
        for name, _ in found:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(name)))
    return [definition for _, definition in found]


def _index(dsn: str, definition: str) -> None:
    with working(), psycopg.connect(dsn) as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute(definition)  # type: ignore[call-overload]


def _at_once(work: Iterable[tuple[Any, ...]]) -> None:
    """Calls and their arguments, over several connections."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for done in [pool.submit(*one) for one in work]:
            done.result()


def _copy(dsn: str, statements: Sequence[sql.Composed], start: int, users: int) -> None:
    """One chunk of people in one transaction."""
    values = {"first": start, "last": min(start + CHUNK, users) - 1, "users": users}
    with working(), psycopg.connect(dsn) as connection:
        for one in statements:
            connection.execute(one, values)


def _follow(side: Side) -> None:
    """An old database has its followers at the end of the log."""
    with psycopg.connect(side.dsn) as connection:
        connection.execute(
            "INSERT INTO projections_hours (instance_id, hour, facts)"
            " SELECT instance_id, date_trunc('hour', created_at), count(*) FROM eventstore_events GROUP BY 1, 2"
            " ON CONFLICT (instance_id, hour) DO UPDATE SET facts = excluded.facts"
        )
        for table in ("horizon", "heads", "checkpoints"):
            connection.execute(
                f"UPDATE projections_{table} SET position = (SELECT max(position) FROM eventstore_events)"
            )
        connection.execute("UPDATE projections_horizon SET waiting_below = 0, waiting_for = 0")
    say("the followers are set to the end of the log, where those of an old database are")
