"""Console pages of projects and their roles."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import OuterRef, Q, Subquery

from iam.console.kit import (
    STATES,
    Column,
    DetailPage,
    Empty,
    FormPage,
    Link,
    ListPage,
    Outcome,
    Path,
    Properties,
    Related,
    Tab,
    saves,
)
from iam.console.parts import text_field, tick_field
from iam.console.picking import picked_field
from iam.console.site import Figure, Hit, MenuEntry, add_figures, add_menu, add_pages, finds, names
from iam.kernel.context import Context
from orgs.queries import list_orgs
from projects import commands, console_apps, console_grants, console_people, queries  # noqa: F401 - they register their pages
from projects.console_apps import kind_of_app
from projects.console_parts import PROJECT, project_of, project_page
from projects.models import ProjectGrantRow, ProjectRow, UserGrantRow


def project_form(ctx: Context, path: Path) -> type[forms.Form]:
    """A new project."""

    class ProjectForm(SettingsForm):
        org = picked_field("Organization", list_orgs(ctx), first=ctx.org_id)
        field_order = ("org", "name")

    return ProjectForm


class SettingsForm(forms.Form):
    """A project's name and settings."""

    name = text_field("Name", 200)
    project_role_assertion = tick_field("Put roles into tokens and userinfo")
    project_role_check = tick_field("Only users with a role of this project may sign in")
    has_project_check = tick_field("Only organizations that own or were granted this project may sign in")


class RoleForm(forms.Form):
    """A role."""

    key = text_field("Key", 200, hint="As it stands in tokens, for example admin.")
    display_name = text_field("Name", 200, required=False)
    group = text_field("Group", 200, required=False)


