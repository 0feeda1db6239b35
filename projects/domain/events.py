"""What can happen to a project and to an authorization (reference/events.tsv)."""

from datetime import datetime, timedelta

from eventstore.events import Event, NewId, event, key
from iam.access.members import LevelRemoved, MemberAdded, MemberChanged, MemberRemoved
from iam.kernel.levels import Level


@event("project.added")
class ProjectAdded(Event):
    """A project."""

    name: str = ""
    project_role_assertion: bool = False
    project_role_check: bool = False
    has_project_check: bool = False
    private_labeling_setting: int = 0


@event("project.changed")
class ProjectChanged(Event):
    """Its name or settings changed."""

    name: str | None = None
    project_role_assertion: bool | None = None
    project_role_check: bool | None = None
    has_project_check: bool | None = None
    private_labeling_setting: int | None = None


@event("project.deactivated")
class ProjectDeactivated(Event):
    """Nobody signs in to its applications."""


@event("project.reactivated")
class ProjectReactivated(Event):
    """People sign in again."""


@event("project.removed")
class ProjectRemoved(LevelRemoved):
    """It is gone with everything in it."""

    level = Level.PROJECT


@event("project.role.added")
class RoleAdded(Event):
    """A role that users can hold."""

    key: str = ""
    display_name: str = ""
    group: str = ""


@event("project.role.changed")
class RoleChanged(Event):
    """Another name or group."""

    key: str = ""
    display_name: str | None = None
    group: str | None = None


@event("project.role.removed")
class RoleRemoved(Event):
    """Nobody holds the role any more."""

    key: str = ""


@event("project.member.added")
class ProjectMemberAdded(MemberAdded):
    """An administrator of the project."""

    level = Level.PROJECT


@event("project.member.changed")
class ProjectMemberChanged(MemberChanged):
    """Other roles."""

    level = Level.PROJECT


@event("project.member.removed")
class ProjectMemberRemoved(MemberRemoved):
    """No longer administrator."""

    level = Level.PROJECT


@event("project.member.cascade.removed")
class ProjectMemberCascadeRemoved(MemberRemoved):
    """Gone with the user."""

    level = Level.PROJECT


@event("project.grant.member.added")
class GrantMemberAdded(MemberAdded):
    """An administrator of a grant."""

    level = Level.GRANT


@event("project.grant.member.changed")
class GrantMemberChanged(MemberChanged):
    """Other roles."""

    level = Level.GRANT


@event("project.grant.member.removed")
class GrantMemberRemoved(MemberRemoved):
    """No longer administrator."""

    level = Level.GRANT


@event("project.grant.member.cascade.removed")
class GrantMemberCascadeRemoved(MemberRemoved):
    """Gone with the user."""

    level = Level.GRANT


@event("project.grant.added")
class GrantAdded(Event):
    """Roles are lent to another organization."""

    grant_id: NewId[str] = ""
    granted_org_id: str = ""
    role_keys: tuple[str, ...] = ()


@event("project.grant.changed")
class GrantChanged(Event):
    """Other roles are lent."""

    grant_id: str = ""
    role_keys: tuple[str, ...] = ()


@event("project.grant.cascade.changed")
class GrantCascadeChanged(GrantChanged):
    """A role that was lent is gone."""


@event("project.grant.deactivated")
class GrantDeactivated(Event):
    """The grant rests."""

    grant_id: str = ""


@event("project.grant.reactivated")
class GrantReactivated(Event):
    """The grant counts again."""

    grant_id: str = ""


@event("project.grant.removed")
class GrantRemoved(LevelRemoved):
    """Nothing is lent any more."""

    level = Level.GRANT
    grant_id: str = ""

    def resource(self, stream_id: str) -> str:
        """The grant."""
        return self.grant_id


@event("project.application.added")
class AppAdded(Event):
    """An application."""

    app_id: NewId[str] = ""
    name: str = ""


@event("project.application.changed")
class AppChanged(Event):
    """Another name."""

    app_id: str = ""
    name: str = ""


@event("project.application.deactivated")
class AppDeactivated(Event):
    """It is refused everywhere."""

    app_id: str = ""


@event("project.application.reactivated")
class AppReactivated(Event):
    """It works again."""

    app_id: str = ""


@event("project.application.removed")
class AppRemoved(Event):
    """It is gone."""

    app_id: str = ""


