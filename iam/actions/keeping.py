"""What becomes of calls that were made or given up: counted, kept for a while, sent again by hand."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db.models import Count

from iam.actions.models import FAILED, QUEUED, SENT, Delivery
from iam.observe.meter import Reading, measures_database
from projections import wake
from projections.periodic import hourly, remove_batches

SENT_KEPT = timedelta(days=1)
FAILED_KEPT = timedelta(days=30)


def send_again(instance: str = "", target: str = "") -> int:
    """Queue what was given up, of all instances and targets unless one is named; answers how many."""
    rows = Delivery.objects.filter(state=FAILED)
    rows = rows.filter(instance_id=instance) if instance else rows
    rows = rows.filter(target_id=target) if target else rows
    now = datetime.now(UTC)
    found = rows.update(state=QUEUED, tries=0, try_at=now, noted_at=now)
    wake.wake()
    return found


@hourly
def forget_old_deliveries() -> None:
    """Remove what was sent a day ago, and what was given up a month ago."""
    for state, kept in ((SENT, SENT_KEPT), (FAILED, FAILED_KEPT)):
        remove_batches(Delivery.objects.filter(state=state, noted_at__lt=datetime.now(UTC) - kept))


@measures_database
def waiting() -> Iterable[Reading]:
    """How many calls wait or were given up."""
    counted = dict(Delivery.objects.exclude(state=SENT).values_list("state").annotate(Count("position")).order_by())
    return [("gatehouse_webhook_deliveries", {"state": state}, counted.get(state, 0)) for state in (QUEUED, FAILED)]
