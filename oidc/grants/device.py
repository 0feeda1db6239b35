"""urn:ietf:params:oauth:grant-type:device_code (RFC 8628 §3.4): the device asks until somebody has decided."""

from collections.abc import Mapping
from datetime import timedelta

from django.db.models import F, Q

from iam.access.tokens import digest
from iam.kernel.context import Context
from oidc.admission import still_admitted
from oidc.clients import Client
from oidc.devices import KIND, State
from oidc.domain.events import DeviceAuthorizationDone
from oidc.errors import OAuthError
from oidc.issuers import same_host
from oidc.models import DeviceAuthorization
from oidc.tokens import Order, Subject

SLOWER = 5
"""Seconds that each question too early adds to the time between two of them (RFC 8628 §3.5)."""
LEEWAY = timedelta(milliseconds=500)
"""A device's clock and the servers' among each other may differ so much."""


def order(ctx: Context, client: Client, form: Mapping[str, str]) -> Order:
    """The tokens of a device that was let in; raises OAuthError in the words of RFC 8628 §3.5 until then."""
    row = DeviceAuthorization.objects.filter(
        instance_id=ctx.instance, digest=digest(form.get("device_code", ""))
    ).first()
    if row is None or row.client_id != client.id or not same_host(ctx.base_url, row.issuer):
        raise OAuthError("invalid_grant", "unknown device code")
    _must_be_approved(ctx, row)
    user = still_admitted(ctx, client, row, tuple(row.scopes))
    return Order(
        subject=Subject(user, row.session_id, row.auth_time, tuple(row.amr)),
        scopes=tuple(row.scopes),
        client=client,
        family_id=row.family_id,
        with_refresh="offline_access" in row.scopes and "refresh_token" in client.grant_types,
        take=lambda: _take(ctx, row),
    )


def _must_be_approved(ctx: Context, row: DeviceAuthorization) -> None:
    if row.state == State.DENIED:
        raise OAuthError("access_denied", "the device was turned away")
    if row.state == State.DONE:
        raise OAuthError("invalid_grant", "the device code was used")
    if row.expires_at <= ctx.now():
        raise OAuthError("expired_token", "nobody decided in time, or the tokens were not fetched in time")
    if row.state == State.INITIATED:
        raise _pending(ctx, row)


def _pending(ctx: Context, row: DeviceAuthorization) -> OAuthError:
    """Nobody has decided yet. Who asks too early is told so, and waits longer from now on (checklist C15)."""
    now, rows = ctx.now(), DeviceAuthorization.objects.filter(instance_id=ctx.instance, id=row.id)
    early = now - timedelta(seconds=row.interval) + LEEWAY
    if rows.filter(Q(polled_at=None) | Q(polled_at__lte=early)).update(polled_at=now):
        return OAuthError("authorization_pending")
    rows.update(polled_at=now, interval=F("interval") + SLOWER)
    return OAuthError("slow_down", f"wait {SLOWER} seconds longer from now on")


def _take(ctx: Context, row: DeviceAuthorization) -> None:
    """Use the code up, in the transaction that makes the tokens: of many at once one has them (checklist E10)."""
    approved = DeviceAuthorization.objects.filter(
        instance_id=ctx.instance, id=row.id, state=State.APPROVED, expires_at__gt=ctx.now()
    )
    if not approved.update(state=State.DONE):
        raise OAuthError("invalid_grant", "the device code was used")
    ctx.note(KIND, row.id, DeviceAuthorizationDone(), owner=row.org_id, actor=row.user_id)
