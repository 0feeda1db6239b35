"""Whether the people and sessions behind a token are still alive."""

from django.db.models import OuterRef, Q, Subquery

from iam.kernel.context import Context
from orgs.models import OrgRow
from users.domain.states import UserState
from users.models import SessionRow, UserRow

ACTIVE_ORG = 1


def living_user(instance: str, user_id: str) -> UserRow | None:
    """The user while it and its organization are active. One statement."""
    return _alive(instance, Q(id=user_id))


def living_machine(instance: str, client_id: str) -> UserRow | None:
    """A service user by its client id: the user name, or the id. One statement."""
    return _alive(instance, Q(user_name=client_id) | Q(id=client_id), kind="machine") if client_id else None


def _alive(instance: str, which: Q, **more: str) -> UserRow | None:
    org = OrgRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("org_id")).values("state")
    rows = UserRow.objects.filter(which, instance_id=instance, state=UserState.ACTIVE, **more)
    row = rows.annotate(org_state=Subquery(org)).first()
    return row if row is not None and row.org_state == ACTIVE_ORG else None


def session_alive(ctx: Context, session_id: str) -> bool:
    """Whether a session still counts; a grant without one (a service user's) needs none."""
    if not session_id:
        return True
    living = Q(expires_at=None) | Q(expires_at__gt=ctx.now())
    return SessionRow.objects.filter(living, instance_id=ctx.instance, id=session_id, terminated=False).exists()
