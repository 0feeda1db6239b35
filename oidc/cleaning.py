"""Removes what has expired: requests, codes, waiting devices, tokens, assertions (DESIGN §4)."""

from datetime import UTC, datetime, timedelta

from django.db.models import Model

from oidc.models import AccessToken, AuthRequest, DeviceAuthorization, Grant, RefreshToken, UsedAssertion
from projections.periodic import hourly, remove_batches

KEPT_AFTER_EXPIRY = timedelta(days=1)
ENDS: tuple[tuple[type[Model], str], ...] = (
    (AuthRequest, "expires_at"),
    (Grant, "expires_at"),
    (DeviceAuthorization, "expires_at"),
    (AccessToken, "expires_at"),
    (RefreshToken, "ends_at"),  # a used one is kept to the end of its family: its reuse must be noticed
    (UsedAssertion, "expires_at"),
)


@hourly
def remove_expired() -> None:
    """Remove rows that ended more than a day ago."""
    before = datetime.now(UTC) - KEPT_AFTER_EXPIRY
    for table, ends in ENDS:
        remove_batches(table._default_manager.filter(**{f"{ends}__lt": before}))
