"""The family of membership facts, and the memberships that an aggregate carries.

Each level declares its own facts under its own stored names (`OrgMemberAdded(MemberAdded)` …);
this room listens for the families, so it serves the rooms above without importing them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from eventstore.aggregates import Claim
from eventstore.events import Event
from iam.access.roles import check_roles
from iam.kernel.errors import AlreadyExists, InvalidInput, NotFound
from iam.kernel.levels import Level


@dataclass(frozen=True, kw_only=True)
class MemberAdded(Event):
    """A user became administrator. `grant_id` only on project grants."""

    level: ClassVar[Level]
    user_id: str = ""
    roles: tuple[str, ...] = ()
    grant_id: str = ""


@dataclass(frozen=True, kw_only=True)
class MemberChanged(Event):
    """An administrator's roles were replaced."""

    level: ClassVar[Level]
    user_id: str = ""
    roles: tuple[str, ...] = ()
    grant_id: str = ""


@dataclass(frozen=True, kw_only=True)
class MemberRemoved(Event):
    """A user is no longer administrator here."""

    level: ClassVar[Level]
    user_id: str = ""
    grant_id: str = ""


class LevelRemoved(Event):
    """Family: the org, project, project grant or instance that is removed takes its memberships with it."""

    level: ClassVar[Level]

    def resource(self, stream_id: str) -> str:
        """What is removed: the stream itself, if not something in it."""
        return stream_id


class HolderRemoved(Event):
    """Family: the user (stream id) who is removed loses every membership."""


def takes_from(user_id: str, grant_id: str = "") -> Callable[[Event], bool]:
    """Whether a fact says that a user administers no more, or no more a project grant."""
    return lambda fact: isinstance(fact, MemberRemoved) and (fact.user_id, fact.grant_id) == (user_id, grant_id)


@dataclass(frozen=True)
class Members:
    """The administrators of one resource: user id → roles. Decisions answer what the fact must hold."""

    level: Level
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def check_add(self, user_id: str, roles: Iterable[str]) -> tuple[str, ...]:
        """The roles to add; raises AlreadyExists, InvalidInput."""
        if not user_id:
            raise InvalidInput("member.user_missing", field="userId")
        if user_id in self.roles:
            raise AlreadyExists("member.already_exists", field="userId")
        return check_roles(self.level, roles)

    def check_change(self, user_id: str, roles: Iterable[str]) -> tuple[str, ...]:
        """The roles to set, none when nothing changes; raises NotFound, InvalidInput."""
        wanted = check_roles(self.level, roles)
        return () if self.roles_of(user_id) == wanted else wanted

    def roles_of(self, user_id: str) -> tuple[str, ...]:
        """The roles of a member; raises NotFound."""
        if user_id not in self.roles:
            raise NotFound("member.not_found")
        return self.roles[user_id]

    def has(self, user_id: str) -> bool:
        """Whether a user is among them."""
        return user_id in self.roles

    def apply(self, fact: Event) -> Self:
        """The members after a fact of this level."""
        match fact:
            case MemberAdded(user_id=user_id, roles=roles) | MemberChanged(user_id=user_id, roles=roles):
                return self._with({**self.roles, user_id: roles})
            case MemberRemoved(user_id=user_id):
                return self._with({id: held for id, held in self.roles.items() if id != user_id})
        return self

    def _with(self, roles: Mapping[str, tuple[str, ...]]) -> Self:
        return type(self)(self.level, roles)

    def claims(self, resource_id: str) -> frozenset[Claim]:
        """One claim per member (reference/eventstore.md §2, `member`)."""
        return frozenset(Claim("member", f"{resource_id}:{user}", "member.already_exists") for user in self.roles)
