"""A project: settings, roles, applications, grants, administrators."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from enum import IntEnum
from typing import Any, ClassVar, Self

from eventstore.aggregates import Aggregate, Claim
from eventstore.events import Event, camel
from iam.access.members import MemberAdded, MemberChanged, MemberRemoved, Members
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from iam.kernel.levels import Level
from projects.domain import events as facts
from projects.domain.uris import check_uris

LONGEST = 200
SETTINGS = ("project_role_assertion", "project_role_check", "has_project_check", "private_labeling_setting")
BASIC, POST, NONE, PRIVATE_KEY_JWT = 0, 1, 2, 3
CODE, MOST_SKEW = 0, timedelta(seconds=5)
AUTHORIZATION_CODE, IMPLICIT, REFRESH_TOKEN, DEVICE_CODE, TOKEN_EXCHANGE = range(5)


class State(IntEnum):
    """States of projects, applications and grants with their numbers in the API."""

    ABSENT = 0
    ACTIVE = 1
    INACTIVE = 2
    REMOVED = 3


@dataclass(frozen=True)
class OidcConfig:
    """How an application signs people in. Numbers as in the API's enums."""

    redirect_uris: tuple[str, ...] = ()
    response_types: tuple[int, ...] = (CODE,)
    grant_types: tuple[int, ...] = (AUTHORIZATION_CODE,)
    application_type: int = 0
    auth_method_type: int = BASIC
    post_logout_redirect_uris: tuple[str, ...] = ()
    dev_mode: bool = False
    access_token_type: int = 0
    access_token_role_assertion: bool = False
    id_token_role_assertion: bool = False
    id_token_userinfo_assertion: bool = False
    clock_skew: timedelta = timedelta(0)
    additional_origins: tuple[str, ...] = ()
    skip_native_app_success_page: bool = False
    back_channel_logout_uri: str = ""
    login_version: int = 0
    """0 as the instance says, 1 the older hosted login, 2 the one at `login_base_uri` (or the instance's)."""
    login_base_uri: str = ""

    def checked(self) -> Self:
        """The config itself; raises InvalidInput naming the field."""
        for name in ("redirect_uris", "post_logout_redirect_uris"):
            check_uris(getattr(self, name), dev_mode=self.dev_mode, field=camel(name))
        if not timedelta(0) <= self.clock_skew <= MOST_SKEW:
            raise InvalidInput("app.clock_skew_invalid", field="clockSkew")
        return self

    def differences(self, other: "OidcConfig") -> dict[str, Any]:
        """The fields in which this one differs from another."""
        return {name: value for name, value in asdict(self).items() if value != getattr(other, name)}


@dataclass(frozen=True)
class App:
    """An application inside its project."""

    name: str
    state: State = State.ACTIVE
    kind: str = ""  # oidc, api
    client_id: str = ""
    oidc: OidcConfig = field(default_factory=OidcConfig)
    api_method: int = 0
    has_secret: bool = False
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Grant:
    """Roles lent to an organization."""

    org_id: str
    roles: tuple[str, ...]
    state: State = State.ACTIVE
    members: Members = field(default_factory=lambda: Members(Level.GRANT))


