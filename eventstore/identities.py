"""One name space for the ids of an instance: whatever begins has an id that nothing else has or had.

An id that this server draws is new, so it costs nothing more: only that nobody chose the same one before is looked at,
in the statement that appends. One that was chosen elsewhere (`Drawn` it is not) is claimed for ever, and looked up among
all that there is. Ids of things inside a stream are claimed as well, since the log cannot be asked for them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from eventstore.aggregates import ID, Claim, kinds_with_own_id
from eventstore.store import Drawn, Taken, Write

NAMES = ("usernames",)
"""Kinds of claims whose values are typed where ids are typed, too: an id that is one would lead to two things."""


@dataclass(frozen=True)
class Chosen:
    """An id that was not drawn here, of a thing that begins in a stream of a kind, or that is the stream itself."""

    instance: str
    id: str
    kind: str
    is_stream: bool


def id_claims(write: Write) -> frozenset[Claim]:
    """The claims of what begins. The stream of a drawn id needs none: the log tells that it is there."""
    claimed = (id for id in write.ids if not (id == write.stream.id and isinstance(id, Drawn)))
    return frozenset(_claim(id) for id in claimed)


def drawn_streams(writes: Iterable[Write]) -> list[tuple[str, str]]:
    """(instance, id) of what begins under an id that was drawn here."""
    streams = (write.stream for write in writes if write.stream.id in write.ids)
    return [(stream.instance, stream.id) for stream in streams if isinstance(stream.id, Drawn)]


def must_be_free(writes: Sequence[Write]) -> None:
    """Raises Taken when a chosen id is that of another thing, or a name that leads to somebody."""
    chosen = [_chosen(write, id) for write in writes for id in sorted(write.ids) if not isinstance(id, Drawn)]
    for instance in sorted({one.instance for one in chosen}):
        here = [one for one in chosen if one.instance == instance]
        _must_differ(here)
        found = _holders(instance, {one.id for one in here})
        for one in here:
            own = {(one.kind, one.id)} if one.is_stream else set()
            if any(id.casefold() == one.id.casefold() and (kind, id) not in own for kind, id in found):
                raise Taken(_claim(one.id))


def _must_differ(chosen: Sequence[Chosen]) -> None:
    """Two things that begin together may not have the same id either."""
    seen: set[str] = set()
    for one in chosen:
        if one.id.casefold() in seen:
            raise Taken(_claim(one.id))
        seen.add(one.id.casefold())


def _chosen(write: Write, id: str) -> Chosen:
    return Chosen(write.stream.instance, id, write.stream.kind, id == write.stream.id)


def _claim(id: str) -> Claim:
    return Claim(ID, id, "id.taken")


def _holders(instance: str, ids: Collection[str]) -> set[tuple[str, str]]:
    """(kind, id) of the streams, and of the names, that have one of these ids. One statement."""
    kinds = sorted(kinds_with_own_id())
    wanted, folded = sorted(ids), sorted({id.casefold() for id in ids})
    sql = (
        f"SELECT aggregate_type, aggregate_id FROM eventstore_events WHERE eventstore_events.instance_id = %s"  # noqa: S608 - marks only
        f" AND aggregate_type IN ({_marks(kinds)}) AND aggregate_id IN ({_marks(wanted)}) AND version = 1"
        f" UNION ALL SELECT kind, value FROM eventstore_claims WHERE eventstore_claims.scope = %s"
        f" AND kind IN ({_marks(NAMES)}) AND value IN ({_marks(folded)})"
    )
    values = [instance, *kinds, *wanted, instance, *NAMES, *folded]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return set(cursor.fetchall())


def _marks(values: Collection[str]) -> str:
    return ", ".join(["%s"] * len(values))
