"""One name space for the ids of an instance: whatever begins has an id that nothing else has or had.

An id that this server draws is new, so it costs nothing more: only that nobody chose the same one before is looked at,
in the statement that appends. One that was chosen elsewhere (`Drawn` it is not) is claimed for ever, and looked up among
all that there is. Ids of things inside a stream are claimed as well, since the log cannot be asked for them.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection

from eventstore.aggregates import ID, Claim, kinds_with_own_id
from eventstore.store import Drawn, Taken, Write

NAMES = ("usernames",)
"""Kinds of claims whose values are typed where ids are typed, too: an id that is one would lead to two things."""


@dataclass(frozen=True)
class Chosen:
    """An id that was not drawn here, of a thing that is a stream (of a kind), or is inside one (no kind)."""

    instance: str
    id: str
    kind: str = ""


def id_claims(write: Write) -> frozenset[Claim]:
    """The claims of what begins. The stream of a drawn id needs none: the log tells that it is there."""
    own = {write.stream.id} if write.begins and not isinstance(write.stream.id, Drawn) else set()
    return frozenset(_claim(id) for id in write.ids | own)


def drawn_streams(writes: Iterable[Write]) -> list[tuple[str, str]]:
    """(instance, id) of what begins under an id that was drawn here."""
    streams = (write.stream for write in writes if write.begins)
    return [(stream.instance, stream.id) for stream in streams if isinstance(stream.id, Drawn)]


def must_be_free(writes: Sequence[Write]) -> None:
    """Raises Taken when a chosen id is that of another thing, or a name that leads to somebody."""
    chosen = [one for write in writes for one in _chosen(write) if not isinstance(one.id, Drawn)]
    for instance in sorted({one.instance for one in chosen}):
        here = [one for one in chosen if one.instance == instance]
        _must_differ(here)
        found = _holders(instance, {one.id for one in here})
        for one in here:
            if any(id.casefold() == one.id.casefold() and (kind, id) != (one.kind, one.id) for kind, id in found):
                raise Taken(_claim(one.id))


def _must_differ(chosen: Sequence[Chosen]) -> None:
    """Two things that begin together may not have the same id either."""
    seen: set[str] = set()
    for one in chosen:
        if one.id.casefold() in seen:
            raise Taken(_claim(one.id))
        seen.add(one.id.casefold())


def _chosen(write: Write) -> Iterator[Chosen]:
    if write.begins:
        yield Chosen(write.stream.instance, write.stream.id, write.stream.kind)
    for id in sorted(write.ids):
        yield Chosen(write.stream.instance, id)


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
