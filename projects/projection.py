"""Keeps the tables of projects."""

from typing import Any

from django.db.models import Q, QuerySet

from eventstore.events import Event, told
from eventstore.prepared import prepared
from eventstore.reading import owner_of
from eventstore.store import Recorded, Stream
from orgs.domain.events import OrgRemoved
from projections.projection import Projection, on, update_row
from projects import user_names
from projects.domain import events as facts
from projects.domain.project import SETTINGS, OidcConfig, State
from projects.models import AppKeyRow, AppRow, ProjectGrantRow, ProjectRow, RoleRow, UserGrantRow
from users.domain.events import UserRemoved
from users.domain.user import User
from users.models import UserRow
from users.projection import secret_columns

CONFIG = tuple(OidcConfig.__dataclass_fields__)


class Projects(Projection):
    """One row per project, role, application, key and grant."""

    name = "projects"
    tables = (ProjectRow, RoleRow, AppRow, AppKeyRow, ProjectGrantRow)

    @on(facts.ProjectAdded)
    def added(self, at: Recorded, fact: facts.ProjectAdded) -> None:
        """A project."""
        settings = {name: getattr(fact, name) for name in SETTINGS}
        ProjectRow.objects.create(**_new(at, at.stream.id), org_id=at.owner, name=fact.name, **settings)

    @on(facts.ProjectChanged)
    def changed(self, at: Recorded, fact: facts.ProjectChanged) -> None:
        """Other settings."""
        _project(at, **told(fact, "name", *SETTINGS))

    @on(facts.ProjectDeactivated)
    def deactivated(self, at: Recorded, _: Event) -> None:
        """It rests."""
        _project(at, state=State.INACTIVE)

    @on(facts.ProjectReactivated)
    def reactivated(self, at: Recorded, _: Event) -> None:
        """It works again."""
        _project(at, state=State.ACTIVE)

    @on(facts.ProjectRemoved)
    def removed(self, at: Recorded, _: Event) -> None:
        """Gone with everything in it."""
        ProjectRow.objects.filter(instance_id=at.stream.instance, id=at.stream.id).delete()
        for table in (RoleRow, AppRow, AppKeyRow, ProjectGrantRow):
            table.objects.filter(instance_id=at.stream.instance, project_id=at.stream.id).delete()

    @on(facts.RoleAdded)
    def role_added(self, at: Recorded, fact: facts.RoleAdded) -> None:
        """A role."""
        RoleRow.objects.create(
            instance_id=at.stream.instance,
            project_id=at.stream.id,
            org_id=at.owner,
            key=fact.key,
            display_name=fact.display_name,
            group=fact.group,
            created_at=at.at,
            changed_at=at.at,
        )

    @on(facts.RoleChanged)
    def role_changed(self, at: Recorded, fact: facts.RoleChanged) -> None:
        """Another name."""
        _role(at, fact.key).update(changed_at=at.at, **told(fact, "display_name", "group"))

    @on(facts.RoleRemoved)
    def role_removed(self, at: Recorded, fact: facts.RoleRemoved) -> None:
        """Gone."""
        _role(at, fact.key).delete()

    @on(facts.AppAdded)
    def app_added(self, at: Recorded, fact: facts.AppAdded) -> None:
        """An application."""
        AppRow.objects.create(**_new(at, fact.app_id), project_id=at.stream.id, org_id=at.owner, name=fact.name)

    @on(facts.AppChanged)
    def app_changed(self, at: Recorded, fact: facts.AppChanged) -> None:
        """Another name."""
        _app(at, fact.app_id, name=fact.name)

    @on(facts.AppDeactivated)
    def app_deactivated(self, at: Recorded, fact: facts.AppDeactivated) -> None:
        """Refused."""
        _app(at, fact.app_id, state=State.INACTIVE)

    @on(facts.AppReactivated)
    def app_reactivated(self, at: Recorded, fact: facts.AppReactivated) -> None:
        """Accepted again."""
        _app(at, fact.app_id, state=State.ACTIVE)

    @on(facts.AppRemoved)
    def app_removed(self, at: Recorded, fact: facts.AppRemoved) -> None:
        """Gone."""
        AppRow.objects.filter(instance_id=at.stream.instance, id=fact.app_id).delete()
        AppKeyRow.objects.filter(instance_id=at.stream.instance, app_id=fact.app_id).delete()

    @on(facts.OidcConfigAdded)
    def oidc_added(self, at: Recorded, fact: facts.OidcConfigAdded) -> None:
        """How it signs people in."""
        config = _columns(told(fact, *CONFIG))
        _app(at, fact.app_id, kind="oidc", client_id=fact.client_id, secret_hash=fact.hashed_secret, **config)

    @on(facts.OidcConfigChanged)
    def oidc_changed(self, at: Recorded, fact: facts.OidcConfigChanged) -> None:
        """Other settings."""
        _app(at, fact.app_id, **_columns(told(fact, *CONFIG)))

    @on(facts.ApiConfigAdded)
    def api_added(self, at: Recorded, fact: facts.ApiConfigAdded) -> None:
        """It checks tokens."""
        _app(
            at,
            fact.app_id,
            kind="api",
            client_id=fact.client_id,
            secret_hash=fact.hashed_secret,
            auth_method_type=fact.auth_method_type,
        )

    @on(facts.ApiConfigChanged)
    def api_changed(self, at: Recorded, fact: facts.ApiConfigChanged) -> None:
        """Another way to authenticate."""
        _app(at, fact.app_id, **told(fact, "auth_method_type"))

    @on(facts.OidcSecretChanged, facts.ApiSecretChanged)
    def secret_changed(self, at: Recorded, fact: facts.OidcSecretChanged) -> None:
        """Another secret."""
        _app(at, fact.app_id, **secret_columns(fact))

    @on(facts.AppKeyAdded)
    def key_added(self, at: Recorded, fact: facts.AppKeyAdded) -> None:
        """A key."""
        AppKeyRow.objects.create(
            instance_id=at.stream.instance,
            id=fact.key_id,
            app_id=fact.application_id,
            project_id=at.stream.id,
            org_id=at.owner,
            client_id=fact.client_id,
            public_key=fact.public_key.decode(),
            expires_at=fact.expiration_date,
            created_at=at.at,
        )

    @on(facts.AppKeyRemoved)
    def key_removed(self, at: Recorded, fact: facts.AppKeyRemoved) -> None:
        """No key."""
        AppKeyRow.objects.filter(instance_id=at.stream.instance, id=fact.key_id).delete()

    @on(facts.GrantAdded)
    def grant_added(self, at: Recorded, fact: facts.GrantAdded) -> None:
        """Roles are lent."""
        ProjectGrantRow.objects.create(
            **_new(at, fact.grant_id),
            project_id=at.stream.id,
            org_id=at.owner,
            granted_org_id=fact.granted_org_id,
            roles=list(fact.role_keys),
        )

    @on(facts.GrantChanged)
    def grant_changed(self, at: Recorded, fact: facts.GrantChanged) -> None:
        """Other roles."""
        _grant(at, fact.grant_id, roles=list(fact.role_keys))

    @on(facts.GrantDeactivated)
    def grant_deactivated(self, at: Recorded, fact: facts.GrantDeactivated) -> None:
        """It rests."""
        _grant(at, fact.grant_id, state=State.INACTIVE)

    @on(facts.GrantReactivated)
    def grant_reactivated(self, at: Recorded, fact: facts.GrantReactivated) -> None:
        """It counts again."""
        _grant(at, fact.grant_id, state=State.ACTIVE)

    @on(facts.GrantRemoved)
    def grant_removed(self, at: Recorded, fact: facts.GrantRemoved) -> None:
        """Taken back."""
        ProjectGrantRow.objects.filter(instance_id=at.stream.instance, id=fact.grant_id).delete()

    @on(OrgRemoved)
    def org_removed(self, at: Recorded, _: OrgRemoved) -> None:
        """The organization takes its projects, and what was lent to it."""
        for table in (ProjectRow, RoleRow, AppRow, AppKeyRow, ProjectGrantRow):
            table.objects.filter(instance_id=at.stream.instance, org_id=at.stream.id).delete()
        ProjectGrantRow.objects.filter(instance_id=at.stream.instance, granted_org_id=at.stream.id).delete()