@dataclass(frozen=True)
class Project(Aggregate):
    """One project."""

    kind: ClassVar[str] = "project"
    name: str = ""
    state: State = State.ABSENT
    settings: Mapping[str, Any] = field(default_factory=dict)
    roles: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    apps: Mapping[str, App] = field(default_factory=dict)
    grants: Mapping[str, Grant] = field(default_factory=dict)
    members: Members = field(default_factory=lambda: Members(Level.PROJECT))

    def add(self, *, name: str, settings: Mapping[str, Any]) -> list[Event]:
        """Create it."""
        if self.state is not State.ABSENT:
            raise AlreadyExists("project.id_already_exists", field="projectId")
        return [facts.ProjectAdded(name=checked_name(name), **settings)]

    def change(self, *, name: str | None, settings: Mapping[str, Any]) -> list[Event]:
        """Change name or settings; None leaves as it is."""
        self.must_exist()
        changed: dict[str, Any] = {
            one: value for one, value in settings.items() if value is not None and value != self.settings.get(one)
        }
        if name is not None and checked_name(name) != self.name:
            changed["name"] = checked_name(name)
        return [facts.ProjectChanged(**changed)] if changed else []

    def deactivate(self) -> list[Event]:
        """Let nobody sign in to its applications."""
        self.must_exist()
        if self.state is State.INACTIVE:
            raise FailedPrecondition("project.already_inactive")
        return [facts.ProjectDeactivated()]

    def reactivate(self) -> list[Event]:
        """Let people sign in again."""
        self.must_exist()
        if self.state is State.ACTIVE:
            raise FailedPrecondition("project.already_active")
        return [facts.ProjectReactivated()]

    def remove(self) -> list[Event]:
        """Delete it with everything in it; nothing happens when it is deleted already."""
        if self.state is State.REMOVED:
            return []
        self.must_exist()
        return [facts.ProjectRemoved()]

    def add_role(self, *, key: str, display_name: str, group: str) -> list[Event]:
        """Offer a role."""
        self.must_be_active()
        wanted = key.strip()
        if not 1 <= len(wanted) <= LONGEST or any(sign.isspace() and sign != " " for sign in wanted):
            raise InvalidInput("project.role_key_invalid", field="roleKey")
        if wanted in self.roles:
            raise AlreadyExists("project.role_already_exists", field="roleKey")
        return [facts.RoleAdded(key=wanted, display_name=display_name or wanted, group=group)]

    def change_role(self, *, key: str, display_name: str | None, group: str | None) -> list[Event]:
        """Give a role another name or group."""
        self.must_have_roles((key,))
        old_name, old_group = self.roles[key]
        name = display_name if display_name is not None and display_name != old_name else None
        other = group if group is not None and group != old_group else None
        return [] if name is None and other is None else [facts.RoleChanged(key=key, display_name=name, group=other)]

    def remove_role(self, key: str) -> list[Event]:
        """Take a role from everybody, and from the grants that lend it; nothing happens when there is none."""
        self.must_exist()
        if key not in self.roles:
            return []
        shrunk = [
            facts.GrantCascadeChanged(grant_id=id, role_keys=tuple(role for role in grant.roles if role != key))
            for id, grant in self.grants.items()
            if key in grant.roles
        ]
        return [facts.RoleRemoved(key=key), *shrunk]

    def lose_member(self, user_id: str, *, grant_id: str) -> list[Event]:
        """An administrator of the project, or of one of its grants, is removed as a user."""
        if not grant_id:
            return [facts.ProjectMemberCascadeRemoved(user_id=user_id)] if self.members.has(user_id) else []
        grant = self.grants.get(grant_id)
        held = grant is not None and grant.members.has(user_id)
        return [facts.GrantMemberCascadeRemoved(user_id=user_id, grant_id=grant_id)] if held else []

    def must_exist(self) -> None:
        """Raises NotFound."""
        if self.state in (State.ABSENT, State.REMOVED):
            raise NotFound("project.not_found")

    def must_be_active(self) -> None:
        """Raises NotFound, FailedPrecondition."""
        self.must_exist()
        if self.state is not State.ACTIVE:
            raise FailedPrecondition("project.inactive")

    def must_have_roles(self, keys: tuple[str, ...]) -> None:
        """Raises NotFound naming the role that is missing."""
        self.must_exist()
        for key in keys:
            if key not in self.roles:
                raise NotFound("project.role_not_found", field="roleKeys", reason=key[:LONGEST])

    def app(self, id: str) -> App:
        """One of its applications; raises NotFound."""
        self.must_exist()
        if id not in self.apps:
            raise NotFound("app.not_found")
        return self.apps[id]

    def grant(self, id: str) -> Grant:
        """One of its grants; raises NotFound."""
        self.must_exist()
        if id not in self.grants:
            raise NotFound("grant.not_found")
        return self.grants[id]

    def add_member(self, user_id: str, roles: tuple[str, ...]) -> list[Event]:
        """Make a user administrator of the project."""
        self.must_exist()
        return [facts.ProjectMemberAdded(user_id=user_id, roles=self.members.check_add(user_id, roles))]

    def change_member(self, user_id: str, roles: tuple[str, ...]) -> list[Event]:
        """Give an administrator other roles."""
        self.must_exist()
        wanted = self.members.check_change(user_id, roles)
        return [facts.ProjectMemberChanged(user_id=user_id, roles=wanted)] if wanted else []

    def remove_member(self, user_id: str) -> list[Event]:
        """Take an administrator's rights; nothing happens to who has none."""
        self.must_exist()
        return [facts.ProjectMemberRemoved(user_id=user_id)] if self.members.has(user_id) else []

    def apply(self, fact: Event) -> Self:
        """The project after a fact."""
        match fact:
            case facts.ProjectAdded():
                settings = {one: getattr(fact, one) for one in SETTINGS}
                return replace(self, name=fact.name, settings=settings, state=State.ACTIVE)
            case facts.ProjectChanged():
                given = {one: getattr(fact, one) for one in SETTINGS if getattr(fact, one) is not None}
                return replace(self, name=fact.name or self.name, settings={**self.settings, **given})
            case facts.ProjectDeactivated():
                return replace(self, state=State.INACTIVE)
            case facts.ProjectReactivated():
                return replace(self, state=State.ACTIVE)
            case facts.ProjectRemoved():
                return replace(self, state=State.REMOVED)
            case facts.RoleAdded(key=key, display_name=name, group=group):
                return replace(self, roles={**self.roles, key: (name, group)})
            case facts.RoleChanged(key=key, display_name=name, group=group) if key in self.roles:
                old = self.roles[key]
                new = (old[0] if name is None else name, old[1] if group is None else group)
                return replace(self, roles={**self.roles, key: new})
            case facts.RoleRemoved(key=key):
                return replace(self, roles=_without(self.roles, key))
            case MemberAdded(grant_id=id) | MemberChanged(grant_id=id) | MemberRemoved(grant_id=id) if id:
                grant = self.grants.get(id)
                held = replace(grant, members=grant.members.apply(fact)) if grant else None
                return replace(self, grants={**self.grants, id: held}) if held else self
            case MemberAdded() | MemberChanged() | MemberRemoved():
                return replace(self, members=self.members.apply(fact))
            case facts.GrantAdded(grant_id=id, granted_org_id=org, role_keys=roles):
                return replace(self, grants={**self.grants, id: Grant(org, roles)})
            case facts.GrantRemoved(grant_id=id):
                return replace(self, grants=_without(self.grants, id))
        return replace(self, apps=app_after(self.apps, fact), grants=grant_after(self.grants, fact))

    def claims(self) -> frozenset[Claim]:
        """Its name in its organization, its roles, applications, client ids, grants, administrators."""
        if self.state in (State.ABSENT, State.REMOVED):
            return frozenset()
        return frozenset(
            {
                Claim("project_names", f"{self.name}{self.owner}", "project.already_exists"),
                *(Claim("project_role", f"{key}:{self.id}", "project.role_already_exists") for key in self.roles),
                *(Claim("appname", f"{app.name}:{self.id}", "app.already_exists") for app in self.apps.values()),
                *(Claim("app_id", id, "app.id_already_exists") for id in self.apps),
                *(
                    Claim("client_id", app.client_id, "app.client_id_taken")
                    for app in self.apps.values()
                    if app.client_id
                ),
                *(
                    Claim("project_grant", f"{grant.org_id}:{self.id}", "grant.already_exists")
                    for grant in self.grants.values()
                ),
                *self.members.claims(self.id),
            }
        )


