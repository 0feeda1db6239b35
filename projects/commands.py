"""Every change of a project, its roles, applications and grants, and of authorizations."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eventstore.events import Event
from iam.access.tokens import digest
from iam.kernel.change import Receipt, Unit, change, transact
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from orgs.domain.org import Org
from projects.domain import apps, events, grants
from projects.domain.grants import UserGrant
from projects.domain.project import OidcConfig, Project
from users.commands.users import checked_public_key, new_key_pair
from users.domain.user import User

SECRET_LENGTH = 64
Decision = Callable[[Project], Iterable[Event]]


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


def add_project(
    ctx: Context,
    *,
    org_id: str,
    name: str,
    project_id: str = "",
    settings: Mapping[str, Any] | None = None,
    admins: Mapping[str, tuple[str, ...]] | None = None,
) -> Receipt:
    """Create a project in an organization, with administrators (user id → roles)."""
    id = project_id or ctx.ports.new_id()

    def work(unit: Unit) -> None:
        unit.load(Org, org_id).must_be_active()
        unit.change(
            Project, id, lambda one: one.add(name=name, settings=settings or {}), needs="project.create", owner=org_id
        )
        for user_id, roles in (admins or {}).items():
            ctx.require("project.member.write", org_id)
            _must_be_user(unit, user_id)
            unit.change(Project, id, lambda one, user=user_id, held=roles: one.add_member(user, held))

    ctx.require("project.create", org_id)
    return transact(ctx, work).receipts[id]


def change_project(
    ctx: Context, *, project_id: str, name: str | None = None, settings: Mapping[str, Any] | None = None
) -> Receipt:
    """Change a project's name or settings; what is left out stays."""
    return _change(ctx, project_id, lambda one: one.change(name=name, settings=settings or {}), "project.write")


def deactivate_project(ctx: Context, *, project_id: str) -> Receipt:
    """Let nobody sign in to a project's applications."""
    return _change(ctx, project_id, Project.deactivate, "project.write")


def reactivate_project(ctx: Context, *, project_id: str) -> Receipt:
    """Let people sign in again."""
    return _change(ctx, project_id, Project.reactivate, "project.write")


def remove_project(ctx: Context, *, project_id: str) -> Receipt:
    """Delete a project with everything in it."""
    return _change(ctx, project_id, Project.remove, "project.delete")


def add_role(ctx: Context, *, project_id: str, key: str, display_name: str = "", group: str = "") -> Receipt:
    """Offer a role."""
    return _change(
        ctx,
        project_id,
        lambda one: one.add_role(key=key, display_name=display_name, group=group),
        "project.role.write",
    )


def add_roles(ctx: Context, *, project_id: str, roles: Iterable[tuple[str, str, str]]) -> Receipt:
    """Offer several roles, all or none: (key, display name, group)."""

    def work(unit: Unit) -> None:
        for key, name, group in roles:
            unit.change(
                Project,
                project_id,
                lambda one, key=key, name=name, group=group: one.add_role(key=key, display_name=name, group=group),
                needs="project.role.write",
                resource=project_id,
            )

    return transact(ctx, work).receipts[project_id]


def change_role(
    ctx: Context, *, project_id: str, key: str, display_name: str | None = None, group: str | None = None
) -> Receipt:
    """Give a role another name or group."""
    return _change(
        ctx,
        project_id,
        lambda one: one.change_role(key=key, display_name=display_name, group=group),
        "project.role.write",
    )


def remove_role(ctx: Context, *, project_id: str, key: str) -> Receipt:
    """Take a role from everybody."""
    return _change(ctx, project_id, lambda one: one.remove_role(key), "project.role.delete")


def add_oidc_app(
    ctx: Context, *, project_id: str, name: str, config: OidcConfig, app_id: str = "", client_id: str = ""
) -> MadeApp:
    """Add an application that signs people in."""
    id, client = app_id or ctx.ports.new_id(), client_id or ctx.ports.new_id()
    secret = _secret(ctx, "oidc", config.auth_method_type)
    receipt = _change(
        ctx,
        project_id,
        lambda one: apps.add_oidc(one, id=id, name=name, client_id=client, config=config, secret=_hashed(secret)),
        "project.app.write",
    )
    return MadeApp(receipt, id, client, secret)


