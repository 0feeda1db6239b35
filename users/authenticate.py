"""What a personal access token proves (one statement: token, user, organization, memberships), and a session's token."""

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from eventstore.prepared import prepared
from iam.access.caller import API_AUDIENCE_SCOPE, Authenticated, authenticates
from iam.access.queries import memberships_of
from iam.access.tokens import TokenKind, digest, named_by
from iam.instance.settings import settings_of
from iam.kernel.errors import PermissionDenied
from orgs.models import OrgRow
from users.domain.states import UserState
from users.models import PatRow, SessionRow, UserRow
from users.queries import find_sessions, must_change_password

ACTIVE_ORG = 1


@authenticates(TokenKind.PAT)
def pat(instance: str, token: str, base_url: str) -> Authenticated | None:
    """The service user of a token that is alive, as are its user and organization; else None."""
    found = _living.first(instance=instance, digest=digest(token), now=timezone.now())
    if found is None or found["org_state"] != ACTIVE_ORG:
        return None
    scopes = tuple(found["scopes"])
    return Authenticated(
        user_id=found["user_id"],
        org_id=found["org_id"],
        kind="machine",
        token_id=found["id"],
        scopes=scopes,
        for_api=not scopes or API_AUDIENCE_SCOPE in scopes,
        memberships=found["held"] or (),
    )


@authenticates(TokenKind.SESSION)
def session(instance: str, token: str, base_url: str) -> Authenticated | None:
    """The person of a living session, for what concerns oneself: it brings no memberships (checklist L06).

    Raises PermissionDenied while the session has not proved what the person's organization asks for.
    """
    now = timezone.now()
    found = next(iter(find_sessions(instance, {named_by(token): digest(token)}, now)), None)
    org = OrgRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("org_id")).values("state")
    people = UserRow.objects.filter(instance_id=instance, state=UserState.ACTIVE).annotate(org_state=Subquery(org))
    user = people.filter(id=found.user_id).first() if found is not None else None
    if found is None or user is None or user.org_state != ACTIVE_ORG:
        return None
    _must_have_proved_enough(found, user, now)
    return Authenticated(
        user_id=user.id,
        org_id=user.org_id,
        kind=user.kind,
        session_id=found.id,
        authenticated_at=found.password_checked_at,
    )


def _must_have_proved_enough(found: SessionRow, user: UserRow, now: datetime) -> None:
    """A password, and more where the organization wants more than there is yet."""
    if found.password_checked_at is None or must_change_password(user, now):
        raise PermissionDenied("session.proof_missing")
    login = settings_of(user.instance_id, user.org_id).login
    if login.force_mfa or login.force_mfa_local_only:
        raise PermissionDenied("session.factor_missing")


@prepared
def _living(instance: str, digest: str, now: datetime) -> "QuerySet[Any, Any]":
    org = OrgRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("org_id")).values("state")
    rows = PatRow.objects.filter(instance_id=instance, digest=digest, user__state=UserState.ACTIVE)
    rows = rows.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    rows = rows.annotate(org_state=Subquery(org), held=memberships_of("user_id"))
    return rows.values("id", "user_id", "org_id", "scopes", "org_state", "held")