def app_after(apps: Mapping[str, App], fact: Event) -> Mapping[str, App]:
    """The applications after a fact of one of them."""
    match fact:
        case facts.AppAdded(app_id=id, name=name):
            return {**apps, id: App(name)}
        case facts.AppRemoved(app_id=id):
            return _without(apps, id)
        case facts.AppChanged(app_id=id, name=name):
            return _with(apps, id, name=name)
        case facts.AppDeactivated(app_id=id):
            return _with(apps, id, state=State.INACTIVE)
        case facts.AppReactivated(app_id=id):
            return _with(apps, id, state=State.ACTIVE)
        case facts.OidcConfigAdded(app_id=id, client_id=client, hashed_secret=secret):
            config = OidcConfig(**{one: getattr(fact, one) for one in OidcConfig.__dataclass_fields__})
            return _with(apps, id, kind="oidc", client_id=client, oidc=config, has_secret=bool(secret))
        case facts.OidcConfigChanged(app_id=id) if id in apps:
            given = {
                one: getattr(fact, one) for one in OidcConfig.__dataclass_fields__ if getattr(fact, one) is not None
            }
            return _with(apps, id, oidc=replace(apps[id].oidc, **given))
        case facts.ApiConfigAdded(app_id=id, client_id=client, hashed_secret=secret, auth_method_type=method):
            return _with(apps, id, kind="api", client_id=client, api_method=method, has_secret=bool(secret))
        case facts.ApiConfigChanged(app_id=id, auth_method_type=method) if method is not None:
            return _with(apps, id, api_method=method)
        case facts.OidcSecretChanged(app_id=id) | facts.ApiSecretChanged(app_id=id):
            return _with(apps, id, has_secret=True)
        case facts.AppKeyAdded(application_id=id, key_id=key) if id in apps:
            return _with(apps, id, keys=apps[id].keys | {key})
        case facts.AppKeyRemoved(key_id=key):
            return {id: replace(app, keys=app.keys - {key}) for id, app in apps.items()}
    return apps


def grant_after(grants: Mapping[str, Grant], fact: Event) -> Mapping[str, Grant]:
    """The grants after a fact of one of them."""
    match fact:
        case facts.GrantChanged(grant_id=id, role_keys=roles):
            return _with(grants, id, roles=roles)
        case facts.GrantDeactivated(grant_id=id):
            return _with(grants, id, state=State.INACTIVE)
        case facts.GrantReactivated(grant_id=id):
            return _with(grants, id, state=State.ACTIVE)
    return grants


def _with(things: Mapping[str, Any], id: str, **changed: Any) -> Mapping[str, Any]:
    return {**things, id: replace(things[id], **changed)} if id in things else things


def _without(things: Mapping[str, Any], id: str) -> Mapping[str, Any]:
    return {one: held for one, held in things.items() if one != id}


def checked_name(name: str) -> str:
    """A name of 1 to 200 characters; raises InvalidInput."""
    if not 1 <= len(name.strip()) <= LONGEST:
        raise InvalidInput("project.name_invalid", field="name")
    return name.strip()
