"""Console pages of project grants: roles lent to other organizations."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Q

from iam.console.kit import (
    STATES,
    Column,
    Empty,
    ListPage,
    Outcome,
    Path,
    saves,
)
from iam.console.parts import text_field, ticks_field
from iam.console.site import MenuEntry, add_menu, add_pages
from iam.kernel.context import Context
from orgs.queries import get_org_of_domain
from projects import commands, queries
from projects.conditions import of_project
from projects.console_parts import PROJECT, project_page
from projects.models import RoleRow


def _roles(ctx: Context, project_id: str) -> list[tuple[str, str]]:
    rows = RoleRow.objects.filter(instance_id=ctx.instance, project_id=project_id).order_by("key")
    return [(row.key, f"{row.key} – {row.display_name}") for row in rows]


def grant_form(ctx: Context, path: Path) -> type[forms.Form]:
    """Roles lent to an organization."""

    class GrantForm(forms.Form):
        org = text_field("Organization", 253, hint="Its id or one of its domains: who gets the roles.")
        roles = ticks_field("Roles", _roles(ctx, path["project_id"]))

    return GrantForm


def grant_roles_form(ctx: Context, path: Path) -> type[forms.Form]:
    """Other roles lent."""

    class RolesForm(forms.Form):
        roles = ticks_field("Roles", _roles(ctx, path["project_id"]))

    return RolesForm


def _add_grant(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    typed = values["org"]
    org_id = typed if typed.isdecimal() else get_org_of_domain(ctx, domain=typed).id
    commands.add_grant(ctx, project_id=path["project_id"], granted_org_id=org_id, roles=tuple(values["roles"]))
    return Outcome(f"projects/{path['project_id']}?tab=grants", "The roles are lent.")


def _change_grant(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    commands.change_grant(ctx, **path, roles=tuple(values["roles"]))
    return Outcome(f"projects/{path['project_id']}?tab=grants", "The grant is saved.")


add_pages(
    project_page("grants/new", "New grant", _add_grant, "Grant", form=grant_form),
    project_page(
        "grants/<grant_id>/edit",
        "Roles of the grant",
        _change_grant,
        form=grant_roles_form,
        initial=lambda ctx, path: {"roles": queries.get_grant(ctx, grant_id=path["grant_id"]).roles},
    ),
    project_page(
        "grants/<grant_id>/deactivate",
        "Deactivate the grant",
        saves(commands.deactivate_grant, "The grant rests.", PROJECT + "?tab=grants"),
        "Deactivate",
        "Roles given through it do not count meanwhile.",
    ),
    project_page(
        "grants/<grant_id>/reactivate",
        "Reactivate the grant",
        saves(commands.reactivate_grant, "The grant counts again.", PROJECT + "?tab=grants"),
        "Reactivate",
        "Roles given through it count again.",
    ),
    project_page(
        "grants/<grant_id>/remove",
        "Remove the grant",
        saves(commands.remove_grant, "The grant is removed.", PROJECT + "?tab=grants"),
        "Remove",
        "Authorizations given through it are removed with it.",
        danger=True,
    ),
    ListPage(
        route="grants",
        title="Grants",
        needs="project.grant.read",
        intro="Projects lent to other organizations, given or received.",
        rows=lambda ctx, path: queries.list_grants(ctx),
        columns=(
            Column("project_id", "Project", kind="code", link="projects/{project_id}", names=("project",)),
            Column("org_id", "Owned by", kind="code", names=("org",)),
            Column("granted_org_id", "Granted to", kind="code", names=("org",)),
            Column("roles", "Roles", kind="list"),
            Column("state_word", "State", kind="state", sort="state"),
            Column("created_at", "Created", kind="time", sort="created_at"),
        ),
        ids=("project_id", "org_id", "granted_org_id", "id"),
        refers=lambda ctx, text: of_project(ctx, Q(name__icontains=text)),
        filters=(STATES,),
        empty=Empty("No grants yet", "Open a project and grant it to another organization."),
    ),
)
add_menu(
    MenuEntry("Grants", "grants", "grants", "project.grant.read", 40),
)
