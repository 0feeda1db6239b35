"""Decisions about grants of a project to organizations, and the authorizations of users."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from eventstore.aggregates import Aggregate, Claim
from eventstore.events import Event
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from projects.domain import events as facts
from projects.domain.project import Project, State


def add_grant(project: Project, *, id: str, org_id: str, roles: tuple[str, ...]) -> list[Event]:
    """Lend roles to an organization."""
    project.must_be_active()
    project.must_have_roles(roles)
    if org_id == project.owner:
        raise FailedPrecondition("grant.own_org", field="grantedOrganizationId")
    if find_grant_to(project, org_id):
        raise AlreadyExists("grant.already_exists", field="grantedOrganizationId")
    return [facts.GrantAdded(grant_id=id, granted_org_id=org_id, role_keys=_once(roles))]


def change_grant(project: Project, id: str, roles: tuple[str, ...]) -> list[Event]:
    """Lend other roles; their order is kept."""
    grant = project.grant(id)
    project.must_have_roles(roles)
    return [] if grant.roles == _once(roles) else [facts.GrantChanged(grant_id=id, role_keys=_once(roles))]


def _once(roles: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(roles))


def deactivate_grant(project: Project, id: str) -> list[Event]:
    """Let a grant rest; nothing happens when it does already."""
    return [] if project.grant(id).state is State.INACTIVE else [facts.GrantDeactivated(grant_id=id)]


def reactivate_grant(project: Project, id: str) -> list[Event]:
    """Let a grant count again; nothing happens when it does already."""
    return [] if project.grant(id).state is State.ACTIVE else [facts.GrantReactivated(grant_id=id)]


def remove_grant(project: Project, id: str) -> list[Event]:
    """Take everything back; nothing happens when it is back already."""
    project.must_exist()
    return [facts.GrantRemoved(grant_id=id)] if id in project.grants else []


def find_grant_to(project: Project, org_id: str) -> str:
    """The id of the grant by which an organization was lent the project, at rest or not; empty for none."""
    return next((id for id, grant in project.grants.items() if grant.org_id == org_id), "")


def grant_of(project: Project, org_id: str) -> str:
    """The id of the active grant by which an organization may give roles; empty for the owner itself.

    Raises NotFound for an organization that neither owns the project nor holds a grant (checklist T07).
    """
    project.must_be_active()
    if org_id == project.owner:
        return ""
    for id, grant in project.grants.items():
        if grant.org_id == org_id and grant.state is State.ACTIVE:
            return id
    raise NotFound("project.not_found")


def may_give(project: Project, grant_id: str, roles: tuple[str, ...]) -> None:
    """Raises unless the roles exist, and are lent where a grant is used (checklist T07)."""
    project.must_have_roles(roles)
    if grant_id:
        lent = project.grant(grant_id).roles
        for role in roles:
            if role not in lent:
                raise InvalidInput("authorization.role_not_granted", field="roleKeys", reason=role)


@dataclass(frozen=True)
class UserGrant(Aggregate):
    """A user holds roles of a project. Owned by the organization that gave them."""

    kind: ClassVar[str] = "usergrant"
    state: State = State.ABSENT
    user_id: str = ""
    project_id: str = ""
    grant_id: str = ""
    roles: tuple[str, ...] = ()

    def add(self, *, user_id: str, project_id: str, grant_id: str, roles: tuple[str, ...]) -> list[Event]:
        """Give roles."""
        if self.state is not State.ABSENT:
            raise AlreadyExists("authorization.already_exists")
        given = facts.UserGrantAdded(user_id=user_id, project_id=project_id, grant_id=grant_id, role_keys=_once(roles))
        return [given]

    def change(self, roles: tuple[str, ...]) -> list[Event]:
        """Give other roles; their order is kept."""
        self.must_exist()
        return [] if self.roles == _once(roles) else [facts.UserGrantChanged(role_keys=_once(roles))]

    @property
    def is_alive(self) -> bool:
        """Whether it was given and not taken."""
        return self.state not in (State.ABSENT, State.REMOVED)

    def shrink(self, keeps: Callable[[str], bool]) -> list[Event]:
        """Keep only what is still allowed above."""
        kept = tuple(role for role in self.roles if keeps(role))
        return [facts.UserGrantCascadeChanged(role_keys=kept)] if self.is_alive and kept != self.roles else []

    def deactivate(self) -> list[Event]:
        """Let the roles rest; nothing happens when they do already."""
        self.must_exist()
        return [] if self.state is State.INACTIVE else [facts.UserGrantDeactivated()]

    def reactivate(self) -> list[Event]:
        """Let the roles count again; nothing happens when they do already."""
        self.must_exist()
        return [] if self.state is State.ACTIVE else [facts.UserGrantReactivated()]

    def remove(self, *, cascade: bool = False) -> list[Event]:
        """Take the roles; nothing happens when they are taken already."""
        if self.state is State.REMOVED:
            return []
        self.must_exist()
        return [facts.UserGrantCascadeRemoved() if cascade else facts.UserGrantRemoved()]

    def must_exist(self) -> None:
        """Raises NotFound."""
        if not self.is_alive:
            raise NotFound("authorization.not_found")

    def apply(self, fact: Event) -> Self:
        """The authorization after a fact."""
        match fact:
            case facts.UserGrantAdded():
                return replace(
                    self,
                    state=State.ACTIVE,
                    user_id=fact.user_id,
                    project_id=fact.project_id,
                    grant_id=fact.grant_id,
                    roles=fact.role_keys,
                )
            case facts.UserGrantChanged(role_keys=roles) | facts.UserGrantCascadeChanged(role_keys=roles):
                return replace(self, roles=roles)
            case facts.UserGrantDeactivated():
                return replace(self, state=State.INACTIVE)
            case facts.UserGrantReactivated():
                return replace(self, state=State.ACTIVE)
            case facts.UserGrantRemoved() | facts.UserGrantCascadeRemoved():
                return replace(self, state=State.REMOVED)
        return self

    def claims(self) -> frozenset[Claim]:
        """One authorization per owner, user, project and grant."""
        if not self.is_alive:
            return frozenset()
        value = f"{self.owner}:{self.user_id}:{self.project_id}:{self.grant_id}"
        return frozenset({Claim("user_grant", value, "authorization.already_exists")})
