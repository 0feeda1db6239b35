"""Removes kept answers whose time is over."""

from datetime import UTC, datetime

from iam.api.models import KeptAnswer
from projections.periodic import hourly, remove_batches


@hourly
def remove_old_answers() -> None:
    """Remove answers that are given no more."""
    remove_batches(KeptAnswer.objects.filter(expires_at__lt=datetime.now(UTC)))
