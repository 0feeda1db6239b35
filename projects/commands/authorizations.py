"""Changes of authorizations."""

from collections.abc import Iterable

from iam.kernel.change import Receipt, Unit, change, transact
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from orgs.domain.org import Org
from projects.domain import grants
from projects.domain.grants import UserGrant
from projects.domain.project import Project
from users.domain.user import User


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
