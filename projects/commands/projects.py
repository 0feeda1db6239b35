"""Changes of projects and their roles."""

from collections.abc import Iterable, Mapping
from typing import Any

from iam.kernel.change import Receipt, Removal, Unit, transact
from iam.kernel.context import Context
from iam.kernel.levels import Resource
from orgs.domain.org import Org
from projects.commands.shared import change_one, change_what_may_be_own, must_be_user, remove_from
from projects.domain.events import RoleRemoved
from projects.domain.project import Project


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
            must_be_user(unit, user_id)
            unit.change(Project, id, lambda one, user=user_id, held=roles: one.add_member(user, held))

    ctx.require("project.create", org_id)
    return transact(ctx, work).receipts[id]


def change_project(
    ctx: Context, *, project_id: str, name: str | None = None, settings: Mapping[str, Any] | None = None
) -> Receipt:
    """Change a project's name or settings; what is left out stays."""
    decide = lambda one: one.change(name=name, settings=settings or {})
    return change_what_may_be_own(ctx, project_id, decide, "project.write")


def deactivate_project(ctx: Context, *, project_id: str) -> Receipt:
    """Let nobody sign in to a project's applications."""
    return change_what_may_be_own(ctx, project_id, Project.deactivate, "project.write")


def reactivate_project(ctx: Context, *, project_id: str) -> Receipt:
    """Let people sign in again."""
    return change_one(ctx, project_id, Project.reactivate, "project.write")


def remove_project(ctx: Context, *, project_id: str) -> Receipt:
    """Delete a project with everything in it."""
    return change_what_may_be_own(ctx, project_id, Project.remove, "project.delete")


def add_role(ctx: Context, *, project_id: str, key: str, display_name: str = "", group: str = "") -> Receipt:
    """Offer a role."""
    return change_one(
        ctx,
        project_id,
        lambda one: one.add_role(key=key, display_name=display_name, group=group),
        "project.role.write",
    )


def add_roles(ctx: Context, *, project_id: str, roles: Iterable[tuple[str, str, str]]) -> Receipt:
    """Offer several roles, all or none: (key, display name, group)."""

    def work(unit: Unit) -> None:
        ctx.require("project.role.write", unit.load(Project, project_id).owner, Resource.of_project(project_id))
        unit.load(Project, project_id).must_exist()
        for key, name, group in roles:
            unit.change(
                Project,
                project_id,
                lambda one, key=key, name=name, group=group: one.add_role(key=key, display_name=name, group=group),
                needs="project.role.write",
                resource=Resource.of_project(project_id),
            )

    return transact(ctx, work).receipts[project_id]


def change_role(
    ctx: Context, *, project_id: str, key: str, display_name: str | None = None, group: str | None = None
) -> Receipt:
    """Give a role another name or group."""
    return change_one(
        ctx,
        project_id,
        lambda one: one.change_role(key=key, display_name=display_name, group=group),
        "project.role.write",
    )


def remove_role(ctx: Context, *, project_id: str, key: str) -> Removal:
    """Take a role from everybody."""
    gone = lambda fact: isinstance(fact, RoleRemoved) and fact.key == key
    return remove_from(ctx, project_id, lambda one: one.remove_role(key), "project.role.delete", gone)
