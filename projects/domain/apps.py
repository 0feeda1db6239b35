"""Decisions about the applications of a project."""

from datetime import datetime
from typing import Any

from eventstore.events import Event
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from projects.domain import events as facts
from projects.domain.project import (
    AUTHORIZATION_CODE,
    BASIC,
    CODE,
    DEVICE_CODE,
    POST,
    PRIVATE_KEY_JWT,
    REFRESH_TOKEN,
    OidcConfig,
    Project,
    State,
    checked_name,
)

OFFERED_GRANTS = (AUTHORIZATION_CODE, REFRESH_TOKEN, DEVICE_CODE)
"""Grants of applications that the token endpoint answers."""


def needs_secret(kind: str, method: int) -> bool:
    """Whether a way to authenticate uses a client secret."""
    return method in (BASIC, POST) if kind == "oidc" else method == BASIC


def add_oidc(project: Project, *, id: str, name: str, client_id: str, config: OidcConfig, secret: str) -> list[Event]:
    """Add an application that signs people in."""
    must_be_offered(config)
    return [
        _added(project, id, name),
        facts.OidcConfigAdded(app_id=id, client_id=client_id, hashed_secret=secret, **vars(config.checked())),
    ]


def must_be_offered(config: OidcConfig, *, before: OidcConfig | None = None) -> None:
    """Refuse flows that every request would be refused for; what an application has from before stays.

    Raises InvalidInput naming the field.
    """
    kept = before or OidcConfig()
    if set(config.response_types) - {CODE, *kept.response_types}:
        raise InvalidInput("app.response_type_not_offered", field="responseTypes")
    if set(config.grant_types) - {*OFFERED_GRANTS, *kept.grant_types}:
        raise InvalidInput("app.grant_type_not_offered", field="grantTypes")


def add_api(project: Project, *, id: str, name: str, client_id: str, method: int, secret: str) -> list[Event]:
    """Add an application that checks tokens. Methods: 0 basic, 1 private key JWT."""
    return [
        _added(project, id, name),
        facts.ApiConfigAdded(app_id=id, client_id=client_id, hashed_secret=secret, auth_method_type=method),
    ]


def _added(project: Project, id: str, name: str) -> Event:
    project.must_be_active()
    if id in project.apps:
        raise AlreadyExists("app.id_already_exists", field="applicationId")
    return facts.AppAdded(app_id=id, name=_free_name(project, name))


def _free_name(project: Project, name: str, own: str = "") -> str:
    """A name that no other application of the project has, in whatever case.

    The claim on it keeps no two facts of one project apart: what its stream holds already is not claimed again.
    """
    wanted = checked_name(name)
    if any(app.name.casefold() == wanted.casefold() for id, app in project.apps.items() if id != own):
        raise AlreadyExists("app.already_exists", field="name")
    return wanted


def rename_app(project: Project, id: str, name: str) -> list[Event]:
    """Give an application another name."""
    if project.app(id).name == checked_name(name):
        return []
    return [facts.AppChanged(app_id=id, name=_free_name(project, name, id))]


def change_oidc(project: Project, id: str, changes: dict[str, Any]) -> list[Event]:
    """Change OpenID Connect settings; only those given."""
    app = project.app(id)
    if app.kind != "oidc":
        raise FailedPrecondition("app.not_oidc")
    wanted = OidcConfig(**{**vars(app.oidc), **changes}).checked()
    must_be_offered(wanted, before=app.oidc)
    different = wanted.differences(app.oidc)
    return [facts.OidcConfigChanged(app_id=id, **different)] if different else []


def change_api(project: Project, id: str, method: int) -> list[Event]:
    """Change how an API application authenticates."""
    app = project.app(id)
    if app.kind != "api":
        raise FailedPrecondition("app.not_api")
    return [] if app.api_method == method else [facts.ApiConfigChanged(app_id=id, auth_method_type=method)]


def change_secret(
    project: Project, id: str, hashed: str, *, kind: str = "", previous_until: datetime | None = None
) -> list[Event]:
    """Set another client secret; `kind` names what the application must be. The one before counts until a moment, or no more."""
    app = project.app(id)
    if kind not in ("", app.kind):
        raise FailedPrecondition(f"app.not_{kind}")
    method = app.oidc.auth_method_type if app.kind == "oidc" else app.api_method
    if not needs_secret(app.kind, method):
        raise FailedPrecondition("app.no_secret")
    made = facts.OidcSecretChanged if app.kind == "oidc" else facts.ApiSecretChanged
    return [made(app_id=id, hashed_secret=hashed, previous_until=previous_until if app.has_secret else None)]


def deactivate_app(project: Project, id: str) -> list[Event]:
    """Refuse an application everywhere."""
    if project.app(id).state is State.INACTIVE:
        raise FailedPrecondition("app.already_inactive")
    return [facts.AppDeactivated(app_id=id)]


def reactivate_app(project: Project, id: str) -> list[Event]:
    """Let an application work again."""
    if project.app(id).state is State.ACTIVE:
        raise FailedPrecondition("app.already_active")
    return [facts.AppReactivated(app_id=id)]


def remove_app(project: Project, id: str) -> list[Event]:
    """Delete an application."""
    project.app(id)
    return [facts.AppRemoved(app_id=id)]


def add_key(project: Project, app_id: str, *, id: str, public_key: bytes, expires_at: datetime | None) -> list[Event]:
    """Give an application a public key (private_key_jwt)."""
    app = project.app(app_id)
    method = app.oidc.auth_method_type if app.kind == "oidc" else app.api_method
    if method != (PRIVATE_KEY_JWT if app.kind == "oidc" else 1):
        raise FailedPrecondition("app.no_keys")
    return [
        facts.AppKeyAdded(
            application_id=app_id, client_id=app.client_id, key_id=id, public_key=public_key, expiration_date=expires_at
        )
    ]


def remove_key(project: Project, app_id: str, id: str) -> list[Event]:
    """Take a key."""
    if id not in project.app(app_id).keys:
        raise NotFound("app.key_not_found")
    return [facts.AppKeyRemoved(key_id=id)]
