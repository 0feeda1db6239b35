"""Facts by position, for whoever replays or follows the log."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q

from eventstore.database import DatabaseStore
from eventstore.models import EventRow
from eventstore.store import Recorded, Stream

CHUNK = 500


def facts_after(store: DatabaseStore, position: int, upto: int | None = None, instance: str = "") -> Iterator[Recorded]:
    """Every fact after a position, in order; `upto` is the last one. Of all instances unless one is named."""
    while True:
        found = some_facts(store, position, upto, instance, CHUNK)
        if not found:
            return
        yield from found
        position = found[-1].position


def hold_still() -> None:
    """Keep others from appending until this transaction ends; SQLite's immediate transaction does so anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE eventstore_events IN SHARE MODE")


def last_position() -> int:
    """The highest position that is visible; 0 for an empty log."""
    return EventRow.objects.order_by("-position").values_list("position", flat=True).first() or 0


def positions_after(position: int, limit: int) -> list[tuple[int, str]]:
    """Positions after one, in order, each with its instance."""
    rows = EventRow.objects.filter(position__gt=position).order_by("position")
    return list(rows.values_list("position", "instance_id")[:limit])


def some_facts(store: DatabaseStore, position: int, upto: int | None, instance: str, limit: int) -> list[Recorded]:
    """The first facts of what `facts_after` reads."""
    wanted = Q(instance_id=instance) if instance else Q()
    wanted &= Q() if upto is None else Q(position__lte=upto)
    return store.open(EventRow.objects.filter(wanted, position__gt=position).order_by("position")[:limit])


def facts_at(store: DatabaseStore, instance: str, positions: list[int]) -> list[Recorded]:
    """The facts of an instance at some positions, in order."""
    return store.open(EventRow.objects.filter(instance_id=instance, position__in=positions).order_by("position"))


def waiting_after(instance: str, position: int) -> tuple[int, datetime | None]:
    """How many facts of an instance come after a position, and when the first of them happened."""
    rows = EventRow.objects.filter(instance_id=instance, position__gt=position)
    first = rows.order_by("position").values_list("created_at", flat=True).first()
    return (rows.count(), first) if first else (0, None)


def how_many_after(position: int, most: int, *, upto: int | None = None, instance: str = "") -> int:
    """How many facts come after a position, counted no further than `most`."""
    wanted = Q(instance_id=instance) if instance else Q()
    wanted &= Q() if upto is None else Q(position__lte=upto)
    return EventRow.objects.filter(wanted, position__gt=position)[:most].count()


def first_after(position: int, instance: str = "") -> datetime | None:
    """When the first fact after a position happened."""
    wanted = Q(instance_id=instance) if instance else Q()
    rows = EventRow.objects.filter(wanted, position__gt=position).order_by("position")
    return rows.values_list("created_at", flat=True).first()


def owner_of(stream: Stream) -> str:
    """Who has owned a stream from its first fact on; empty for one without facts."""
    rows = EventRow.objects.filter(instance_id=stream.instance, aggregate_type=stream.kind, aggregate_id=stream.id)
    return rows.order_by("version").values_list("owner", flat=True).first() or ""


def facts_of(store: DatabaseStore, id: str) -> list[Recorded]:
    """The facts of every stream with an id, in order. Reads without the instance: for the operator's command."""
    return store.open(EventRow.objects.filter(aggregate_id=id).order_by("position"))


@dataclass(frozen=True)
class FactsWanted:
    """Which facts of an instance; what is empty asks nothing. `version` is where the page before ended."""

    kinds: tuple[str, ...] = ()
    id: str = ""
    names: tuple[str, ...] = ()
    owner: str = ""
    actor: str = ""
    since: datetime | None = None
    until: datetime | None = None
    version: int = 0


def search_facts(store: DatabaseStore, instance: str, wanted: FactsWanted, *, limit: int, asc: bool) -> list[Recorded]:
    """The facts of an instance that are wanted, the newest first unless `asc`; moments are included."""
    asked = {
        "aggregate_type__in": wanted.kinds,
        "aggregate_id": wanted.id,
        "event_type__in": wanted.names,
        "owner": wanted.owner,
        "actor": wanted.actor,
        "created_at__gte": wanted.since,
        "created_at__lte": wanted.until,
        "version__gt" if asc else "version__lt": wanted.version,
    }
    rows = EventRow.objects.filter(instance_id=instance, **{name: value for name, value in asked.items() if value})
    return store.open(rows.order_by("position" if asc else "-position")[:limit])
