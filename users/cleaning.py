"""Removes what has ended: codes, counted attempts, messages that were sent long ago."""

from datetime import UTC, datetime, timedelta

from iam.outbox.delivery import KEPT
from iam.outbox.models import SENT, Message
from projections.periodic import hourly, remove_batches
from users.attempts import FORGOTTEN
from users.commands.codes import INVITE
from users.models import AttemptRow, CodeRow, ResetRequest

REMEMBERED = timedelta(days=90)
"""How long an invitation that ended can be sent once more."""


@hourly
def remove_ended() -> None:
    """Remove rows that decide nothing any more."""
    now = datetime.now(UTC)
    remove_batches(CodeRow.objects.filter(expires_at__lt=now).exclude(purpose=INVITE))
    remove_batches(CodeRow.objects.filter(expires_at__lt=now - REMEMBERED))
    remove_batches(AttemptRow.objects.filter(changed_at__lt=now - FORGOTTEN, wait_until__lt=now))
    remove_batches(ResetRequest.objects.filter(expires_at__lt=now))
    remove_batches(Message.objects.filter(state=SENT, created_at__lt=now - KEPT))
