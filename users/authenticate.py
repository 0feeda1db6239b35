"""What a personal access token proves. One statement: token, user, organization, memberships."""

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from eventstore.prepared import prepared
from iam.access.caller import API_AUDIENCE_SCOPE, Authenticated, authenticates
from iam.access.queries import memberships_of
from iam.access.tokens import TokenKind, digest
from orgs.models import OrgRow
from users.domain.states import UserState
from users.models import PatRow

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


@prepared
def _living(instance: str, digest: str, now: datetime) -> "QuerySet[Any, Any]":
    org = OrgRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("org_id")).values("state")
    rows = PatRow.objects.filter(instance_id=instance, digest=digest, user__state=UserState.ACTIVE)
    rows = rows.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    rows = rows.annotate(org_state=Subquery(org), held=memberships_of("user_id"))
    return rows.values("id", "user_id", "org_id", "scopes", "org_state", "held")