def add_api_app(ctx: Context, *, project_id: str, name: str, method: int = 0, app_id: str = "") -> MadeApp:
    """Add an application that checks tokens. Methods: 0 basic, 1 private key JWT."""
    id, client, secret = app_id or ctx.ports.new_id(), ctx.ports.new_id(), _secret(ctx, "api", method)
    receipt = _change(
        ctx,
        project_id,
        lambda one: apps.add_api(one, id=id, name=name, client_id=client, method=method, secret=_hashed(secret)),
        "project.app.write",
    )
    return MadeApp(receipt, id, client, secret)


def rename_app(ctx: Context, *, project_id: str, app_id: str, name: str) -> Receipt:
    """Give an application another name."""
    return _change_app(ctx, project_id, lambda one: apps.rename_app(one, app_id, name))


def change_oidc_app(ctx: Context, *, project_id: str, app_id: str, changes: dict[str, Any]) -> Receipt:
    """Change OpenID Connect settings; what is left out stays."""
    return _change_app(ctx, project_id, lambda one: apps.change_oidc(one, app_id, changes))


def change_api_app(ctx: Context, *, project_id: str, app_id: str, method: int) -> Receipt:
    """Change how an API application authenticates."""
    return _change_app(ctx, project_id, lambda one: apps.change_api(one, app_id, method))


def change_app_secret(ctx: Context, *, project_id: str, app_id: str, kind: str = "") -> MadeApp:
    """Set another client secret, shown this once; the one before counts no more. `kind` names what it must be of."""
    secret = ctx.ports.secrets.random(SECRET_LENGTH)
    receipt = _change_app(ctx, project_id, lambda one: apps.change_secret(one, app_id, _hashed(secret), kind))
    return MadeApp(receipt, app_id, "", secret)


def deactivate_app(ctx: Context, *, project_id: str, app_id: str) -> Receipt:
    """Refuse an application everywhere."""
    return _change_app(ctx, project_id, lambda one: apps.deactivate_app(one, app_id))


def reactivate_app(ctx: Context, *, project_id: str, app_id: str) -> Receipt:
    """Let an application work again."""
    return _change_app(ctx, project_id, lambda one: apps.reactivate_app(one, app_id))


def remove_app(ctx: Context, *, project_id: str, app_id: str) -> Receipt:
    """Delete an application."""
    return _change(ctx, project_id, lambda one: apps.remove_app(one, app_id), "project.app.delete")


def add_app_key(
    ctx: Context, *, project_id: str, app_id: str, public_key: bytes = b"", expires_at: datetime | None = None
) -> MadeKey:
    """Give an application a key: a given public one (PEM), or a new pair whose private half is answered once."""
    private, public = ("", checked_public_key(public_key)) if public_key else new_key_pair()
    id = ctx.ports.new_id()
    receipt = _change_app(
        ctx, project_id, lambda one: apps.add_key(one, app_id, id=id, public_key=public, expires_at=expires_at)
    )
    return MadeKey(receipt, id, private)


def remove_app_key(ctx: Context, *, project_id: str, app_id: str, key_id: str) -> Receipt:
    """Take a key of an application."""
    return _change_app(ctx, project_id, lambda one: apps.remove_key(one, app_id, key_id))


def add_grant(ctx: Context, *, project_id: str, granted_org_id: str, roles: tuple[str, ...]) -> tuple[Receipt, str]:
    """Lend roles of a project to an organization; answers also the grant's id."""
    id = ctx.ports.new_id()

    def work(unit: Unit) -> None:
        unit.load(Org, granted_org_id).must_exist()
        unit.change(
            Project,
            project_id,
            lambda one: grants.add_grant(one, id=id, org_id=granted_org_id, roles=roles),
            needs="project.grant.write",
            resource=project_id,
        )

    return transact(ctx, work).receipts[project_id], id


