"""The product's own project: the console's application in it is how everybody signs in, so it stays able to do that."""

from urllib.parse import urlsplit

from eventstore.events import Event
from iam.kernel.errors import FailedPrecondition
from projects.domain.apps import change_oidc
from projects.domain.project import AUTHORIZATION_CODE, CODE, NONE, App, OidcConfig, Project, State
from projects.domain.uris import problem_of, weakness_of

CONSOLE = "/ui/console/"
CALLBACK = f"{CONSOLE}callback"
CLOSED = ("project_role_check", "has_project_check")
"""Settings that let only some people sign in."""


def must_still_sign_in(before: Project, after: Project, app_id: str) -> None:
    """Refuse a change after which the console would have no way in.

    Raises FailedPrecondition. Addresses may be added; those that the console comes back to stay.
    """
    if app_id not in before.apps:
        return
    if after.state is not State.ACTIVE or any(after.settings.get(one) for one in CLOSED):
        raise FailedPrecondition("project.console_needed")
    app = after.apps.get(app_id)
    if app is None or app.state is not State.ACTIVE or not _serves(app, callbacks(before.apps[app_id].oidc)):
        raise FailedPrecondition("app.console_needed")


def callbacks(config: OidcConfig) -> frozenset[str]:
    """The addresses that the console comes back to."""
    return frozenset(uri for uri in config.redirect_uris if urlsplit(uri).path == CALLBACK)


def _serves(app: App, needed: frozenset[str]) -> bool:
    config = app.oidc
    return (
        needed <= callbacks(config)
        and config.auth_method_type == NONE
        and CODE in config.response_types
        and AUTHORIZATION_CODE in config.grant_types
    )


def follow_host(project: Project, app_id: str, *, origin: str) -> list[Event]:
    """Let the console come back to another host as well, where its address would be answered."""
    config, back = project.apps[app_id].oidc, origin + CALLBACK
    dev_mode, app_type = config.dev_mode, config.application_type
    refused = problem_of(back, dev_mode=dev_mode) or weakness_of(back, app_type=app_type, dev_mode=dev_mode)
    if back in config.redirect_uris or refused:
        return []
    left = (*config.post_logout_redirect_uris, origin + CONSOLE)
    return change_oidc(
        project, app_id, {"redirect_uris": (*config.redirect_uris, back), "post_logout_redirect_uris": left}
    )


def leave_host(project: Project, app_id: str, *, host: str) -> list[Event]:
    """Let the console come back to a host no more."""
    config = project.apps[app_id].oidc
    fields = ("redirect_uris", "post_logout_redirect_uris")
    kept = {one: tuple(uri for uri in getattr(config, one) if urlsplit(uri).hostname != host) for one in fields}
    return change_oidc(project, app_id, kept)
