"""What differs between PostgreSQL and SQLite when facts are appended. Everything else is the same code."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, OperationalError, connection

from eventstore.aggregates import ID, Claim
from eventstore.store import Conflict, Stream, Taken, Write

COLUMNS = (
    "instance_id, aggregate_type, aggregate_id, version, event_type, revision, owner, subject, payload, actor,"
    " created_at, context, digest"
)
CASTS = (
    "text",
    "text",
    "text",
    "bigint",
    "text",
    "smallint",
    "text",
    "text",
    "jsonb",
    "text",
    "timestamptz",
    "jsonb",
    "bytea",
)

Row = tuple[Any, ...]


def is_postgres() -> bool:
    """Which engine serves."""
    return connection.vendor == "postgresql"


def json_value(value: Any) -> str:
    """JSON as both drivers take it."""
    return json.dumps(value, ensure_ascii=False)


def time_value(at: datetime) -> Any:
    """A time as the driver takes it."""
    return connection.ops.adapt_datetimefield_value(at)


def stand_firm(writes: Sequence[Write]) -> None:
    """Hold the streams of a push that has guards, and check the guards.

    A guard promises that its stream does not move between this check and the commit, so the streams are locked,
    guards shared, in one order. The transaction id is taken first: positions come after it (DESIGN §4).
    """
    guards = [write for write in writes if not write.facts]
    if not guards:
        return
    with connection.cursor() as cursor:
        if is_postgres():
            cursor.execute(*_locks(writes))
        for guard in guards:
            stream = guard.stream
            cursor.execute(
                "SELECT max(version) FROM eventstore_events"
                " WHERE instance_id = %s AND aggregate_type = %s AND aggregate_id = %s",
                [stream.instance, stream.kind, stream.id],
            )
            if (cursor.fetchone()[0] or 0) != guard.expected:
                raise Conflict


def _locks(writes: Sequence[Write]) -> tuple[str, list[int]]:
    ordered = sorted((_lock_key(write.stream), not write.facts) for write in writes)
    calls = ", ".join(f"pg_advisory_xact_lock{'_shared' if shared else ''}(%s)" for _, shared in ordered)
    return f"SELECT pg_current_xact_id()::text, {calls}", [key for key, _ in ordered]


def _lock_key(stream: Stream) -> int:
    text = f"{stream.instance}/{stream.kind}/{stream.id}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big", signed=True)


def append(rows: Sequence[Row], streams: Sequence[Stream], drawn: Sequence[tuple[str, str]] = ()) -> list[int]:
    """Insert facts and answer their positions; raises Conflict when a version is taken.

    `drawn`: (instance, id) of what begins under an id of this server; raises Taken when somebody chose it before.
    """
    try:
        return _append_postgres(rows, streams, drawn) if is_postgres() else _append_sqlite(rows, drawn)
    except IntegrityError as taken:
        raise Conflict from taken
    except OperationalError as stuck:
        if "deadlock" in str(stuck):
            raise Conflict from stuck
        raise


def _append_postgres(rows: Sequence[Row], streams: Sequence[Stream], drawn: Sequence[tuple[str, str]]) -> list[int]:
    """One statement: take the transaction id and the stream locks, then number and insert the rows in order."""
    keys = sorted({_lock_key(stream) for stream in streams})
    locks = ", ".join("pg_advisory_xact_lock(%s)" for _ in keys)
    line = ", ".join(f"%s::{cast}" for cast in CASTS)
    values = ", ".join(f"({number}, {line})" for number in range(len(rows)))
    sql = (
        f"WITH held AS MATERIALIZED (SELECT pg_current_xact_id()::text AS x, {locks})"  # noqa: S608 - numbers and casts only
        f" INSERT INTO eventstore_events ({COLUMNS}, position)"
        f" SELECT {COLUMNS}, nextval('eventstore_position_seq')"
        f" FROM (SELECT v.* FROM held CROSS JOIN (VALUES {values}) AS v (line, {COLUMNS}) ORDER BY v.line) AS ready"
        f" RETURNING position, {_chosen_before(drawn)}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*keys, *(value for row in rows for value in row), *_values(drawn)])
        made = cursor.fetchall()
    _must_be_new(made[0][1])
    return sorted(position for position, _ in made)


def _append_sqlite(rows: Sequence[Row], drawn: Sequence[tuple[str, str]]) -> list[int]:
    """SQLite has one writer: the next position is the highest plus one, and there are no gaps."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(max(position), 0), {_chosen_before(drawn)} FROM eventstore_events",  # noqa: S608 - marks only
            _values(drawn),
        )
        last, chosen = cursor.fetchone()
        _must_be_new(chosen)
        marks = ", ".join(["%s"] * len(rows[0]))
        cursor.executemany(
            f"INSERT INTO eventstore_events ({COLUMNS}, position) VALUES ({marks}, %s)",  # noqa: S608 - column names
            [(*row, last + number) for number, row in enumerate(rows, start=1)],
        )
    return list(range(last + 1, last + 1 + len(rows)))


def _chosen_before(drawn: Sequence[tuple[str, str]]) -> str:
    """SQL: one of these ids that somebody chose, or NULL."""
    if not drawn:
        return "NULL"
    pairs = " OR ".join(["(eventstore_claims.scope = %s AND value = %s)"] * len(drawn))
    return f"(SELECT min(value) FROM eventstore_claims WHERE kind = '{ID}' AND ({pairs}))"  # noqa: S608 - marks only


def _values(drawn: Sequence[tuple[str, str]]) -> list[str]:
    return [value for pair in drawn for value in pair]


def _must_be_new(chosen: str | None) -> None:
    if chosen is not None:
        raise Taken(Claim(ID, chosen, "id.taken"))
