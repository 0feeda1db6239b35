"""Making tokens: what they say, how long they live, the rows that keep them revocable."""

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from iam.access.tokens import TokenKind, digest, mint
from iam.cache import kept
from iam.instance.settings import Instance, OidcLifetimes, instance_of
from iam.kernel.context import Context
from oidc import audience
from oidc.claims import Claims, Person, RoleQuestion, requested_claims, role_claims, standard_claims, wants_org
from oidc.clients import Client
from oidc.domain.events import AccessTokenAdded
from oidc.jose import BoundKey, sign
from oidc.models import AccessToken, RefreshToken
from oidc.scopes import METADATA, Scopes
from oidc.web_keys import signing_key
from orgs.models import OrgRow
from projects.models import AppRow
from projects.queries import role_claims as held_roles
from users.domain.profile import known_language
from users.models import UserRow
from users.queries import metadata_of

HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512, "DSA": hashlib.sha512}
"""By the end of an algorithm's name (RFC 7518 §3.1), EdDSA's too."""


@dataclass(frozen=True)
class Subject:
    """On whose behalf tokens are made."""

    user: UserRow
    session_id: str = ""
    auth_time: datetime | None = None
    amr: tuple[str, ...] = ()
    nonce: str = ""


@dataclass(frozen=True)
class Order:
    """Which tokens to make: for whom (client None: the service user itself), how far, of which family.

    `granted` is what the sign-in was for, when less is asked for now: the next refresh token stands for it all.
    `presented_id` is the client id by which a service user came, when that was not its id. `instance`, and the `key`
    that signs there, when they were read already; else they are read. `take` uses up what was presented, or raises.
    """

    subject: Subject
    scopes: tuple[str, ...]
    client: Client | None = None
    family_id: str = ""
    code: str = ""
    with_refresh: bool = False
    started_at: datetime | None = None
    audience: tuple[str, ...] = field(default=())
    granted: tuple[str, ...] = ()
    presented_id: str = ""
    instance: Instance | None = None
    key: BoundKey | None = None
    take: Callable[[], None] = field(default=lambda: None)

    @property
    def client_id(self) -> str:
        """The application, or the service user by its id: its name is free, and may be changed (checklist C18)."""
        return self.client.id if self.client else self.subject.user.id

    @property
    def clock_skew(self) -> timedelta:
        """How far the clock of whoever reads the tokens may be apart."""
        return self.client.clock_skew if self.client else timedelta()


OrgNames = tuple[str, str]
"""Name and primary domain of an organization."""


def person_of(row: UserRow, *, scopes: Scopes, org: OrgNames | None = None) -> Person:
    """A user as claims need one; organization (unless it was read already) and metadata only when a scope asks for them."""
    if org is None:
        org = _org_names(row) if wants_org(scopes) else ("", "")
    wants_metadata = METADATA in scopes
    return Person(
        id=row.id,
        org_id=row.org_id,
        org_name=org[0],
        org_domain=org[1],
        kind=row.kind,
        login_name=row.preferred_login_name,
        user_name=row.user_name,
        display_name=row.display_name or row.name,
        first_name=row.first_name,
        last_name=row.last_name,
        nick_name=row.nick_name,
        gender=row.gender,
        language=known_language(row.preferred_language),
        email=row.email,
        email_verified=row.email_verified,
        phone=row.phone,
        phone_verified=row.phone_verified,
        changed_at=row.changed_at,
        metadata=metadata_of(row.instance_id, row.id) if wants_metadata else {},
    )


def _org_names(row: UserRow) -> OrgNames:
    rows = OrgRow.objects.filter(instance_id=row.instance_id, id=row.org_id).values_list("name", "primary_domain")
    return rows.first() or ("", "")


def issue(ctx: Context, order: Order) -> dict[str, Any]:
    """Make the tokens of an order and answer as the token endpoint does (RFC 6749 §5.1); all or nothing."""
    with transaction.atomic():
        order.take()
        return _issued(ctx, order)


def _issued(ctx: Context, order: Order) -> dict[str, Any]:
    instance = order.instance or instance_of(ctx.instance)
    lifetimes = instance.oidc_lifetimes
    scopes = Scopes(order.scopes)
    order = replace(
        order,
        family_id=order.family_id or ctx.ports.new_id(),
        audience=_audience(ctx, order, scopes, instance.iam_project_id),
    )
    requested = requested_claims(person_of(order.subject.user, scopes=scopes), scopes)
    token = _access_token(ctx, order, lifetimes, requested, instance.iam_project_id)
    answer: dict[str, Any] = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": int(lifetimes.access_token_lifetime.total_seconds()),
        "scope": " ".join(order.scopes),
    }
    if order.with_refresh:
        answer["refresh_token"] = _refresh_token(ctx, order, lifetimes)
    if "openid" in scopes:
        answer["id_token"] = _id_token(ctx, order, lifetimes, requested, token)
    return answer


def _audience(ctx: Context, order: Order, scopes: Scopes, own_project: str) -> tuple[str, ...]:
    """Every client of the application's project, the project, and the projects asked for (reference/oidc.md §6)."""
    members: list[str] = []
    if order.client is not None:
        project = order.client.project_id
        members = [order.client.id, *_clients_of(ctx.instance, project), project]
    return tuple(dict.fromkeys([*members, *audience.projects_of(ctx.instance, scopes, own_project)]))


