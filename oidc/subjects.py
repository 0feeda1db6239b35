"""Whether the people and sessions behind a token are still alive."""

from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest

from eventstore.prepared import prepared
from iam.instance.models import InstanceRow
from iam.instance.settings import Instance, with_lifetimes
from iam.kernel.context import Context
from oidc.jose import BoundKey
from oidc.web_keys import key_from, of_outer_instance
from orgs.models import OrgDomainRow, OrgRow
from projections.projection import UNKNOWN
from projects.models import AppRow
from users.domain.states import UserState
from users.models import SessionRow, UserRow

ACTIVE_ORG = 1


@dataclass(frozen=True)
class Machine:
    """A service user, the instance's terms, and the key that signs there."""

    user: UserRow
    instance: Instance
    key: BoundKey | None


def living_user(instance: str, user_id: str) -> UserRow | None:
    """The user while it and its organization are active. One statement."""
    return _in_active_org(_user.first(instance=instance, id=user_id))


def living_machine(instance: str, client_id: str) -> Machine | None:
    """A service user by its client id: the id, else a login name. One statement, whoever is found.

    Ids and names never meet (checklist C18, RFC 9700 §4.15): what is an id of a user or an application leads to nobody
    by name. Of several service users with a name, who had it first.
    """
    local, _, domain = client_id.rpartition("@")
    asked = {"instance": instance, "client_id": client_id, "local": local, "domain": domain.lower()}
    row = _in_active_org(_machine.first(**asked)) if client_id else None
    if row is None:
        return None
    terms: Any = row
    own = Instance(oidc=terms.own_lifetimes or {}, iam_project_id=terms.own_project)
    return Machine(row, own, key_from(instance, terms.own_key))


@prepared
def _user(instance: str, id: str) -> "QuerySet[UserRow]":
    return _alive(instance, Q(id=id))


@prepared
def _machine(instance: str, client_id: str, local: str, domain: str) -> "QuerySet[UserRow]":
    here = {"instance_id": instance}
    is_an_id = Exists(UserRow.objects.filter(id=client_id, **here)) | Exists(
        AppRow.objects.filter(client_id=client_id, **here)
    )
    org = OrgDomainRow.objects.filter(domain=domain, is_verified=True, **here)
    is_bare = Q(user_name=client_id)
    by_domain = Q(user_name=local, org_id=Subquery(org.values("org_id")[:1]))
    since = Case(
        When(id=client_id, then=Value(-1)),
        When(is_bare, then=F("named_position")),
        default=Greatest(F("named_position"), Coalesce(Subquery(org.values("verified_position")[:1]), UNKNOWN)),
        output_field=BigIntegerField(),
    )
    rows = _alive(instance, Q(id=client_id) | ((is_bare | by_domain) & ~is_an_id)).filter(kind="machine")
    own = with_lifetimes(InstanceRow.objects.filter(instance_id=OuterRef("instance_id")))
    found = {"own_lifetimes": own.values("oidc"), "own_project": own.values("iam_project_id")}
    rows = rows.annotate(own_key=of_outer_instance(), **{name: Subquery(one) for name, one in found.items()})
    return rows.order_by(since, "created_at", "id")


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
