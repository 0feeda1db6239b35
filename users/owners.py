"""An instance keeps somebody who governs it: its last human owner who can sign in is not locked, deactivated, renamed by
others, or stripped of the role, at any door (checklist E10)."""

from eventstore.events import Event
from eventstore.store import Stream
from iam.instance.domain.events import InstanceMemberCascadeRemoved, InstanceMemberChanged, InstanceMemberRemoved
from iam.instance.domain.instance import Instance
from iam.kernel.cascade import cascades
from iam.kernel.change import Unit
from iam.kernel.errors import FailedPrecondition
from orgs.domain.events import OrgDeactivated
from orgs.domain.org import Org, OrgState
from users.domain.events import UserDeactivated, UserLocked, UsernameChanged
from users.domain.states import UserState
from users.domain.user import User

OWNER = "IAM_OWNER"


@cascades(UserDeactivated, UserLocked, UsernameChanged)
def owner_stopped(unit: Unit, stream: Stream, event: Event) -> None:
    """Refuse to stop the last owner who can sign in; one's own name may be changed by oneself."""
    by_oneself = unit.ctx.caller.user_id == stream.id or unit.ctx.caller.kind == "system"
    if not (by_oneself and isinstance(event, UsernameChanged)):
        _require_another_owner(unit, {stream.id} & owners_of(unit))


@cascades(InstanceMemberRemoved, InstanceMemberChanged, InstanceMemberCascadeRemoved)
def owner_stripped(unit: Unit, _: Stream, event: Event) -> None:
    """Refuse to take the role from the last owner who can sign in."""
    user_id: str = event.user_id  # type: ignore[attr-defined] - the three families have it
    before = unit.found(Instance, unit.ctx.instance)
    if before and OWNER in before.members.roles.get(user_id, ()) and user_id not in owners_of(unit):
        _require_another_owner(unit, {user_id})


@cascades(OrgDeactivated)
def owners_org_stopped(unit: Unit, stream: Stream, _: OrgDeactivated) -> None:
    """Refuse to stop the organization of the last owner who can sign in."""
    _require_another_owner(unit, {id for id in owners_of(unit) if unit.load(User, id).owner == stream.id})


def owners_of(unit: Unit) -> set[str]:
    """The ids of the users who own the instance, people and service users."""
    members = unit.load(Instance, unit.ctx.instance).members.roles
    return {id for id, roles in members.items() if OWNER in roles}


def is_last_owner(unit: Unit, user_id: str) -> bool:
    """Whether the instance would be left without an owner who can sign in if this user could not any more."""
    owners = owners_of(unit)
    return user_id in owners and not _is_governed(unit, owners - {user_id}, by_person=_is_person(unit, user_id))


def _require_another_owner(unit: Unit, leaving: set[str]) -> None:
    """Raises FailedPrecondition when only those who leave could govern; a service user cannot stand in for a person.

    Who could not sign in before takes nothing away by leaving.
    """
    able = {id for id in leaving if _could_act(unit, id)}
    by_person = any(_is_person(unit, id) for id in able)
    if able and not _is_governed(unit, owners_of(unit) - leaving, by_person=by_person):
        raise FailedPrecondition("member.last_owner")


def _is_governed(unit: Unit, owners: set[str], *, by_person: bool) -> bool:
    """Whether one of them can act. Each that is read guards the change: two owners cannot stop each other at once."""
    return any((_is_person(unit, id) or not by_person) and _can_act(unit, id) for id in sorted(owners))


def _is_person(unit: Unit, user_id: str) -> bool:
    return unit.load(User, user_id).type == "human"


def _could_act(unit: Unit, user_id: str) -> bool:
    """Whether the user could sign in before anything was decided here."""
    unit.load(User, user_id)
    before = unit.found(User, user_id)
    return before is not None and before.state is UserState.ACTIVE


def _can_act(unit: Unit, user_id: str) -> bool:
    user = unit.load(User, user_id)
    return user.state is UserState.ACTIVE and unit.load(Org, user.owner).state is OrgState.ACTIVE
