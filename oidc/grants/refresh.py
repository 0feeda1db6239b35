"""refresh_token with rotation; presenting a used one ends the whole family (RFC 9700 §4.14.2, checklist C05)."""

from collections.abc import Mapping

from iam.access.tokens import digest
from iam.kernel.context import Context
from oidc.admission import still_admitted
from oidc.clients import Client
from oidc.errors import OAuthError
from oidc.families import ReusedError
from oidc.issuers import is_issuer
from oidc.models import RefreshToken
from oidc.scopes import narrowed
from oidc.tokens import Order, Subject


def order(ctx: Context, client: Client, form: Mapping[str, str]) -> Order:
    """Exchange a refresh token for the next; raises OAuthError invalid_grant, invalid_scope."""
    token = digest(form.get("refresh_token", ""))
    row = RefreshToken.objects.filter(instance_id=ctx.instance, digest=token).first()
    if row is None or row.client_id != client.id or not is_issuer(ctx.instance, ctx.base_url, row.issuer):
        raise OAuthError("invalid_grant", "unknown refresh token")
    scopes = narrowed(form["scope"], row.scopes) if form.get("scope") else tuple(row.scopes)
    if scopes is None:
        raise OAuthError("invalid_scope", "more scopes than were granted")
    user = still_admitted(ctx, client, row, scopes)
    return Order(
        subject=Subject(user, row.session_id, row.auth_time, tuple(row.amr)),  # no nonce: OpenID Connect Core §12.2
        scopes=scopes,
        granted=tuple(row.scopes),
        client=client,
        family_id=row.family_id,
        with_refresh=True,
        started_at=row.started_at,
        take=lambda: _take(ctx, row),
    )


def _take(ctx: Context, row: RefreshToken) -> None:
    """Use the token up, in the transaction that makes the next one: a second use waits and finds that to revoke."""
    now = ctx.now()
    fresh = RefreshToken.objects.filter(
        instance_id=ctx.instance, id=row.id, used_at=None, revoked_at=None, expires_at__gt=now, ends_at__gt=now
    )
    if fresh.update(used_at=now):
        return
    told = "the refresh token was used, revoked or is too old"
    if row.used_at is not None or (row.revoked_at is None and row.expires_at > now):
        raise ReusedError(told, family_id=row.family_id, reason="refresh_token_reused")
    raise OAuthError("invalid_grant", told)
