"""What a token is worth now. One joined statement: token, user, organization, session, application, all alive (DESIGN §8)."""

from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from eventstore.prepared import prepared
from iam.access.queries import json_list_of, memberships_of
from iam.access.tokens import TokenKind, digest, kind_of
from iam.cache import epochs, kept
from iam.kernel.context import Context
from oidc import audience
from oidc.claims import RoleQuestion, role_claims, standard_claims
from oidc.clients import Client
from oidc.errors import OAuthError
from oidc.issuers import is_issuer
from oidc.models import AccessToken, RefreshToken
from oidc.role_scopes import scopes_of
from oidc.scopes import METADATA, PROJECT, RESOURCE_OWNER, Scopes
from oidc.tokens import amr_values, person_of
from orgs.models import OrgRow
from projects.models import RoleRow
from projects.queries import role_claims as held_roles
from users.domain.states import UserState
from users.models import PatRow

ACTIVE = 1
INACTIVE: dict[str, Any] = {"active": False}
PAT_SCOPES = ("openid", "profile", METADATA, RESOURCE_OWNER)
"""What a personal access token that names no scopes carries (reference/oidc.md §7)."""


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
            org_state=_org("state"),
            project_id=F("app__project_id"),
            project_asserts=F("app__project__project_role_assertion"),
            app_org=F("app__org_id"),
            app_org_state=_org("state", of="app__org_id"),
        )
        .select_related("user")
    )


@prepared
def _living(instance: str, digest: str, now: datetime) -> "QuerySet[AccessToken]":
    return _living_tokens(instance, digest, now).annotate(**_org_names())


@prepared
def _living_with_epoch(instance: str, digest: str, now: datetime) -> "QuerySet[AccessToken]":
    return _living_tokens(instance, digest, now).annotate(epoch=epochs.of_outer_user(), **_org_names())


@prepared
def _living_with_rights(instance: str, digest: str, now: datetime) -> "QuerySet[AccessToken]":
    return _living_tokens(instance, digest, now).annotate(held=memberships_of("user_id"))


@prepared
def _living_pat(instance: str, digest: str, project: str, now: datetime) -> "QuerySet[PatRow]":
    """With the keys of the roles that a project has."""
    rows = PatRow.objects.filter(instance_id=instance, digest=digest, user__state=UserState.ACTIVE)
    rows = rows.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    keys = json_list_of(RoleRow.objects.filter(instance_id=OuterRef("instance_id"), project_id=project), "key")
    return rows.annotate(org_state=_org("state"), role_keys=keys, **_org_names()).select_related("user")


def _org(column: str, of: str = "org_id") -> Subquery:
    rows = OrgRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef(of))
    return Subquery(rows.values(column))


def _org_names() -> dict[str, Subquery]:
    return {"org_name": _org("name"), "org_domain": _org("primary_domain")}


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
        "client_id": row.client_id if row.app_id else row.user_id,
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
    if row.auth_time:
        told["auth_time"] = int(row.auth_time.timestamp())
    if amr := amr_values(row.amr):
        told["amr"] = list(amr)
    return told | _about(ctx, row, scopes, question)


def _pat(ctx: Context, client: Client, token: str) -> dict[str, Any]:
    """A token without scopes may be asked about by every project, and brings the roles that it knows (oidc.md §7)."""
    row = _find_pat(ctx, token, project=client.project_id)
    if row is None or (row.scopes and f"{PROJECT}{client.project_id}:aud" not in row.scopes):
        return INACTIVE
    named = row.scopes or [*PAT_SCOPES, *scopes_of(sorted(row.role_keys or ()))]
    scopes = Scopes(tuple(named))
    told: dict[str, Any] = {
        "active": True,
        "scope": " ".join(named),
        "token_type": "Bearer",
        "iat": int(row.created_at.timestamp()),
        "nbf": int(row.created_at.timestamp()),
        "sub": row.user_id,
        "aud": [client.id, client.project_id],
        "iss": ctx.base_url,
        "jti": row.id,
        "username": row.user.preferred_login_name,
    }
    if row.expires_at:
        told["exp"] = int(row.expires_at.timestamp())
    question = RoleQuestion(client.project_id, (client.project_id,), scopes, client.asserts_roles)
    return told | _about(ctx, row, scopes, question)


def _find_pat(ctx: Context, token: str, *, project: str = "") -> Any:
    """The row of a living personal access token; None for any other."""
    row = _living_pat.first(instance=ctx.instance, digest=digest(token), project=project, now=timezone.now())
    return row if row is not None and row.org_state == ACTIVE else None


def userinfo(ctx: Context, token: str) -> dict[str, Any]:
    """The claims of the token's person by scope, also of a personal access token; raises OAuthError invalid_token."""
    if kind_of(token) is TokenKind.PAT:
        row = _find_pat(ctx, token)
        scopes = Scopes(tuple(row.scopes or PAT_SCOPES)) if row is not None else Scopes()
        question = RoleQuestion("", tuple(scopes.projects), scopes)
    else:
        row = alive(ctx.instance, token)
        row = row if row is not None and is_issuer(ctx.instance, ctx.base_url, row.issuer) else None
        scopes = Scopes(tuple(row.scopes)) if row is not None else Scopes()
        question = _question_of(ctx, row, scopes) if row is not None else RoleQuestion("", (), scopes)
    if row is None:
        raise OAuthError("invalid_token", "the token is unknown, expired or revoked")
    if "openid" not in scopes:
        raise OAuthError("insufficient_scope", "the scope openid was not granted")
    return {"sub": row.user_id, **_about(ctx, row, scopes, question)}


def _question_of(ctx: Context, row: Any, scopes: Scopes) -> RoleQuestion:
    members = audience.with_roles(ctx.instance, row.app_org or "", row.audience, scopes)
    return RoleQuestion(row.project_id or "", members, scopes, bool(row.project_asserts))


def _about(ctx: Context, row: Any, scopes: Scopes, question: RoleQuestion) -> dict[str, Any]:
    """Claims about the person, roles included; one more statement for the roles, only when they are wanted."""
    roles = held_roles(ctx.instance, row.user_id, question.projects) if question.projects else {}
    person = person_of(row.user, scopes=scopes, org=(row.org_name or "", row.org_domain or ""))
    return standard_claims(person, scopes) | role_claims(question, roles)
