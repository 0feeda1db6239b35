"""Who administers projects and project grants."""

from collections.abc import Callable

from eventstore.events import Event
from iam.access.members import takes_from
from iam.kernel.change import Receipt, Removal, Unit, transact
from iam.kernel.context import Context
from iam.kernel.levels import Resource
from projects.commands.shared import Decision, change_one, must_be_user, remove_from
from projects.domain import events
from projects.domain.project import Project


def add_project_member(ctx: Context, *, project_id: str, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Make a user administrator of a project."""
    return _with_user(ctx, project_id, user_id, lambda one: one.add_member(user_id, roles), "project.member.write")


def change_project_member(ctx: Context, *, project_id: str, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Give an administrator of a project other roles."""
    return change_one(ctx, project_id, lambda one: one.change_member(user_id, roles), "project.member.write")


def remove_project_member(ctx: Context, *, project_id: str, user_id: str) -> Removal:
    """Take an administrator's rights over a project."""
    decide = lambda one: one.remove_member(user_id)
    return remove_from(ctx, project_id, decide, "project.member.delete", takes_from(user_id))


def add_grant_member(ctx: Context, *, project_id: str, grant_id: str, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Make a user administrator of a project grant."""

    def decide(one: Project) -> list[Event]:
        checked = one.grant(grant_id).members.check_add(user_id, roles)
        return [events.GrantMemberAdded(user_id=user_id, roles=checked, grant_id=grant_id)]

    return _in_grant(ctx, project_id, grant_id, decide, "project.grant.member.write", new_user=user_id).receipt


def change_grant_member(
    ctx: Context, *, project_id: str, grant_id: str, user_id: str, roles: tuple[str, ...]
) -> Receipt:
    """Give an administrator of a grant other roles."""

    def decide(one: Project) -> list[Event]:
        wanted = one.grant(grant_id).members.check_change(user_id, roles)
        return [events.GrantMemberChanged(user_id=user_id, roles=wanted, grant_id=grant_id)] if wanted else []

    return _in_grant(ctx, project_id, grant_id, decide, "project.grant.member.write").receipt


def remove_grant_member(ctx: Context, *, project_id: str, grant_id: str, user_id: str) -> Removal:
    """Take an administrator's rights over a grant; nothing happens to who has none, nor where there is no grant."""

    def decide(one: Project) -> list[Event]:
        one.must_exist()
        held = grant_id in one.grants and one.grants[grant_id].members.has(user_id)
        return [events.GrantMemberRemoved(user_id=user_id, grant_id=grant_id)] if held else []

    return _in_grant(
        ctx, project_id, grant_id, decide, "project.grant.member.delete", gone=takes_from(user_id, grant_id)
    )


def _in_grant(
    ctx: Context,
    project_id: str,
    grant_id: str,
    decide: Decision,
    needs: str,
    *,
    new_user: str = "",
    gone: Callable[[Event], bool] = lambda _: False,
) -> Removal:
    """Change what is inside a grant: by right over the project, over the grant, or in the organization it was given to."""

    def work(unit: Unit) -> None:
        project = unit.load(Project, project_id)
        grant = project.grants.get(grant_id)
        if not (grant and ctx.allows(needs, grant.org_id, Resource.of_grant(grant_id))):
            ctx.require(needs, project.owner, Resource.of_project(project_id))
        unit.change(Project, project_id, decide)
        if new_user:
            must_be_user(unit, new_user)

    return transact(ctx, work).removal(project_id, gone)


def _with_user(ctx: Context, project_id: str, user_id: str, decide: Decision, needs: str) -> Receipt:
    def work(unit: Unit) -> None:
        unit.change(Project, project_id, decide, needs=needs, resource=Resource.of_project(project_id))
        must_be_user(unit, user_id)

    return transact(ctx, work).receipts[project_id]
