"""Changes of authorizations."""

from collections.abc import Callable, Iterable

from eventstore.events import Event
from iam.kernel.change import Receipt, Unit, transact
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from iam.kernel.levels import Resource
from orgs.domain.org import Org
from projects.domain import grants
from projects.domain.grants import UserGrant
from projects.domain.project import Project
from users.domain.user import User

Decision = Callable[[UserGrant], Iterable[Event]]


def add_authorization(
    ctx: Context, *, org_id: str, user_id: str, project_id: str, roles: tuple[str, ...], through: str = ""
) -> tuple[Receipt, str]:
    """Let a user hold roles of a project, given by an organization that owns the project or was granted it.

    Without an organization it is the project's. Which grant it is follows from the organization; `through`, if given, must
    be that one.
    """
    id = ctx.ports.new_id()

    def work(unit: Unit) -> None:
        project = unit.load(Project, project_id)
        giver = org_id or project.owner
        ctx.require("user.grant.write", giver, _lent(project_id, grants.find_grant_to(project, giver)))
        unit.load(Org, giver).must_be_active()
        unit.load(User, user_id).must_exist()
        grant_id = grants.grant_of(project, giver)
        if through not in ("", grant_id):
            raise NotFound("grant.not_found", field="projectGrantId")
        grants.may_give(project, grant_id, roles)
        unit.change(
            UserGrant,
            id,
            lambda one: one.add(user_id=user_id, project_id=project_id, grant_id=grant_id, roles=roles),
            owner=giver,
        )

    return transact(ctx, work).receipts[id], id


def change_authorization(ctx: Context, *, authorization_id: str, roles: tuple[str, ...]) -> Receipt:
    """Give other roles."""

    def work(unit: Unit) -> None:
        one = unit.load(UserGrant, authorization_id)
        _change(unit, authorization_id, lambda held: held.change(roles))
        grants.may_give(unit.load(Project, one.project_id), one.grant_id, roles)

    return transact(ctx, work).receipts[authorization_id]


def deactivate_authorization(ctx: Context, *, authorization_id: str) -> Receipt:
    """Let the roles rest; where they do already, nothing happens."""
    work = lambda unit: _change(unit, authorization_id, UserGrant.deactivate)
    return transact(ctx, work).receipts[authorization_id]


def reactivate_authorization(ctx: Context, *, authorization_id: str) -> Receipt:
    """Let the roles count again; where they do already, nothing happens."""
    work = lambda unit: _change(unit, authorization_id, UserGrant.reactivate)
    return transact(ctx, work).receipts[authorization_id]


def remove_authorization(ctx: Context, *, authorization_id: str) -> Receipt:
    """Take the roles; where they are taken already, nothing happens."""
    return remove_authorizations(ctx, authorization_ids=[authorization_id])[authorization_id]


def remove_authorizations(ctx: Context, *, authorization_ids: Iterable[str]) -> dict[str, Receipt]:
    """Take the roles of several authorizations, all or none."""
    ids = list(dict.fromkeys(authorization_ids))

    def work(unit: Unit) -> None:
        unit.preload(UserGrant, ids)
        for id in ids:
            _change(unit, id, UserGrant.remove, "user.grant.delete")

    return transact(ctx, work).receipts


def _change(unit: Unit, id: str, decide: Decision, needs: str = "user.grant.write") -> None:
    """By right over the organization that gave the roles, and over the project, or over the grant where one lends them."""
    one = unit.load(UserGrant, id)
    unit.change(UserGrant, id, decide, needs=needs, resource=_lent(one.project_id, one.grant_id))


def _lent(project_id: str, grant_id: str) -> Resource:
    """What the roles are of: the grant that lends them, or the project itself."""
    return Resource.of_grant(grant_id) if grant_id else Resource.of_project(project_id)
