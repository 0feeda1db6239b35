"""Whether the people and sessions behind a token are still alive."""

from django.db.models import Case, OuterRef, Q, QuerySet, SmallIntegerField, Subquery, Value, When

from eventstore.prepared import prepared
from iam.instance.models import InstanceRow
from iam.instance.settings import Instance, with_lifetimes
from iam.kernel.context import Context
from orgs.models import OrgRow
from users.domain.states import UserState
from users.models import SessionRow, UserRow

ACTIVE_ORG = 1


def living_user(instance: str, user_id: str) -> UserRow | None:
    """The user while it and its organization are active. One statement."""
    return _in_active_org(_user.first(instance=instance, id=user_id))


def living_machine(instance: str, client_id: str) -> tuple[UserRow, Instance] | None:
    """A service user by its client id (the user name, or the id), and the instance's terms. One statement."""
    row = _in_active_org(_machine.first(instance=instance, client_id=client_id)) if client_id else None
    if row is None:
        return None
    return row, Instance(oidc=row.own_lifetimes or {}, iam_project_id=row.own_project)  # type: ignore[attr-defined]


@prepared
def _user(instance: str, id: str) -> "QuerySet[UserRow]":
    return _alive(instance, Q(id=id))


@prepared
def _machine(instance: str, client_id: str) -> "QuerySet[UserRow]":
    rows = _alive(instance, Q(user_name=client_id) | Q(id=client_id)).filter(kind="machine")
    by_id = Case(When(id=client_id, then=Value(0)), default=Value(1), output_field=SmallIntegerField())
    own = with_lifetimes(InstanceRow.objects.filter(instance_id=OuterRef("instance_id")))
    found = {"own_lifetimes": own.values("oidc"), "own_project": own.values("iam_project_id")}
    return rows.annotate(**{name: Subquery(one) for name, one in found.items()}).order_by(
        by_id, "id"
    )  # an id goes first


def _in_active_org(row: UserRow | None) -> UserRow | None:
    return row if row is not None and row.org_state == ACTIVE_ORG else None  # type: ignore[attr-defined]


def _alive(instance: str, which: Q) -> "QuerySet[UserRow]":
    org = OrgRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("org_id")).values("state")
    rows = UserRow.objects.filter(which, instance_id=instance, state=UserState.ACTIVE)
    return rows.annotate(org_state=Subquery(org))


def session_alive(ctx: Context, session_id: str) -> bool:
    """Whether a session still counts; a grant without one (a service user's) needs none."""
    if not session_id:
        return True
    living = Q(expires_at=None) | Q(expires_at__gt=ctx.now())
    return SessionRow.objects.filter(living, instance_id=ctx.instance, id=session_id, terminated=False).exists()
