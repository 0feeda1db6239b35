"""What a token is worth now. One joined statement: token, user, organization, session, application, all alive (DESIGN §8)."""

from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from eventstore.prepared import prepared
from iam.access.queries import memberships_of
from iam.access.tokens import TokenKind, digest, kind_of
from iam.cache import epochs, kept
from iam.kernel.context import Context
from oidc import audience
from oidc.claims import RoleQuestion, role_claims, standard_claims
from oidc.clients import Client
from oidc.errors import OAuthError
from oidc.issuers import is_issuer
from oidc.models import AccessToken, RefreshToken
from oidc.scopes import PROJECT, Scopes
from oidc.tokens import person_of
from orgs.models import OrgRow
from projects.queries import role_claims as held_roles
from users.domain.states import UserState
from users.models import PatRow, UserRow

ACTIVE = 1
INACTIVE: dict[str, Any] = {"active": False}


def alive(instance: str, token: str, *, with_rights: bool = False) -> Any:
    """The row of a living access token with its user; None for anything else. One statement.

    `with_rights` brings the user's memberships along as `held`.
    """
    alone = _living_with_epoch if kept.is_on() else _living
    ask = _living_with_rights if with_rights else alone
    found = ask.first(instance=instance, digest=digest(token), now=timezone.now())
    if found is None or {found.org_state, found.app_org_state or ACTIVE} != {ACTIVE}:
        return None
    if ask is _living_with_epoch:
        epochs.note_user(instance, found.user_id, found.epoch)
    return found


def _living_tokens(instance: str, digest: str, now: datetime) -> "QuerySet[AccessToken]":
    rows = AccessToken.objects.filter(
        instance_id=instance, digest=digest, revoked_at=None, expires_at__gt=now, user__state=UserState.ACTIVE
    )
    return (
        rows.filter(Q(session_id="") | Q(session__terminated=False))
        .filter(Q(session__expires_at=None) | Q(session__expires_at__gt=now))
        .filter(Q(app_id="") | Q(app__state=ACTIVE, app__project__state=ACTIVE))
        .annotate(
            org_state=_org_state(),
            project_id=F("app__project_id"),
            project_asserts=F("app__project__project_role_assertion"),
            app_org=F("app__org_id"),
            app_org_state=_org_state("app__org_id"),
        )
        .select_related("user")
    )


@prepared
def _living(instance: str, digest: str, now: datetime) -> "QuerySet[AccessToken]":
    return _living_tokens(instance, digest, now)


@prepared
def _living_with_epoch(instance: str, digest: str, now: datetime) -> "QuerySet[AccessToken]":
    return _living_tokens(instance, digest, now).annotate(epoch=epochs.of_outer_user())


@prepared
def _living_with_rights(instance: str, digest: str, now: datetime) -> "QuerySet[AccessToken]":
    return _living_tokens(instance, digest, now).annotate(held=memberships_of("user_id"))


@prepared
def _living_pat(instance: str, digest: str, now: datetime) -> "QuerySet[PatRow]":
    rows = PatRow.objects.filter(instance_id=instance, digest=digest, user__state=UserState.ACTIVE)
    return (
        rows.filter(Q(expires_at=None) | Q(expires_at__gt=now)).annotate(org_state=_org_state()).select_related("user")
    )


def _org_state(column: str = "org_id") -> Subquery:
    rows = OrgRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef(column))
    return Subquery(rows.values("state"))


def find_any(ctx: Context, token: str) -> Any:
    """The row of an access or refresh token, alive or not."""
    table = RefreshToken if kind_of(token) is TokenKind.REFRESH else AccessToken
    return table.objects.filter(instance_id=ctx.instance, digest=digest(token)).first()


def introspect(ctx: Context, client: Client, token: str) -> dict[str, Any]:
    """RFC 7662 §2.2: only `active: false` unless the token lives and is meant for the caller (checklist D08, D09)."""
    if kind_of(token) is TokenKind.PAT:
        return _pat(ctx, client, token)
    row = alive(ctx.instance, token) if token else None
    if row is None or not {client.id, client.project_id} & set(row.audience):
        return INACTIVE
    if not is_issuer(ctx.instance, ctx.base_url, row.issuer):
        return INACTIVE
    scopes = Scopes(tuple(row.scopes))
    members = audience.with_roles(ctx.instance, row.app_org or "", row.audience, scopes)
    question = RoleQuestion(client.project_id, members, scopes, bool(row.project_asserts) or client.asserts_roles)
    told: dict[str, Any] = {
        "active": True,
        "scope": " ".join(row.scopes),
        "client_id": row.client_id,
        "token_type": "Bearer",
        "exp": int(row.expires_at.timestamp()),
        "iat": int(row.created_at.timestamp()),
        "nbf": int(row.created_at.timestamp()),
        "sub": row.user_id,
        "aud": row.audience,
        "iss": ctx.base_url,
        "jti": row.id,
        "username": row.user.preferred_login_name,
    }
    return told | _about(ctx, row.user, scopes, question)


def _pat(ctx: Context, client: Client, token: str) -> dict[str, Any]:
    row = _living_pat.first(instance=ctx.instance, digest=digest(token), now=timezone.now())
    scopes = Scopes(tuple(row.scopes)) if row is not None else Scopes()
    meant = row is not None and (not row.scopes or f"{PROJECT}{client.project_id}:aud" in scopes)
    if row is None or row.org_state != ACTIVE or not meant:
        return INACTIVE
    told: dict[str, Any] = {
        "active": True,
        "scope": " ".join(row.scopes),
        "client_id": row.user.user_name,
        "token_type": "Bearer",
        "iat": int(row.created_at.timestamp()),
        "nbf": int(row.created_at.timestamp()),
        "sub": row.user_id,
        "aud": [client.project_id],
        "iss": ctx.base_url,
        "jti": row.id,
        "username": row.user.preferred_login_name,
    }
    if row.expires_at:
        told["exp"] = int(row.expires_at.timestamp())
    question = RoleQuestion(client.project_id, (client.project_id,), scopes, client.asserts_roles)
    return told | _about(ctx, row.user, scopes, question)


def userinfo(ctx: Context, token: str) -> dict[str, Any]:
    """The claims of the token's person by scope; raises OAuthError invalid_token."""
    row = alive(ctx.instance, token) if token else None
    if row is None or not is_issuer(ctx.instance, ctx.base_url, row.issuer):
        raise OAuthError("invalid_token", "the token is unknown, expired or revoked")
    scopes = Scopes(tuple(row.scopes))
    if "openid" not in scopes:
        raise OAuthError("insufficient_scope", "the scope openid was not granted")
    members = audience.with_roles(ctx.instance, row.app_org or "", row.audience, scopes)
    question = RoleQuestion(row.project_id or "", members, scopes, bool(row.project_asserts))
    return {"sub": row.user_id, **_about(ctx, row.user, scopes, question)}


def _about(ctx: Context, user: UserRow, scopes: Scopes, question: RoleQuestion) -> dict[str, Any]:
    """Claims about the person, roles included; one more statement for the roles, only when they are wanted."""
    roles = held_roles(ctx.instance, user.id, question.projects) if question.projects else {}
    return standard_claims(person_of(user, scopes=scopes), scopes) | role_claims(question, roles)