@event("project.application.config.oidc.added")
class OidcConfigAdded(Event):
    """It signs people in by OpenID Connect."""

    app_id: str = ""
    oidc_version: int = 0
    client_id: NewId[str] = ""
    hashed_secret: str = ""
    redirect_uris: tuple[str, ...] = ()
    response_types: tuple[int, ...] = ()
    grant_types: tuple[int, ...] = ()
    application_type: int = 0
    auth_method_type: int = 0
    post_logout_redirect_uris: tuple[str, ...] = ()
    dev_mode: bool = False
    access_token_type: int = 0
    access_token_role_assertion: bool = False
    id_token_role_assertion: bool = False
    id_token_userinfo_assertion: bool = False
    clock_skew: timedelta = timedelta(0)
    additional_origins: tuple[str, ...] = ()
    skip_native_app_success_page: bool = False
    back_channel_logout_uri: str = key("backChannelLogoutURI", default="")
    login_version: int = 0
    login_base_uri: str = key("loginBaseURI", default="")


@event("project.application.config.oidc.changed")
class OidcConfigChanged(Event):
    """Its OpenID Connect settings changed."""

    app_id: str = ""
    redirect_uris: tuple[str, ...] | None = None
    response_types: tuple[int, ...] | None = None
    grant_types: tuple[int, ...] | None = None
    application_type: int | None = None
    auth_method_type: int | None = None
    post_logout_redirect_uris: tuple[str, ...] | None = None
    dev_mode: bool | None = None
    access_token_type: int | None = None
    access_token_role_assertion: bool | None = None
    id_token_role_assertion: bool | None = None
    id_token_userinfo_assertion: bool | None = None
    clock_skew: timedelta | None = None
    additional_origins: tuple[str, ...] | None = None
    skip_native_app_success_page: bool | None = None
    back_channel_logout_uri: str | None = key("backChannelLogoutURI", default=None)
    login_version: int | None = None
    login_base_uri: str | None = key("loginBaseURI", default=None)


@event("project.application.config.oidc.secret.changed")
class OidcSecretChanged(Event):
    """Another client secret; the one before counts until `previousUntil`, without that no more."""

    app_id: str = ""
    hashed_secret: str = ""
    previous_until: datetime | None = None


@event("project.application.config.api.added")
class ApiConfigAdded(Event):
    """It checks tokens."""

    app_id: str = ""
    client_id: NewId[str] = ""
    hashed_secret: str = ""
    auth_method_type: int = 0


@event("project.application.config.api.changed")
class ApiConfigChanged(Event):
    """It authenticates another way."""

    app_id: str = ""
    auth_method_type: int | None = None


@event("project.application.config.api.secret.changed")
class ApiSecretChanged(Event):
    """Another client secret; the one before counts until `previousUntil`, without that no more."""

    app_id: str = ""
    hashed_secret: str = ""
    previous_until: datetime | None = None


@event("project.application.oidc.key.added")
class AppKeyAdded(Event):
    """A public key of an application."""

    application_id: str = ""
    client_id: str = ""
    key_id: NewId[str] = ""
    type: int = 1
    expiration_date: datetime | None = None
    public_key: bytes = b""


@event("project.application.oidc.key.removed")
class AppKeyRemoved(Event):
    """The key counts no more."""

    key_id: str = ""


@event("user.grant.added")
class UserGrantAdded(Event):
    """A user holds roles of a project."""

    user_id: str = ""
    project_id: str = ""
    grant_id: str = ""
    role_keys: tuple[str, ...] = ()


@event("user.grant.changed")
class UserGrantChanged(Event):
    """Other roles."""

    role_keys: tuple[str, ...] = ()


@event("user.grant.cascade.changed")
class UserGrantCascadeChanged(Event):
    """Roles went away above."""

    role_keys: tuple[str, ...] = ()


@event("user.grant.deactivated")
class UserGrantDeactivated(Event):
    """The roles rest."""


@event("user.grant.reactivated")
class UserGrantReactivated(Event):
    """The roles count again."""


@event("user.grant.removed")
class UserGrantRemoved(Event):
    """The user holds the roles no more."""


@event("user.grant.cascade.removed")
class UserGrantCascadeRemoved(Event):
    """Gone with the user, project or grant."""
