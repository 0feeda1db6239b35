"""How far each follower is behind, and what stops it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from eventstore.reading import waiting_after
from projections.models import Checkpoint, Head
from projections.projection import CELERY, projections


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
