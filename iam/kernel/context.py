"""Who asks, where, with which rights and tools: the one argument that every command and query takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from eventstore.events import Activity
from eventstore.store import Origin, Store, Stream, Use
from iam.kernel.errors import DeadlineExceeded, NotFound, PermissionDenied, Unauthenticated
from iam.kernel.expected import Expected
from iam.kernel.levels import Level, Resource
from iam.kernel.ports import Ports

Permissions = frozenset[str]
NONE: Permissions = frozenset()


@dataclass(frozen=True)
class Rights:
    """Permissions by level. A level reaches itself and everything below it."""

    instance: Permissions = NONE
    orgs: Mapping[str, Permissions] = field(default_factory=dict)
    projects: Mapping[str, Permissions] = field(default_factory=dict)
    grants: Mapping[str, Permissions] = field(default_factory=dict)
    unlimited: bool = False

    def allow(self, permission: str, *resources: Resource) -> bool:
        """Whether the permission is held at one of these, or above all of them: over the instance."""
        above = self.unlimited or permission in self.instance
        return above or any(permission in self._held(one) for one in resources)

    def _held(self, resource: Resource) -> Permissions:
        """By level and id: what is held over a project says nothing of a grant that has the same id."""
        match resource.level:
            case Level.ORG:
                return self.orgs.get(resource.id, NONE)
            case Level.PROJECT:
                return self.projects.get(resource.id, NONE)
            case Level.GRANT:
                return self.grants.get(resource.id, NONE)
        return NONE

    def without_org(self, id: str) -> "Rights":
        """The same without what is held over the organization of an id."""
        if id not in self.orgs:
            return self
        return replace(self, orgs={org: held for org, held in self.orgs.items() if org != id})

    def anywhere(self, permission: str) -> bool:
        """Whether the permission is held on any level at all."""
        levels = (self.orgs, self.projects, self.grants)
        return (
            self.unlimited
            or permission in self.instance
            or any(permission in held for level in levels for held in level.values())
        )

    def reach(self, permission: str) -> "Reach":
        """Where the permission is held, for filtering lists."""
        return Reach(
            everywhere=self.unlimited or permission in self.instance,
            orgs=_holding(self.orgs, permission),
            projects=_holding(self.projects, permission),
            grants=_holding(self.grants, permission),
        )


@dataclass(frozen=True)
class Reach:
    """The part of the instance in which a permission is held."""

    everywhere: bool
    orgs: frozenset[str]
    projects: frozenset[str]
    grants: frozenset[str]


def _holding(level: Mapping[str, Permissions], permission: str) -> frozenset[str]:
    return frozenset(id for id, held in level.items() if permission in held)


@dataclass(frozen=True)
class Caller:
    """Who is calling: a user with a token, a system process, or nobody (`user_id` empty)."""

    user_id: str = ""
    org_id: str = ""
    kind: str = "nobody"  # human, machine, system, nobody
    token_id: str = ""
    client_id: str = ""
    session_id: str = ""
    scopes: tuple[str, ...] = ()
    authenticated_at: datetime | None = None


@dataclass
class Deadline:
    """The moment at which the caller stops waiting. Whoever has begun to change things finishes, so nothing stays half done."""

    at: datetime
    begun: bool = False

    def begin(self, now: datetime) -> None:
        """Refuse the first change of a request that is late."""
        if not self.begun and now >= self.at:
            raise DeadlineExceeded("api.deadline_exceeded")
        self.begun = True


@dataclass(frozen=True)
class Context:
    """One request. Frozen; commands and queries get everything from here."""

    instance: str
    store: Store
    ports: Ports
    caller: Caller = field(default_factory=Caller)
    rights: Rights = field(default_factory=Rights)
    asked_org: str = ""
    base_url: str = ""
    public_url: str = ""
    origin: Origin = field(default_factory=Origin)
    deadline: Deadline | None = None
    expected: Expected | None = None

    @property
    def actor(self) -> str:
        """The id written beside each fact as who did it."""
        return self.caller.user_id

    @property
    def org_id(self) -> str:
        """The organization this request acts in: the one asked for, else the caller's own."""
        return self.asked_org or self.caller.org_id

    @property
    def links_url(self) -> str:
        """The origin of links in letters: a login of one's own where the caller named one, else ours."""
        return self.public_url or self.base_url

    def now(self) -> datetime:
        """The request's clock."""
        return self.ports.now()

    def begin_change(self) -> None:
        """Refuse when the caller has stopped waiting already."""
        if self.deadline:
            self.deadline.begin(self.now())

    def authenticated(self) -> None:
        """Refuse nobody."""
        if not self.caller.user_id:
            raise Unauthenticated("auth.missing")

    def allows(self, permission: str, owner: str = "", resource: Resource | None = None) -> bool:
        """Whether the permission holds for a thing of `owner`, an organization or the instance; `resource` is the thing
        itself, where rights may be held over it."""
        own = Resource(Level.INSTANCE if owner == self.instance else Level.ORG, owner)
        return self.rights.allow(permission, own, *([resource] if resource else []))

    def require(self, permission: str, owner: str = "", resource: Resource | None = None) -> None:
        """Refuse unless the permission holds for a thing of `owner`.

        A thing of a foreign organization that the caller may not read looks like a missing one
        (checklist T02); inside the caller's own organization the refusal says so.
        """
        self.authenticated()
        if self.allows(permission, owner, resource):
            return
        reading = permission.rsplit(".", 1)[0] + ".read"
        if owner == self.caller.org_id or self.allows(reading, owner, resource):
            raise PermissionDenied("auth.permission_denied")
        if not self.rights.anywhere(permission):
            raise PermissionDenied("auth.permission_denied")
        raise NotFound(f"{permission.split('.', 1)[0]}.not_found")

    def require_self_or(self, permission: str, user_id: str, owner: str = "") -> None:
        """Refuse unless the thing is the caller's own or the permission holds."""
        self.authenticated()
        if user_id != self.caller.user_id:
            self.require(permission, owner)

    def reach(self, permission: str) -> Reach:
        """Where the caller holds a permission; every list starts from it."""
        self.authenticated()
        return self.rights.reach(permission)

    def stream(self, kind: str, id: str) -> Stream:
        """The address of an aggregate of this instance."""
        return Stream(self.instance, kind, id)

    def note(self, kind: str, id: str, what: Activity, *, owner: str = "", actor: str = "") -> None:
        """Record use (sign-in, token issued), which is not state."""
        use = Use(self.stream(kind, id), what, owner or self.org_id, actor or self.actor, self.now(), self.origin)
        self.store.note([use])
