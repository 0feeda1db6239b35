"""Who administers projects and project grants."""

from eventstore.events import Event
from iam.kernel.change import Receipt, Unit, transact
from iam.kernel.context import Context
from projects.commands.shared import Decision, change_one, must_be_user
from projects.domain import events
from projects.domain.project import Project


def add_project_member(ctx: Context, *, project_id: str, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Make a user administrator of a project."""
    return _with_user(ctx, project_id, user_id, lambda one: one.add_member(user_id, roles), "project.member.write")


def change_project_member(ctx: Context, *, project_id: str, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Give an administrator of a project other roles."""
    return change_one(ctx, project_id, lambda one: one.change_member(user_id, roles), "project.member.write")


def remove_project_member(ctx: Context, *, project_id: str, user_id: str) -> Receipt:
    """Take an administrator's rights over a project."""
    return change_one(ctx, project_id, lambda one: one.remove_member(user_id), "project.member.delete")


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
            must_be_user(unit, new_user)

    return transact(ctx, work).receipts[project_id]


def _with_user(ctx: Context, project_id: str, user_id: str, decide: Decision, needs: str) -> Receipt:
    def work(unit: Unit) -> None:
        unit.change(Project, project_id, decide, needs=needs, resource=project_id)
        must_be_user(unit, user_id)

    return transact(ctx, work).receipts[project_id]