def _clients_of(instance: str, project: str) -> list[str]:
    rows = AppRow.objects.filter(instance_id=instance, project_id=project).exclude(client_id="").order_by("id")
    return kept.kept(kept.OIDC, instance, ("clients", project), lambda: list(rows.values_list("client_id", flat=True)))


def _access_token(ctx: Context, order: Order, lifetimes: OidcLifetimes, requested: Claims, own_project: str) -> str:
    now, subject, client = ctx.now(), order.subject, order.client
    id = ctx.ports.new_id()
    ends = now + lifetimes.access_token_lifetime
    as_jwt = client.jwt_access_token if client else subject.user.access_token_type == 1
    token = _jwt(ctx, order, requested, id, ends) if as_jwt else mint(TokenKind.ACCESS)
    AccessToken.objects.create(
        **_bearer(ctx, order, id, token, ends),
        audience=list(order.audience),
        for_api=own_project in order.audience,
    )
    ctx.note(
        "oidc_session",
        f"V2_{order.family_id}",
        AccessTokenAdded(),
        owner=subject.user.org_id,
        actor=subject.user.id,
    )
    return token


def _bearer(ctx: Context, order: Order, id: str, token: str, ends: datetime) -> dict[str, Any]:
    subject, client = order.subject, order.client
    return {
        "instance_id": ctx.instance,
        "id": id,
        "digest": digest(token),
        "family_id": order.family_id,
        "issuer": ctx.base_url,
        "client_id": order.client_id,
        "app_id": client.app_id if client else "",
        "user_id": subject.user.id,
        "org_id": subject.user.org_id,
        "session_id": subject.session_id,
        "scopes": list(order.scopes),
        "auth_time": subject.auth_time,
        "amr": list(subject.amr),
        "nonce": subject.nonce,
        "created_at": ctx.now(),
        "expires_at": ends,
    }


def _jwt(ctx: Context, order: Order, requested: Claims, id: str, ends: datetime) -> str:
    client, skew = order.client, order.clock_skew
    now = int((ctx.now() - skew).timestamp())
    claims = {
        "iss": ctx.base_url,
        "sub": order.subject.user.id,
        "aud": list(order.audience),
        "exp": int((ends + skew).timestamp()),
        "iat": now,
        "nbf": now,
        "jti": id,
        "client_id": order.client_id,
        "azp": order.client_id,
        "scope": " ".join(order.scopes),
        **requested,
        **_roles(ctx, order, asserted=client is None or client.asserts_roles_in_access_token),
    }
    return sign(claims, order.key or signing_key(ctx.instance), typ="at+jwt")


def _roles(ctx: Context, order: Order, *, asserted: bool) -> Claims:
    """The roles for a token: all that the application asserts; for a service user what it asked for, in its audience."""
    if not asserted:
        return {}
    client, scopes = order.client, Scopes(order.scopes)
    members = audience.with_roles(ctx.instance, client.org_id if client else "", order.audience, scopes)
    question = RoleQuestion(client.project_id if client else "", members, scopes, asserted=client is not None)
    if not question.projects:
        return {}
    return role_claims(question, held_roles(ctx.instance, order.subject.user.id, question.projects))


def _refresh_token(ctx: Context, order: Order, lifetimes: OidcLifetimes) -> str:
    token, now = mint(TokenKind.REFRESH), ctx.now()
    started = order.started_at or now
    last = started + lifetimes.refresh_token_expiration
    idle = min(now + lifetimes.refresh_token_idle_expiration, last)
    order = replace(order, scopes=order.granted or order.scopes)  # RFC 6749 §6: identical to those of the one before
    RefreshToken.objects.create(
        **_bearer(ctx, order, ctx.ports.new_id(), token, idle), started_at=started, ends_at=last
    )
    return token


def _id_token(ctx: Context, order: Order, lifetimes: OidcLifetimes, requested: Claims, access_token: str) -> str:
    subject, client, scopes = order.subject, order.client, Scopes(order.scopes)
    key, now = order.key or signing_key(ctx.instance), ctx.now()
    by = order.presented_id or order.client_id
    claims: Claims = {
        "iss": ctx.base_url,
        "sub": subject.user.id,
        "aud": list(dict.fromkeys([by, *order.audience])),  # whoever asked is among them: Core §2
        "azp": by,
        "client_id": by,
        "exp": int((now + lifetimes.id_token_lifetime + order.clock_skew).timestamp()),
        "iat": int((now - order.clock_skew).timestamp()),
        "auth_time": int(subject.auth_time.timestamp()) if subject.auth_time else None,
        "amr": list(amr_values(subject.amr)) or None,
        "sid": subject.session_id or None,
        "nonce": subject.nonce or None,
        "at_hash": half_hash(access_token, key.alg),
        **requested,
        **_roles(ctx, order, asserted=client is None or client.asserts_roles_in_id_token),
    }
    if client is not None and client.asserts_userinfo_in_id_token:
        claims |= standard_claims(person_of(subject.user, scopes=scopes), scopes)
    told = {name: value for name, value in claims.items() if value is not None}
    return sign(told, key)


def amr_values(amr: Iterable[str]) -> tuple[str, ...]:
    """Methods as RFC 8176 names them. `password` beside `pwd` was stored once, for clients of another time."""
    return tuple(one for one in amr if one != "password")


def half_hash(token: str, alg: str) -> str:
    """The left half of a token's hash, by the hash of the algorithm that signs (OpenID Connect Core §3.1.3.6).

    Ed25519 hashes with SHA-512 (RFC 8032 §5.1).
    """
    hashed = HASHES[alg[-3:]](token.encode()).digest()
    return base64.urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()