def _create(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    settings = {key: value for key, value in values.items() if key not in ("org", "name")}
    made = commands.add_project(ctx, org_id=values["org"], name=values["name"], settings=settings)
    return Outcome(f"projects/{made.id}", "The project is created. Add an application next.")


def _save(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    settings = {key: value for key, value in values.items() if key != "name"}
    commands.change_project(ctx, project_id=path["project_id"], name=values["name"], settings=settings)
    return Outcome(f"projects/{path['project_id']}", "The project is saved.")


add_pages(
    ListPage(
        route="projects",
        title="Projects",
        needs="project.read",
        intro="Applications and roles that belong together.",
        rows=lambda ctx, path: queries.list_projects(ctx),
        columns=(
            Column("name", "Name", link="projects/{id}", sort="name"),
            Column("state_word", "State", kind="state", sort="state"),
            Column("org_id", "Organization", kind="code", link="orgs/{org_id}", names=("org",)),
            Column("created_at", "Created", kind="time", sort="created_at"),
            Column("id", "Id", kind="code"),
        ),
        search=("name",),
        ids=("id", "org_id"),
        filters=(STATES,),
        links=(Link("New project", "projects/new", "project.create", main=True),),
        order=("name",),
        empty=Empty("No projects yet", "Create one, then add the application that people sign in to."),
    ),
    FormPage(
        "projects/new",
        "New project",
        "projects",
        _create,
        project_form,
        initial=lambda ctx, path: {"org": ctx.org_id},
        from_link=("org",),
        submit="Create",
    ),
    DetailPage(
        route="projects/<project_id>",
        noun="Project",
        section="projects",
        get=queries.get_project,
        title=lambda row: row.name,
        state=lambda row: row.state_word,
        tabs=(
            Tab(
                "",
                "Overview",
                (
                    Properties(
                        "Settings",
                        (
                            Column("project_role_assertion", "Roles in tokens", kind="yesno"),
                            Column("project_role_check", "Sign-in needs a role", kind="yesno"),
                            Column("has_project_check", "Sign-in needs a grant", kind="yesno"),
                            Column("org_id", "Organization", kind="code", link="orgs/{org_id}", names=("org",)),
                        ),
                        links=(Link("Edit", "projects/{id}/edit", "project.write"),),
                    ),
                    Related(
                        "Applications",
                        lambda ctx, row: queries.list_apps(ctx).filter(project_id=row.id).order_by("name"),
                        (
                            Column("name", "Name", link="projects/{project_id}/apps/{id}"),
                            Column("kind", "Kind", show=kind_of_app),
                            Column("client_id", "Client id", kind="code"),
                            Column("state_word", "State", kind="state"),
                        ),
                        Empty(
                            "No applications yet",
                            "Add the web, single-page or native application that people sign in to, or an API that checks tokens.",
                        ),
                        links=(
                            Link("New API", "projects/{id}/apps/new-api", "project.app.write"),
                            Link("New application", "projects/{id}/apps/new-oidc", "project.app.write", main=True),
                        ),
                    ),
                ),
            ),
            Tab(
                "roles",
                "Roles",
                (
                    Related(
                        "Roles",
                        lambda ctx, row: queries.list_roles(ctx, project_id=row.id).order_by("key"),
                        (Column("key", "Key"), Column("display_name", "Name"), Column("group", "Group")),
                        Empty("No roles yet", "Roles say what a user may do in the applications."),
                        links=(Link("New role", "projects/{id}/roles/new", "project.role.write", main=True),),
                        row_links=(
                            Link(
                                "Remove", "projects/{project_id}/roles/{key}/remove", "project.role.delete", danger=True
                            ),
                        ),
                    ),
                ),
            ),
            Tab(
                "grants",
                "Grants",
                (
                    Related(
                        "Granted organizations",
                        lambda ctx, row: queries.list_grants(ctx).filter(project_id=row.id).order_by("created_at"),
                        (
                            Column("granted_org_id", "Organization", kind="code", names=("org",)),
                            Column("roles", "Roles", kind="list"),
                            Column("state_word", "State", kind="state"),
                        ),
                        Empty(
                            "Not granted to anybody",
                            "A grant lets another organization give roles of this project to its users.",
                        ),
                        links=(Link("New grant", "projects/{id}/grants/new", "project.grant.write", main=True),),
                        row_links=(
                            Link("Roles", "projects/{project_id}/grants/{id}/edit", "project.grant.write"),
                            Link(
                                "Deactivate",
                                "projects/{project_id}/grants/{id}/deactivate",
                                "project.grant.write",
                                lambda row: row.state == 1,
                            ),
                            Link(
                                "Reactivate",
                                "projects/{project_id}/grants/{id}/reactivate",
                                "project.grant.write",
                                lambda row: row.state == 2,
                            ),
                            Link(
                                "Remove",
                                "projects/{project_id}/grants/{id}/remove",
                                "project.grant.delete",
                                danger=True,
                            ),
                        ),
                    ),
                ),
            ),
            Tab(
                "authorizations",
                "Authorizations",
                (
                    Related(
                        "Who holds roles",
                        lambda ctx, row: (
                            queries.list_authorizations(ctx).filter(project_id=row.id).order_by("created_at")
                        ),
                        (
                            Column("user_login_name", "User", link="users/{user_id}"),
                            Column("roles", "Roles", kind="list"),
                            Column("state_word", "State", kind="state"),
                        ),
                        Empty("Nobody holds a role yet", "Give a user roles of this project."),
                        links=(Link("Give roles", "authorizations/new?project={id}", "user.grant.write", main=True),),
                    ),
                ),
            ),
        ),
        links=(
            Link("Make administrator", "administrators/new?resource=project:{id}", "project.member.write"),
            Link("Deactivate", "projects/{id}/deactivate", "project.write", lambda row: row.state == 1),
            Link("Reactivate", "projects/{id}/reactivate", "project.write", lambda row: row.state == 2, main=True),
            Link("Delete", "projects/{id}/delete", "project.delete", danger=True),
        ),
        stream=lambda row: ("project", row.id),
    ),
    project_page(
        "edit", "Edit the project", _save, form=SettingsForm, initial=lambda ctx, path: vars(project_of(ctx, path))
    ),
    project_page(
        "deactivate",
        "Deactivate the project",
        saves(commands.deactivate_project, "The project rests.", PROJECT),
        "Deactivate",
        "Nobody can sign in to its applications. Nothing is deleted.",
    ),
    project_page(
        "reactivate",
        "Reactivate the project",
        saves(commands.reactivate_project, "The project works again.", PROJECT),
        "Reactivate",
        "People can sign in again.",
    ),
    project_page(
        "delete",
        "Delete the project",
        saves(commands.remove_project, "The project is gone.", "projects"),
        "Delete for good",
        "Its applications, roles, grants and authorizations are deleted with it. This cannot be undone.",
        danger=True,
    ),
    project_page(
        "roles/new",
        "New role",
        saves(commands.add_role, "The role is added.", PROJECT + "?tab=roles"),
        "Add",
        form=RoleForm,
    ),
    project_page(
        "roles/<key>/remove",
        "Remove the role",
        saves(commands.remove_role, "The role is removed.", PROJECT + "?tab=roles"),
        "Remove",
        "Everybody who holds it loses it at once.",
        danger=True,
    ),
)
add_menu(
    MenuEntry("Projects", "projects", "projects", "project.read", 30),
)
add_figures(
    Figure("Projects", "projects", "project.read", lambda ctx: queries.list_projects(ctx).count()),
    Figure("Applications", "projects", "project.app.read", lambda ctx: queries.list_apps(ctx).count()),
    Figure(
        "Authorizations",
        "authorizations",
        "user.grant.read",
        lambda ctx: (
            UserGrantRow.objects.filter(instance_id=ctx.instance).count()
            if ctx.reach("user.grant.read").everywhere
            else queries.list_authorizations(ctx).count()
        ),
    ),
)


@finds
def find_projects(ctx: Context, text: str) -> list[Hit]:
    """Projects by id or name, applications by id, name or client id."""
    hits = []
    if ctx.rights.anywhere("project.read"):
        rows = queries.list_projects(ctx).filter(Q(id=text) | Q(name__icontains=text))[:10]
        hits += [Hit("project", row.name, f"projects/{row.id}", row.id) for row in rows]
    if ctx.rights.anywhere("project.app.read"):
        found = queries.list_apps(ctx).filter(Q(id=text) | Q(name__icontains=text) | Q(client_id__startswith=text))[:10]
        hits += [
            Hit("application", row.name, f"projects/{row.project_id}/apps/{row.id}", row.client_id) for row in found
        ]
    return hits


@names("project")
def project_names(instance: str, ids: Iterable[str]) -> Mapping[str, str]:
    """Names of projects."""
    return dict(ProjectRow.objects.filter(instance_id=instance, id__in=ids).values_list("id", "name"))


@names("grant")
def grant_names(instance: str, ids: Iterable[str]) -> Mapping[str, str]:
    """Names of the projects that grants lend."""
    project = ProjectRow.objects.filter(instance_id=instance, id=OuterRef("project_id")).values("name")
    rows = ProjectGrantRow.objects.filter(instance_id=instance, id__in=ids)
    return dict(rows.annotate(lent=Subquery(project)).values_list("id", "lent"))
