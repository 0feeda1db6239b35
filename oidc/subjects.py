"""Whether the people and sessions behind a token are still alive."""

from django.db.models import BigIntegerField, Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest

from eventstore.prepared import prepared
from iam.instance.models import InstanceRow
from iam.instance.settings import Instance, with_lifetimes
from iam.kernel.context import Context
from orgs.models import OrgDomainRow, OrgRow
from projections.projection import UNKNOWN
from users.domain.states import UserState
from users.models import SessionRow, UserRow

ACTIVE_ORG = 1


def living_user(instance: str, user_id: str) -> UserRow | None:
    """The user while it and its organization are active. One statement."""
    return _in_active_org(_user.first(instance=instance, id=user_id))


def living_machine(instance: str, client_id: str) -> tuple[UserRow, Instance] | None:
    """A service user by its client id (the id, else a login name), and the instance's terms. One statement.

    An id goes before a name; of several service users with a name, who had it first (RFC 9700 §4.15).
    """
    local, _, domain = client_id.rpartition("@")
    asked = {"instance": instance, "client_id": client_id, "local": local, "domain": domain.lower()}
    row = _in_active_org(_machine.first(**asked)) if client_id else None
    if row is None:
        return None
    return row, Instance(oidc=row.own_lifetimes or {}, iam_project_id=row.own_project)  # type: ignore[attr-defined]


@prepared
def _user(instance: str, id: str) -> "QuerySet[UserRow]":
    return _alive(instance, Q(id=id))


@prepared
def _machine(instance: str, client_id: str, local: str, domain: str) -> "QuerySet[UserRow]":
    org = OrgDomainRow.objects.filter(instance_id=instance, domain=domain, is_verified=True)
    is_bare = Q(user_name=client_id)
    by_domain = Q(user_name=local, org_id=Subquery(org.values("org_id")[:1]))
    since = Case(
        When(id=client_id, then=Value(-1)),
        When(is_bare, then=F("named_position")),
        default=Greatest(F("named_position"), Coalesce(Subquery(org.values("verified_position")[:1]), UNKNOWN)),
        output_field=BigIntegerField(),
    )
    rows = _alive(instance, Q(id=client_id) | is_bare | by_domain).filter(kind="machine")
    own = with_lifetimes(InstanceRow.objects.filter(instance_id=OuterRef("instance_id")))
    found = {"own_lifetimes": own.values("oidc"), "own_project": own.values("iam_project_id")}
    return rows.annotate(**{name: Subquery(one) for name, one in found.items()}).order_by(since, "created_at", "id")


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
