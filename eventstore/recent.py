"""The newest facts and uses, and how many there were per hour. For people who watch; nothing decides from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import TruncHour

from eventstore.models import ActivityRow, EventRow

SIGN_IN = "user.human.password.check.succeeded"
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Mark:
    """How far somebody has looked: the last fact's position, the last use's time."""

    position: int = 0
    used_at: datetime = BEGINNING


@dataclass(frozen=True)
class Seen:
    """One line: a fact or a use."""

    at: datetime
    what: str
    kind: str
    id: str
    actor: str
    is_use: bool


@dataclass(frozen=True)
class Recent:
    """What was new, newest first, and the mark to go on from."""

    seen: list[Seen]
    mark: Mark


def recent(instance: str, *, after: Mark, owners: Iterable[str] | None, limit: int) -> Recent:
    """Facts and uses after a mark, at most `limit` of each; only of some owners when those are given."""
    owned = Q() if owners is None else Q(owner__in=list(owners))
    facts = EventRow.objects.filter(owned, instance_id=instance, position__gt=after.position)
    uses = ActivityRow.objects.filter(owned, instance_id=instance, created_at__gt=after.used_at)
    newest = list(facts.order_by("-position")[:limit])
    used = list(uses.order_by("-created_at")[:limit])
    seen = [_seen(row, False) for row in newest] + [_seen(row, True) for row in used]
    mark = Mark(
        newest[0].position if newest else after.position,
        used[0].created_at if used else after.used_at,
    )
    return Recent(sorted(seen, key=lambda one: one.at, reverse=True)[:limit], mark)


def _seen(row: Any, is_use: bool) -> Seen:
    return Seen(row.created_at, row.event_type, row.aggregate_type, row.aggregate_id, row.actor, is_use)


def sign_ins_per_hour(instance: str, since: datetime) -> dict[datetime, int]:
    """Counts of the hours since a time; hours without sign-ins are left out."""
    rows = ActivityRow.objects.filter(instance_id=instance, created_at__gte=since, event_type=SIGN_IN)
    counted = rows.annotate(hour=TruncHour("created_at", tzinfo=UTC)).values("hour").annotate(n=Count("event_type"))
    return {row["hour"]: row["n"] for row in counted.order_by()}
