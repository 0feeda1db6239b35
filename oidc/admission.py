"""Whether an application may act for a person: asked before a code is given, and again by everything that is redeemed."""

from datetime import datetime, timedelta

from iam.kernel.context import Context
from oidc import audience, membership
from oidc.clients import Client
from oidc.errors import OAuthError
from oidc.models import DeviceAuthorization, Grant, RefreshToken
from oidc.registry import find_client
from oidc.scopes import Scopes
from oidc.subjects import living_user, session_alive
from projects.queries import project_checks
from users.models import UserRow

CLOCKS = timedelta(seconds=2)
"""So far may the clocks of two servers be apart. Sessions of before end with the change itself, but for the person's own."""


def must_be_reasonable(ctx: Context, scopes: Scopes) -> None:
    """Refuse scopes that nobody can answer: they name an organization or a project that is not there; raises OAuthError."""
    membership.org_asked(ctx, scopes)
    audience.must_exist(ctx, scopes)


def must_admit(ctx: Context, client_id: str, user: UserRow, scopes: Scopes) -> None:
    """An active application may have what scopes ask for, on behalf of a person; raises OAuthError.

    `access_denied` where no consent would help, `consent_required` where only the person's is missing.
    """
    client = find_client(ctx.instance, client_id)
    if client is None:
        raise OAuthError("access_denied", "the application is not active")
    _check(ctx, client, user, scopes)


def _check(ctx: Context, client: Client, user: UserRow, scopes: Scopes) -> None:
    _check_project(ctx, client, user)
    membership.must_be_member(ctx, scopes, user.org_id)
    audience.must_be_trusted(ctx, client, user.org_id, scopes)


def _check_project(ctx: Context, client: Client, user: UserRow) -> None:
    """A role of the project, an organization that owns it or was granted it, where the project wants that."""
    if not client.checks_role and not client.checks_project:
        return
    has_role, granted = project_checks(ctx.instance, client.project_id, user.id, user.org_id)
    if client.checks_role and not has_role:
        raise OAuthError("access_denied", "the user holds no role of the project")
    if client.checks_project and not granted:
        raise OAuthError("access_denied", "the user's organization was not granted the project")


def still_admitted(
    ctx: Context, client: Client, row: Grant | DeviceAuthorization | RefreshToken, scopes: tuple[str, ...]
) -> UserRow:
    """The person of a code, device code or refresh token, while all holds that it was given for (checklist C06).

    Raises OAuthError invalid_grant: person, organization and session live, the password is the one that was proved,
    and the application would be admitted now.
    """
    user = living_user(ctx.instance, row.user_id)
    if user is None or not session_alive(ctx, row.session_id):
        raise OAuthError("invalid_grant", "the user or session is not active")
    if _changed_since(user, row.auth_time):
        raise OAuthError("invalid_grant", "the password was changed since")
    try:
        _check(ctx, client, user, Scopes(scopes))
    except OAuthError as refused:
        raise OAuthError("invalid_grant", refused.description) from refused
    return user


def _changed_since(user: UserRow, proved_at: datetime | None) -> bool:
    """Whether a password check is older than the password. Servers' clocks differ a little: what follows a change counts."""
    return bool(user.password_changed_at and proved_at and user.password_changed_at > proved_at + CLOCKS)
