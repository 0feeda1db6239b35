"""Changes of applications, their secrets and keys."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from iam.access.tokens import digest
from iam.instance.drawing import drawn_secret
from iam.kernel.change import Receipt
from iam.kernel.context import Context
from projects.commands.shared import change_app, change_one, change_what_may_be_own
from projects.domain import apps
from projects.domain.project import OidcConfig
from users.commands.credentials import NEVER, checked_public_key, must_be_ahead, new_key_pair, previous_until


@dataclass(frozen=True)
class MadeApp:
    """A new application with its client id, and the secret that is shown this once."""

    receipt: Receipt
    id: str
    client_id: str
    secret: str


@dataclass(frozen=True)
class MadeKey:
    """A new key; `private` only when the pair was made here."""

    receipt: Receipt
    id: str
    private: str


def add_oidc_app(
    ctx: Context, *, project_id: str, name: str, config: OidcConfig, app_id: str = "", client_id: str = ""
) -> MadeApp:
    """Add an application that signs people in."""
    id, client = app_id or ctx.ports.new_id(), client_id or ctx.ports.new_id()
    secret = _secret(ctx, "oidc", config.auth_method_type)
    receipt = change_one(
        ctx,
        project_id,
        lambda one: apps.add_oidc(one, id=id, name=name, client_id=client, config=config, secret=_hashed(secret)),
        "project.app.write",
    )
    return MadeApp(receipt, id, client, secret)


def add_api_app(ctx: Context, *, project_id: str, name: str, method: int = 0, app_id: str = "") -> MadeApp:
    """Add an application that checks tokens. Methods: 0 basic, 1 private key JWT."""
    id, client, secret = app_id or ctx.ports.new_id(), ctx.ports.new_id(), _secret(ctx, "api", method)
    receipt = change_one(
        ctx,
        project_id,
        lambda one: apps.add_api(one, id=id, name=name, client_id=client, method=method, secret=_hashed(secret)),
        "project.app.write",
    )
    return MadeApp(receipt, id, client, secret)


def rename_app(ctx: Context, *, project_id: str, app_id: str, name: str) -> Receipt:
    """Give an application another name."""
    return change_app(ctx, project_id, lambda one: apps.rename_app(one, app_id, name))


def change_oidc_app(ctx: Context, *, project_id: str, app_id: str, changes: dict[str, Any]) -> Receipt:
    """Change OpenID Connect settings; what is left out stays."""
    return change_what_may_be_own(
        ctx, project_id, lambda one: apps.change_oidc(one, app_id, changes), "project.app.write"
    )


def readdress_console(ctx: Context, *, project_id: str, app_id: str, changes: dict[str, Any]) -> Receipt:
    """Carry a changed public origin over to the console's application: the addresses of before go (set-up)."""
    return change_app(ctx, project_id, lambda one: apps.change_oidc(one, app_id, changes))


def change_api_app(ctx: Context, *, project_id: str, app_id: str, method: int) -> Receipt:
    """Change how an API application authenticates."""
    return change_app(ctx, project_id, lambda one: apps.change_api(one, app_id, method))


def change_app_secret(
    ctx: Context, *, project_id: str, app_id: str, kind: str = "", keep_previous: timedelta | None = None
) -> MadeApp:
    """Set another client secret, shown this once. `kind` names what it must be of.

    The one before counts for `keep_previous` more; left out, for as long as is configured. One before that counts no more.
    """
    secret, until = drawn_secret(ctx), previous_until(ctx, keep_previous)
    receipt = change_app(
        ctx,
        project_id,
        lambda one: apps.change_secret(one, app_id, _hashed(secret), kind=kind, previous_until=until),
    )
    return MadeApp(receipt, app_id, "", secret)


def deactivate_app(ctx: Context, *, project_id: str, app_id: str) -> Receipt:
    """Refuse an application everywhere."""
    return change_what_may_be_own(ctx, project_id, lambda one: apps.deactivate_app(one, app_id), "project.app.write")


def reactivate_app(ctx: Context, *, project_id: str, app_id: str) -> Receipt:
    """Let an application work again."""
    return change_app(ctx, project_id, lambda one: apps.reactivate_app(one, app_id))


def remove_app(ctx: Context, *, project_id: str, app_id: str) -> Receipt:
    """Delete an application."""
    return change_what_may_be_own(ctx, project_id, lambda one: apps.remove_app(one, app_id), "project.app.delete")


def add_app_key(
    ctx: Context, *, project_id: str, app_id: str, public_key: bytes = b"", expires_at: datetime | None = None
) -> MadeKey:
    """Give an application a key: a given public one (PEM), or a new pair whose private half is answered once."""
    must_be_ahead(ctx, expires_at)
    private, public = ("", checked_public_key(public_key)) if public_key else new_key_pair()
    id = ctx.ports.new_id()
    ends = expires_at or NEVER
    receipt = change_app(
        ctx, project_id, lambda one: apps.add_key(one, app_id, id=id, public_key=public, expires_at=ends)
    )
    return MadeKey(receipt, id, private)


def remove_app_key(ctx: Context, *, project_id: str, app_id: str, key_id: str) -> Receipt:
    """Take a key of an application."""
    return change_app(ctx, project_id, lambda one: apps.remove_key(one, app_id, key_id))


def app_key_file(made: MadeKey, app_id: str, client_id: str) -> str:
    """The key file that client libraries read (reference/clients.md)."""
    content = {"type": "application", "keyId": made.id, "key": made.private, "appId": app_id, "clientId": client_id}
    return json.dumps(content)


def _secret(ctx: Context, kind: str, method: int) -> str:
    return drawn_secret(ctx) if apps.needs_secret(kind, method) else ""


def _hashed(secret: str) -> str:
    return digest(secret) if secret else ""
