"""How far each follower is behind, and what stops it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from eventstore.reading import first_after, how_many_after, waiting_after
from projections import horizon
from projections.models import Checkpoint, Head
from projections.projection import CELERY, projections

MOST_COUNTED = 100_000


@dataclass(frozen=True)
class Lag:
    """One projection in one instance: facts not fed yet, seconds since the first of them, the error if it is stopped."""

    projection: str
    instance: str
    position: int
    facts: int
    seconds: float
    failed_position: int = 0
    failed_fact: str = ""
    error: str = ""
    failures: int = 0
    retry_at: datetime | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether a fact could not be handled."""
        return bool(self.error)


@dataclass(frozen=True)
class Behind:
    """One projection over all instances: facts not fed yet, seconds since the first of them, instances in which it is stopped."""

    facts: int
    seconds: float
    stopped: int


def behind() -> dict[str, Behind]:
    """Every follower at a glance. Counts only where a checkpoint is behind, and no further than 100,000."""
    settled = horizon.reached()
    waiting, since = how_many_after(settled, MOST_COUNTED), first_after(settled)
    heads = dict(Head.objects.values_list("instance_id", "position"))
    stopped = Counter(Checkpoint.objects.exclude(error="").values_list("projection", flat=True))
    at = dict(_checkpoints())
    found = {}
    for one in projections(CELERY):
        facts, oldest = waiting, [since] if since else []
        for instance, head in heads.items():
            reached = at.get((one.name, instance), 0)
            if reached < head and facts < MOST_COUNTED:
                facts += how_many_after(reached, MOST_COUNTED - facts, upto=head, instance=instance)
                oldest += [first for first in [first_after(reached, instance)] if first]
        seconds = max(0.0, (datetime.now(UTC) - min(oldest)).total_seconds()) if oldest else 0.0
        found[one.name] = Behind(facts, seconds, stopped[one.name])
    return found


def _checkpoints() -> Iterable[tuple[tuple[str, str], int]]:
    rows = Checkpoint.objects.values_list("projection", "instance_id", "position")
    return (((projection, instance), position) for projection, instance, position in rows)


def lag_of(instances: Iterable[str] | None = None) -> list[Lag]:
    """Every follower in some instances, or in all."""
    known = Head.objects.values_list("instance_id", flat=True) if instances is None else instances
    found = {(row.projection, row.instance_id): row for row in Checkpoint.objects.all()}
    return [
        _lag(projection.name, instance, found.get((projection.name, instance)))
        for instance in sorted(known)
        for projection in projections(CELERY)
    ]


def _lag(projection: str, instance: str, row: Checkpoint | None) -> Lag:
    position = row.position if row else 0
    facts, since = waiting_after(instance, position)
    seconds = max(0.0, (datetime.now(UTC) - since).total_seconds()) if since else 0.0
    if row is None:
        return Lag(projection, instance, position, facts, seconds)
    return Lag(
        projection,
        instance,
        position,
        facts,
        seconds,
        row.failed_position,
        row.failed_fact,
        row.error,
        row.failures,
        row.retry_at,
    )