class Authorizations(Projection):
    """One row per authorization."""

    name = "authorizations"
    tables = (UserGrantRow,)
    by_database = user_names.COLUMNS

    @on(facts.UserGrantAdded)
    def added(self, at: Recorded, fact: facts.UserGrantAdded) -> None:
        """Roles were given."""
        UserGrantRow.objects.create(
            **_new(at, at.stream.id),
            org_id=at.owner,
            user_id=fact.user_id,
            user_org_id=_org_of(at, fact.user_id),
            project_id=fact.project_id,
            grant_id=fact.grant_id,
            roles=list(fact.role_keys),
        )

    @on(facts.UserGrantChanged, facts.UserGrantCascadeChanged)
    def changed(self, at: Recorded, fact: facts.UserGrantChanged) -> None:
        """Other roles."""
        _user_grant(at, roles=list(fact.role_keys))

    @on(facts.UserGrantDeactivated)
    def deactivated(self, at: Recorded, _: Event) -> None:
        """They rest."""
        _user_grant(at, state=State.INACTIVE)

    @on(facts.UserGrantReactivated)
    def reactivated(self, at: Recorded, _: Event) -> None:
        """They count again."""
        _user_grant(at, state=State.ACTIVE)

    @on(facts.UserGrantRemoved, facts.UserGrantCascadeRemoved)
    def removed(self, at: Recorded, _: Event) -> None:
        """Taken."""
        UserGrantRow.objects.filter(instance_id=at.stream.instance, id=at.stream.id).delete()

    @on(UserRemoved)
    def user_removed(self, at: Recorded, _: UserRemoved) -> None:
        """Gone with the user."""
        UserGrantRow.objects.filter(instance_id=at.stream.instance, user_id=at.stream.id).delete()

    @on(facts.ProjectRemoved)
    def project_removed(self, at: Recorded, _: Event) -> None:
        """Gone with the project."""
        UserGrantRow.objects.filter(instance_id=at.stream.instance, project_id=at.stream.id).delete()

    @on(facts.GrantRemoved)
    def grant_removed(self, at: Recorded, fact: facts.GrantRemoved) -> None:
        """Gone with what was lent."""
        UserGrantRow.objects.filter(instance_id=at.stream.instance, grant_id=fact.grant_id).delete()

    @on(facts.RoleRemoved)
    def role_removed(self, at: Recorded, fact: facts.RoleRemoved) -> None:
        """Nobody holds a role that is gone."""
        rows = UserGrantRow.objects.filter(instance_id=at.stream.instance, project_id=at.stream.id)
        _drop(rows, lambda role: role != fact.key)

    @on(facts.GrantChanged)
    def grant_changed(self, at: Recorded, fact: facts.GrantChanged) -> None:
        """Nobody holds what is lent no more."""
        rows = UserGrantRow.objects.filter(instance_id=at.stream.instance, grant_id=fact.grant_id)
        _drop(rows, lambda role: role in fact.role_keys)

    @on(OrgRemoved)
    def org_removed(self, at: Recorded, _: OrgRemoved) -> None:
        """Gone with the organization that gave them, and with its users."""
        rows = UserGrantRow.objects.filter(instance_id=at.stream.instance)
        rows.filter(Q(org_id=at.stream.id) | Q(user_org_id=at.stream.id)).delete()


