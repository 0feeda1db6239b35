"""zitadel.auth.v1.AuthService: the applications that stay signed in for oneself, as their refresh tokens."""

from typing import Any

from django.db.models import Q, QuerySet

from iam.api.gen import auth_v1 as auth
from iam.api.gen import user_v1, v1
from iam.api.lists import stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from oidc.families import revoke_family
from oidc.models import RefreshToken

mine = Service("zitadel.auth.v1.AuthService")
REASON = "revoked by the user"


def _living(ctx: Context) -> "QuerySet[RefreshToken]":
    """The newest token of every sign-in of the caller that can be refreshed still."""
    ctx.authenticated()
    rows = RefreshToken.objects.filter(instance_id=ctx.instance, user_id=ctx.actor, used_at=None, revoked_at=None)
    rows = rows.filter(Q(session_id="") | Q(session__terminated=False))
    return rows.filter(expires_at__gt=ctx.now(), ends_at__gt=ctx.now()).order_by("-started_at", "id")


@mine.method
def ListMyRefreshTokens(ctx: Context, request: Any) -> Any:
    """Where one stays signed in; the id is that of the sign-in and stays the same when a token is replaced."""
    shown = [_shown(row) for row in _living(ctx)]
    details = v1.ListDetails(total_result=len(shown), view_timestamp=stamp(ctx.now()))
    return auth.ListMyRefreshTokensResponse(details=details, result=shown)


def _shown(row: RefreshToken) -> Any:
    return user_v1.RefreshToken(
        id=row.family_id,
        details=v1.ObjectDetails(
            creation_date=stamp(row.started_at), change_date=stamp(row.created_at), resource_owner=row.org_id
        ),
        client_id=row.client_id,
        auth_time=stamp(row.auth_time),
        idle_expiration=stamp(row.expires_at),
        expiration=stamp(row.ends_at),
        scopes=row.scopes,
        audience=[row.client_id],
    )


@mine.method
def RevokeMyRefreshToken(ctx: Context, request: Any) -> Any:
    """End one sign-in of an application, with every token that came from it."""
    row = _living(ctx).filter(family_id=request.id).first()
    if row is None:
        raise NotFound("refresh_token.not_found")
    revoke_family(ctx, row.family_id, reason=REASON)
    details = v1.ObjectDetails(resource_owner=row.org_id, change_date=stamp(ctx.now()))
    return auth.RevokeMyRefreshTokenResponse(details=details)


@mine.method
def RevokeAllMyRefreshTokens(ctx: Context, request: Any) -> Any:
    """End every sign-in of an application."""
    for family_id in list(_living(ctx).values_list("family_id", flat=True)):
        revoke_family(ctx, family_id, reason=REASON)
    return auth.RevokeAllMyRefreshTokensResponse()