def change_grant(ctx: Context, *, project_id: str, grant_id: str, roles: tuple[str, ...]) -> Receipt:
    """Lend other roles."""
    return _change(ctx, project_id, lambda one: grants.change_grant(one, grant_id, roles), "project.grant.write")


def deactivate_grant(ctx: Context, *, project_id: str, grant_id: str) -> Receipt:
    """Let a grant rest."""
    return _change(ctx, project_id, lambda one: grants.deactivate_grant(one, grant_id), "project.grant.write")


def reactivate_grant(ctx: Context, *, project_id: str, grant_id: str) -> Receipt:
    """Let a grant count again."""
    return _change(ctx, project_id, lambda one: grants.reactivate_grant(one, grant_id), "project.grant.write")


def remove_grant(ctx: Context, *, project_id: str, grant_id: str) -> Receipt:
    """Take everything back."""
    return _change(ctx, project_id, lambda one: grants.remove_grant(one, grant_id), "project.grant.delete")


def add_authorization(
    ctx: Context, *, org_id: str, user_id: str, project_id: str, roles: tuple[str, ...], through: str = ""
) -> tuple[Receipt, str]:
    """Let a user hold roles of a project, given by an organization that owns the project or was granted it.

    Which grant it is follows from the organization; `through`, if given, must be that one.
    """
    id = ctx.ports.new_id()

    def work(unit: Unit) -> None:
        unit.load(Org, org_id).must_be_active()
        unit.load(User, user_id).must_exist()
        project = unit.load(Project, project_id)
        grant_id = grants.grant_of(project, org_id)
        if through not in ("", grant_id):
            raise NotFound("grant.not_found", field="projectGrantId")
        grants.may_give(project, grant_id, roles)
        unit.change(
            UserGrant,
            id,
            lambda one: one.add(user_id=user_id, project_id=project_id, grant_id=grant_id, roles=roles),
            needs="user.grant.write",
            owner=org_id,
            resource=grant_id or project_id,
        )

    ctx.require("user.grant.write", org_id, project_id)
    return transact(ctx, work).receipts[id], id


def change_authorization(ctx: Context, *, authorization_id: str, roles: tuple[str, ...]) -> Receipt:
    """Give other roles."""

    def work(unit: Unit) -> None:
        one = unit.load(UserGrant, authorization_id)
        ctx.require("user.grant.write", one.owner, one.grant_id or one.project_id)
        one.must_exist()
        grants.may_give(unit.load(Project, one.project_id), one.grant_id, roles)
        unit.change(UserGrant, authorization_id, lambda held: held.change(roles))

    return transact(ctx, work).receipts[authorization_id]


def deactivate_authorization(ctx: Context, *, authorization_id: str) -> Receipt:
    """Let the roles rest."""
    return change(ctx, UserGrant, authorization_id, UserGrant.deactivate, needs="user.grant.write")


def reactivate_authorization(ctx: Context, *, authorization_id: str) -> Receipt:
    """Let the roles count again."""
    return change(ctx, UserGrant, authorization_id, UserGrant.reactivate, needs="user.grant.write")


def remove_authorization(ctx: Context, *, authorization_id: str) -> Receipt:
    """Take the roles."""
    return remove_authorizations(ctx, authorization_ids=[authorization_id])[authorization_id]


def remove_authorizations(ctx: Context, *, authorization_ids: Iterable[str]) -> dict[str, Receipt]:
    """Take the roles of several authorizations, all or none."""
    ids = list(dict.fromkeys(authorization_ids))

    def work(unit: Unit) -> None:
        unit.preload(UserGrant, ids)
        for id in ids:
            unit.change(UserGrant, id, UserGrant.remove, needs="user.grant.delete")

    return transact(ctx, work).receipts