def _org_of(at: Recorded, user_id: str) -> str:
    """The organization of a user, who never moves; while facts are replayed the user may be gone."""
    found = _owner.first(instance=at.stream.instance, id=user_id)
    return found["org_id"] if found else owner_of(Stream(at.stream.instance, User.kind, user_id))


@prepared
def _owner(instance: str, id: str) -> "QuerySet[Any, Any]":
    return UserRow.objects.filter(instance_id=instance, id=id).values("org_id")


def _drop(rows: Any, keeps: Any) -> None:
    for row in rows:
        kept = [role for role in row.roles if keeps(role)]
        if kept != row.roles:
            UserGrantRow.objects.filter(instance_id=row.instance_id, id=row.id).update(roles=kept)


def _new(at: Recorded, id: str) -> dict[str, Any]:
    return {
        "instance_id": at.stream.instance,
        "id": id,
        "created_at": at.at,
        "changed_at": at.at,
        "version": at.version,
    }


def _project(at: Recorded, **columns: Any) -> None:
    update_row(ProjectRow, at, at.stream.id, **columns)


def _role(at: Recorded, key: str) -> Any:
    return RoleRow.objects.filter(instance_id=at.stream.instance, project_id=at.stream.id, key=key)


def _app(at: Recorded, id: str, **columns: Any) -> None:
    update_row(AppRow, at, id, **columns)


def _grant(at: Recorded, id: str, **columns: Any) -> None:
    update_row(ProjectGrantRow, at, id, **columns)


def _user_grant(at: Recorded, **columns: Any) -> None:
    update_row(UserGrantRow, at, at.stream.id, **columns)


def _columns(config: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in config.items()}
