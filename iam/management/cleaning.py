"""Ends the keeping of activity after the configured time."""

from datetime import UTC, datetime

from django.conf import settings

from eventstore.retention import forget_activity_before
from projections.periodic import hourly


@hourly
def forget_old_activity() -> None:
    """Remove use older than `Activity.KeepFor`; without it everything is kept."""
    if keep := settings.CONFIG.Activity.KeepFor:
        forget_activity_before(datetime.now(UTC) - keep)
