"""Feeds the celery projections: in batches, each instance at its own checkpoint, and never past a fact that fails."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from django.db import transaction
from django.db.models import CharField, F, OuterRef, Q, QuerySet, Subquery, Value

from eventstore.database import DatabaseStore
from eventstore.engines import is_postgres
from eventstore.reading import some_facts
from eventstore.store import Recorded
from iam.observe import meter
from projections.models import Checkpoint, Head
from projections.projection import CELERY, Projection, projection, projections

BATCH = 200
LONGEST_PAUSE = 300
LONGEST_ERROR = 500
AT_ONCE = 100
log = logging.getLogger(__name__)


Read = Callable[[int, int, str], list[Recorded]]
Feed = Callable[[Projection, Sequence[Recorded], Checkpoint], None]


def follow_all(store: DatabaseStore) -> bool:
    """Feed every projection a batch in every instance that has news; answers whether more is waiting."""
    read = _reading_once(store)
    news = list(_news())
    fed = [follow(read, projection(name), *at) for name, *at in news]
    return BATCH in fed or (any(fed) and len(news) == AT_ONCE)


def _reading_once(store: DatabaseStore) -> Read:
    """Reads the next batch of an instance; projections that stand at the same place get the same facts."""
    return cache(lambda position, head, instance: some_facts(store, position, head, instance, BATCH))


def _news() -> "QuerySet[Head, tuple[str, str, int]]":
    """Which projection has news in which instance that may be tried now, and up to where they are settled."""
    first, *others = (_news_for(one) for one in projections(CELERY))
    return first.union(*others, all=True)[:AT_ONCE]


def _news_for(projection: Projection) -> "QuerySet[Head, tuple[str, str, int]]":
    mine = Checkpoint.objects.filter(instance_id=OuterRef("instance_id"), projection=projection.name)
    heads = Head.objects.annotate(
        name=Value(projection.name, CharField()),
        reached=Subquery(mine.values("position")[:1]),
        retry_at=Subquery(mine.values("retry_at")[:1]),
    )
    behind = Q(reached=None) | Q(reached__lt=F("position"))
    due = Q(retry_at=None) | Q(retry_at__lte=datetime.now(UTC))
    return heads.filter(behind, due).values_list("name", "instance_id", "position")


def follow(read: Read, projection: Projection, instance: str, head: int) -> int:
    """Feed one batch of one instance; answers how many facts. Who is already at it goes first."""
    try:
        return _follow(read, projection, instance, head, _feed)
    except Exception:  # nothing of the batch was kept: as far as it goes, then
        return _follow(read, projection, instance, head, _feed_singly)


def _follow(read: Read, projection: Projection, instance: str, head: int, feed: Feed) -> int:
    with transaction.atomic():
        checkpoint = _locked(projection, instance, head)
        facts = read(checkpoint.position, head, instance) if checkpoint and checkpoint.position < head else []
        if checkpoint is None or not facts:
            return 0
        with meter.timed("gatehouse_batch_duration_seconds", projection=projection.name):
            feed(projection, facts, checkpoint)
        checkpoint.changed_at = datetime.now(UTC)
        checkpoint.save(force_update=True)
    fed = sum(fact.position <= checkpoint.position for fact in facts)
    meter.add("gatehouse_fed_facts_total", fed, projection=projection.name)
    if checkpoint.error:
        log.error(
            "%s is stopped at %s in %s: %s",
            projection.name,
            checkpoint.failed_position,
            instance,
            checkpoint.error.partition(":")[0],
        )
    return fed


def _locked(projection: Projection, instance: str, head: int) -> Checkpoint | None:
    """The checkpoint, made if there is none yet, kept from other followers; None if one of them has it."""
    rows = checkpoints_of(projection).filter(instance_id=instance)
    if (found := rows.first()) is not None:
        return found
    begin = projection.begins_after(instance, head)
    made = Checkpoint(instance_id=instance, projection=projection.name, position=begin, changed_at=datetime.now(UTC))
    Checkpoint.objects.bulk_create([made], ignore_conflicts=True)
    return rows.first()


def checkpoints_of(projection: Projection) -> "QuerySet[Checkpoint]":
    """The checkpoints of a projection, locked; those that a follower holds are left out."""
    rows = Checkpoint.objects.filter(projection=projection.name)
    return rows.select_for_update(skip_locked=True) if is_postgres() else rows


def _feed(projection: Projection, facts: Sequence[Recorded], checkpoint: Checkpoint) -> None:
    """Feed a batch at once; raises what its projection raises."""
    projection.apply_all(facts)
    _go_on(checkpoint, facts[-1].position)


def _feed_singly(projection: Projection, facts: Sequence[Recorded], checkpoint: Checkpoint) -> None:
    """Feed one fact after the other; the one that fails is not skipped, and tried again later."""
    for fact in facts:
        try:
            with transaction.atomic():
                projection.apply_all([fact])
        except Exception as failure:
            return _stop(checkpoint, fact, failure)
        _go_on(checkpoint, fact.position)
    return None


def try_again(projection: str, instance: str, position: int) -> bool:
    """Forget the failure at a position, so that the fact is tried at once; answers whether it had failed there."""
    rows = Checkpoint.objects.filter(projection=projection, instance_id=instance, failed_position=position)
    return bool(rows.exclude(error="").update(failed_position=0, failed_fact="", error="", failures=0, retry_at=None))


def _go_on(checkpoint: Checkpoint, position: int) -> None:
    checkpoint.position = position
    checkpoint.failed_position, checkpoint.failed_fact, checkpoint.error = 0, "", ""
    checkpoint.failures, checkpoint.retry_at = 0, None


def _stop(checkpoint: Checkpoint, fact: Recorded, failure: Exception) -> None:
    """Note what stopped it. Only the first line of the message: databases append the row's values below."""
    message = (str(failure).splitlines() or [""])[0]
    checkpoint.failed_position, checkpoint.failed_fact = fact.position, fact.fact.stored_name
    checkpoint.error = f"{type(failure).__name__}: {message}"[:LONGEST_ERROR]
    checkpoint.failures += 1
    pause = min(2**checkpoint.failures, LONGEST_PAUSE)
    checkpoint.retry_at = datetime.now(UTC) + timedelta(seconds=pause)
