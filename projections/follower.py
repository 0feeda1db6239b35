"""Feeds the celery projections: in batches, each instance at its own checkpoint, and never past a fact that fails."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from eventstore.database import DatabaseStore
from eventstore.engines import is_postgres
from eventstore.reading import some_facts
from eventstore.store import Recorded
from iam.observe import meter
from projections.models import Checkpoint, Head
from projections.projection import CELERY, Projection, projections

BATCH = 200
LONGEST_PAUSE = 300
LONGEST_ERROR = 500
AT_ONCE = 100
log = logging.getLogger(__name__)


def follow_all(store: DatabaseStore) -> bool:
    """Feed every projection a batch in every instance that has news; answers whether anything was fed."""
    fed = False
    for projection in projections(CELERY):
        for instance, head in _news_for(projection):
            fed = follow(store, projection, instance, head) or fed
    return fed


def _news_for(projection: Projection) -> list[tuple[str, int]]:
    """Instances with settled facts after the checkpoint that may be tried now, and up to where."""
    mine = Checkpoint.objects.filter(instance_id=OuterRef("instance_id"), projection=projection.name)
    heads = Head.objects.annotate(
        reached=Subquery(mine.values("position")[:1]), retry_at=Subquery(mine.values("retry_at")[:1])
    )
    behind = Q(reached=None) | Q(reached__lt=F("position"))
    due = Q(retry_at=None) | Q(retry_at__lte=datetime.now(UTC))
    return list(heads.filter(behind, due).values_list("instance_id", "position")[:AT_ONCE])


def follow(store: DatabaseStore, projection: Projection, instance: str, head: int) -> bool:
    """Feed one batch of one instance; answers whether the checkpoint moved. Who is already at it goes first."""
    with transaction.atomic():
        checkpoint = _locked(projection, instance)
        if checkpoint is None:
            return False
        facts = some_facts(store, checkpoint.position, head, instance, BATCH)
        if not facts:
            return False
        with meter.timed("gatehouse_batch_duration_seconds", projection=projection.name):
            error = _feed(projection, facts, checkpoint)
        checkpoint.changed_at = datetime.now(UTC)
        checkpoint.save()
    fed = sum(fact.position <= checkpoint.position for fact in facts)
    meter.add("gatehouse_fed_facts_total", fed, projection=projection.name)
    if error:
        log.error(
            "%s is stopped at %s in %s: %s",
            projection.name,
            checkpoint.failed_position,
            instance,
            error.partition(":")[0],
        )
    return not error or checkpoint.failed_position > facts[0].position


def _locked(projection: Projection, instance: str) -> Checkpoint | None:
    Checkpoint.objects.bulk_create(
        [Checkpoint(instance_id=instance, projection=projection.name, changed_at=datetime.now(UTC))],
        ignore_conflicts=True,
    )
    return checkpoints_of(projection).filter(instance_id=instance).first()


def checkpoints_of(projection: Projection) -> "QuerySet[Checkpoint]":
    """The checkpoints of a projection, locked; those that a follower holds are left out."""
    rows = Checkpoint.objects.filter(projection=projection.name)
    return rows.select_for_update(skip_locked=True) if is_postgres() else rows


def _feed(projection: Projection, facts: Sequence[Recorded], checkpoint: Checkpoint) -> str:
    """Feed a batch at once, or as far as it goes; answers the error that stopped it."""
    try:
        with transaction.atomic():
            projection.apply_all(facts)
    except Exception:
        return _feed_singly(projection, facts, checkpoint)
    _go_on(checkpoint, facts[-1].position)
    return ""


def _feed_singly(projection: Projection, facts: Sequence[Recorded], checkpoint: Checkpoint) -> str:
    """Feed one fact after the other; the one that fails is not skipped, and tried again later."""
    for fact in facts:
        try:
            with transaction.atomic():
                projection.apply_all([fact])
        except Exception as failure:
            return _stop(checkpoint, fact, failure)
        _go_on(checkpoint, fact.position)
    return ""


def try_again(projection: str, instance: str, position: int) -> bool:
    """Forget the failure at a position, so that the fact is tried at once; answers whether it had failed there."""
    rows = Checkpoint.objects.filter(projection=projection, instance_id=instance, failed_position=position)
    return bool(rows.exclude(error="").update(failed_position=0, failed_fact="", error="", failures=0, retry_at=None))


def _go_on(checkpoint: Checkpoint, position: int) -> None:
    checkpoint.position = position
    checkpoint.failed_position, checkpoint.failed_fact, checkpoint.error = 0, "", ""
    checkpoint.failures, checkpoint.retry_at = 0, None


def _stop(checkpoint: Checkpoint, fact: Recorded, failure: Exception) -> str:
    """Note what stopped it. Only the first line of the message: databases append the row's values below."""
    message = (str(failure).splitlines() or [""])[0]
    checkpoint.failed_position, checkpoint.failed_fact = fact.position, fact.fact.stored_name
    checkpoint.error = f"{type(failure).__name__}: {message}"[:LONGEST_ERROR]
    checkpoint.failures += 1
    pause = min(2**checkpoint.failures, LONGEST_PAUSE)
    checkpoint.retry_at = datetime.now(UTC) + timedelta(seconds=pause)
    return checkpoint.error
