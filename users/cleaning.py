"""Removes what has ended: codes, counted attempts, messages that were sent long ago."""

from datetime import UTC, datetime

from iam.outbox.delivery import KEPT
from iam.outbox.models import SENT, Message
from projections.periodic import hourly, remove_batches
from users.attempts import FORGOTTEN
from users.models import AttemptRow, CodeRow


@hourly
def remove_ended() -> None:
    """Remove rows that decide nothing any more."""
    now = datetime.now(UTC)
    remove_batches(CodeRow.objects.filter(expires_at__lt=now))
    remove_batches(AttemptRow.objects.filter(changed_at__lt=now - FORGOTTEN))
    remove_batches(Message.objects.filter(state=SENT, created_at__lt=now - KEPT))