def add_project_member(ctx: Context, *, project_id: str, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Make a user administrator of a project."""
    return _with_user(ctx, project_id, user_id, lambda one: one.add_member(user_id, roles), "project.member.write")


def change_project_member(ctx: Context, *, project_id: str, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Give an administrator of a project other roles."""
    return _change(ctx, project_id, lambda one: one.change_member(user_id, roles), "project.member.write")


def remove_project_member(ctx: Context, *, project_id: str, user_id: str) -> Receipt:
    """Take an administrator's rights over a project."""
    return _change(ctx, project_id, lambda one: one.remove_member(user_id), "project.member.delete")


def add_grant_member(ctx: Context, *, project_id: str, grant_id: str, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Make a user administrator of a project grant."""

    def decide(one: Project) -> list[Event]:
        checked = one.grant(grant_id).members.check_add(user_id, roles)
        return [events.GrantMemberAdded(user_id=user_id, roles=checked, grant_id=grant_id)]

    return _in_grant(ctx, project_id, grant_id, decide, "project.grant.member.write", new_user=user_id)


def change_grant_member(
    ctx: Context, *, project_id: str, grant_id: str, user_id: str, roles: tuple[str, ...]
) -> Receipt:
    """Give an administrator of a grant other roles."""

    def decide(one: Project) -> list[Event]:
        checked = one.grant(grant_id).members.check_change(user_id, roles)
        return [events.GrantMemberChanged(user_id=user_id, roles=checked, grant_id=grant_id)]

    return _in_grant(ctx, project_id, grant_id, decide, "project.grant.member.write")


def remove_grant_member(ctx: Context, *, project_id: str, grant_id: str, user_id: str) -> Receipt:
    """Take an administrator's rights over a grant."""

    def decide(one: Project) -> list[Event]:
        one.grant(grant_id).members.roles_of(user_id)
        return [events.GrantMemberRemoved(user_id=user_id, grant_id=grant_id)]

    return _in_grant(ctx, project_id, grant_id, decide, "project.grant.member.delete")


def _in_grant(
    ctx: Context, project_id: str, grant_id: str, decide: Decision, needs: str, *, new_user: str = ""
) -> Receipt:
    """Change what is inside a grant: by right over the project, over the grant, or in the organization it was given to."""

    def work(unit: Unit) -> None:
        project = unit.load(Project, project_id)
        grant = project.grants.get(grant_id)
        if not (grant and ctx.rights.allow(needs, owner=grant.org_id, resource=grant_id)):
            ctx.require(needs, project.owner, project_id)
        unit.change(Project, project_id, decide)
        if new_user:
            _must_be_user(unit, new_user)

    return transact(ctx, work).receipts[project_id]


def _change(ctx: Context, project_id: str, decide: Decision, needs: str) -> Receipt:
    return change(ctx, Project, project_id, decide, needs=needs, resource=project_id)


def _change_app(ctx: Context, project_id: str, decide: Decision) -> Receipt:
    return _change(ctx, project_id, decide, "project.app.write")


def _with_user(ctx: Context, project_id: str, user_id: str, decide: Decision, needs: str) -> Receipt:
    def work(unit: Unit) -> None:
        unit.change(Project, project_id, decide, needs=needs, resource=project_id)
        _must_be_user(unit, user_id)

    return transact(ctx, work).receipts[project_id]


def _must_be_user(unit: Unit, user_id: str) -> None:
    if unit.load(User, user_id).state.name in ("ABSENT", "DELETED"):
        raise NotFound("user.not_found", field="userId")


def _secret(ctx: Context, kind: str, method: int) -> str:
    return ctx.ports.secrets.random(SECRET_LENGTH) if apps.needs_secret(kind, method) else ""


def _hashed(secret: str) -> str:
    return digest(secret) if secret else ""


def app_key_file(made: MadeKey, app_id: str, client_id: str) -> str:
    """The key file that client libraries read (reference/clients.md)."""
    content = {"type": "application", "keyId": made.id, "key": made.private, "appId": app_id, "clientId": client_id}
    return json.dumps(content)
