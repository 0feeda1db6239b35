"""Devices without a browser that wait (RFC 8628): a person finds one by its code and decides."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from iam.access.tokens import digest
from iam.api import rates
from iam.kernel.context import Context
from iam.kernel.errors import NotFound, PermissionDenied
from iam.settings.tree import DeviceAuthSection
from oidc import login_door, user_codes, waiting
from oidc.admission import must_admit
from oidc.domain.events import DeviceAuthorizationApproved, DeviceAuthorizationCanceled
from oidc.errors import OAuthError
from oidc.models import AuthRequest, DeviceAuthorization
from oidc.registry import find_client
from oidc.scopes import Scopes
from orgs.models import OrgRow
from projects.models import ProjectRow
from users import attempts

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
KIND = "device_auth"
GUESSES = "user codes"
FREE_OF_NETWORK = 100
"""Wrong codes from one network before each next one waits; each address has its own bucket before that."""
PASSWORD = 4
"""A password in `user_auth_methods` of the facts."""


class State(IntEnum):
    """What has become of a device (reference/eventstore.md). Whether its time is up, the clock says."""

    INITIATED = 1
    APPROVED = 2
    DENIED = 3
    DONE = 5


@dataclass(frozen=True)
class Asker:
    """Who is behind a device: the names that a person must see before a decision."""

    app_name: str
    project_name: str
    org_name: str


def terms() -> DeviceAuthSection:
    """How long devices wait, how often they may ask, what their codes look like."""
    found: DeviceAuthSection = settings.CONFIG.OIDC.DeviceAuth
    return found


def _waiting(ctx: Context) -> "QuerySet[DeviceAuthorization]":
    return DeviceAuthorization.objects.filter(instance_id=ctx.instance, state=State.INITIATED, expires_at__gt=ctx.now())


def get_by_user_code(ctx: Context, typed: str) -> DeviceAuthorization:
    """The device that waits under a code; raises NotFound."""
    code = user_codes.bare(typed, terms().UserCode)
    return _asked_rightly(ctx, _waiting(ctx).filter(user_digest=digest(code)).first())


def get_waiting(ctx: Context, id: str) -> DeviceAuthorization:
    """A device that waits, by its id; raises NotFound."""
    return _asked_rightly(ctx, _waiting(ctx).filter(id=id).first())


def _asked_rightly(ctx: Context, row: DeviceAuthorization | None) -> DeviceAuthorization:
    """The device while its client is active and may still use this grant (checklist D07)."""
    client = find_client(ctx.instance, row.client_id) if row is not None else None
    if row is None or client is None or GRANT not in client.grant_types:
        raise NotFound("device_authorization.not_found")
    return row


def guess_user_code(ctx: Context, typed: str, *, person: str = "") -> DeviceAuthorization:
    """The device under a code that somebody typed; raises NotFound, ResourceExhausted after too many wrong ones.

    Wrong codes are counted for the address, for its network, and for the `person` signed in there (checklist C15).
    A right one gives nothing back: anybody can have a right one of their own.
    """
    accounts = {GUESSES: FREE_OF_NETWORK, **({f"{GUESSES} {person}": attempts.limits().Tries} if person else {})}
    rates.may_guess(ctx.instance, GUESSES, ctx.origin.ip)
    for account, free in accounts.items():
        attempts.begin(ctx, account, free=free)
    try:
        row = get_by_user_code(ctx, typed)
    except NotFound:
        rates.guessed_wrong(ctx.instance, GUESSES, ctx.origin.ip)
        raise
    for account in accounts:
        attempts.take_back(ctx, account)
    return row


def asker_of(ctx: Context, row: DeviceAuthorization) -> Asker:
    """Who asks; raises NotFound when the client is not active any more."""
    client = find_client(ctx.instance, row.client_id)
    if client is None:
        raise NotFound("device_authorization.not_found")
    project = ProjectRow.objects.filter(instance_id=ctx.instance, id=client.project_id).first()
    org = OrgRow.objects.filter(instance_id=ctx.instance, id=client.org_id).first()
    return Asker(client.name, project.name if project else "", org.name if org else "")


def begin_sign_in(ctx: Context, row: DeviceAuthorization) -> AuthRequest:
    """A request of the login for whoever is to decide about a device; it ends with the device's time.

    Raises ResourceExhausted while too many wait.
    """
    made = _request(ctx, row)
    made.source = waiting.require_room(ctx)
    made.save(force_insert=True)
    return made


def _request(ctx: Context, row: DeviceAuthorization) -> AuthRequest:
    """What a device asks, in the form in which the login knows requests: the same rules hold for it (checklist L05)."""
    return AuthRequest(
        instance_id=ctx.instance,
        id=f"V2_{ctx.ports.new_id()}",
        issuer=row.issuer,
        client_id=row.client_id,
        app_id=row.app_id,
        redirect_uri="",
        response_type="device_code",
        response_mode="",
        scopes=row.scopes,
        device_id=row.id,
        created_at=ctx.now(),
        expires_at=row.expires_at,
    )


def approve(ctx: Context, id: str, session_id: str) -> None:
    """Let a device in on behalf of a session's person.

    Raises NotFound unless it waits, FailedPrecondition for a session that does not prove enough, PermissionDenied when
    the project does not admit the person: the device is turned away then.
    """
    row = get_waiting(ctx, id)
    session, user = login_door.proved(ctx, _request(ctx, row), session_id)
    try:
        must_admit(ctx, row.client_id, user, Scopes(tuple(row.scopes)))
    except OAuthError as refused:
        deny(ctx, id, reason=refused.description)
        lacks_consent = refused.error == "consent_required"
        code = "device_authorization.consent_missing" if lacks_consent else "device_authorization.not_admitted"
        raise PermissionDenied(code, reason=refused.description) from refused
    _decide(
        ctx,
        row,
        state=State.APPROVED,
        user_id=user.id,
        org_id=user.org_id,
        session_id=session.id,
        auth_time=session.password_checked_at,
        amr=list(login_door.AMR),
    )
    approved = DeviceAuthorizationApproved(
        user_id=user.id,
        user_org_id=user.org_id,
        user_auth_methods=(PASSWORD,),
        auth_time=session.password_checked_at,
        session_id=session.id,
    )
    ctx.note(KIND, row.id, approved, owner=user.org_id, actor=user.id)


def deny(ctx: Context, id: str, *, reason: str = "denied", actor: str = "") -> None:
    """Turn a device away; raises NotFound unless it waits."""
    row = get_waiting(ctx, id)
    _decide(ctx, row, state=State.DENIED)
    client = find_client(ctx.instance, row.client_id)
    owner = client.org_id if client else ctx.instance
    ctx.note(KIND, row.id, DeviceAuthorizationCanceled(reason=reason), owner=owner, actor=actor)


def _decide(ctx: Context, row: DeviceAuthorization, **columns: Any) -> None:
    """A device is decided about once, whoever is faster."""
    if not _waiting(ctx).filter(id=row.id).update(decided_at=ctx.now(), **columns):
        raise NotFound("device_authorization.not_found")
