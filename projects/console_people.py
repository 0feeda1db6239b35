"""Console pages of authorizations and administrators: who may do what."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Q

from iam.access.roles import ROLES, level_of
from iam.console.kit import (
    STATES,
    Choice,
    Column,
    DetailPage,
    Empty,
    FormPage,
    Link,
    ListPage,
    Outcome,
    Path,
    Properties,
    Tab,
    saves,
)
from iam.console.parts import choice_field, text_field, ticks_field
from iam.console.picking import NamedField, listed, picked_field
from iam.console.site import MenuEntry, add_menu, add_pages
from iam.instance import commands as instance
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from iam.kernel.levels import Level
from orgs import commands as orgs
from orgs.queries import list_orgs
from projects import commands, queries
from projects.administrators import list_administrators, with_login_names
from projects.conditions import of_project
from projects.models import RoleRow
from users.queries import find_user_by_login

LEVELS = Choice(
    "level",
    "Level",
    tuple(
        (one.value, one.value.capitalize(), {"level": one.value})
        for one in (Level.INSTANCE, Level.ORG, Level.PROJECT, Level.GRANT)
    ),
)


def _user_id(ctx: Context, typed: str) -> str:
    """A user by login name, e-mail or id; raises InvalidInput."""
    if typed.isdecimal():
        return typed
    row = find_user_by_login(ctx.instance, typed)
    if row is None:
        raise InvalidInput("user.not_found", field="user", reason=typed[:100])
    return row.id


def authorization_form(ctx: Context, path: Path) -> type[forms.Form]:
    """A user, a project, roles."""

    class AuthorizationForm(forms.Form):
        org = picked_field("Given by organization", list_orgs(ctx), first=ctx.org_id)
        user = text_field("User", 200, hint="Login name, e-mail address or id.")
        project = picked_field("Project", queries.list_projects(ctx))
        roles = text_field("Role keys", 500, hint="Separated by spaces; those of the project.")

    return AuthorizationForm


def roles_form(ctx: Context, path: Path) -> type[forms.Form]:
    """Other roles of an authorization."""
    row = queries.get_authorization(ctx, authorization_id=path["authorization_id"])
    known = RoleRow.objects.filter(instance_id=ctx.instance, project_id=row.project_id).order_by("key")

    class RolesForm(forms.Form):
        roles = ticks_field("Roles", [(one.key, one.key) for one in known], required=True)

    return RolesForm


def _authorize(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    _, id = commands.add_authorization(
        ctx,
        org_id=values["org"],
        user_id=_user_id(ctx, values["user"]),
        project_id=values["project"],
        roles=tuple(values["roles"].split()),
    )
    return Outcome(f"authorizations/{id}", "The user holds the roles now.")


def _change(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    commands.change_authorization(ctx, **path, roles=tuple(values["roles"]))
    return Outcome("authorizations/{authorization_id}".format(**path), "The roles are saved.")


def _page(route: str, title: str, save: Any, submit: str, intro: str = "", **more: Any) -> FormPage:
    return FormPage(
        f"authorizations/<authorization_id>/{route}",
        title,
        "authorizations",
        save,
        submit=submit,
        intro=intro,
        back="authorizations/{authorization_id}",
        **more,
    )


class _AdministeredField(NamedField):
    """The instance, an organization or a project, where there are many."""

    def clean(self, value: Any) -> str:
        """What it is, and its id."""
        return "instance" if str(value).strip().lower() == "instance" else super().clean(value)


def _administered(ctx: Context) -> forms.Field:
    orgs, projects = list_orgs(ctx), queries.list_projects(ctx)
    few_orgs, few_projects = listed(orgs), listed(projects)
    if few_orgs is None or few_projects is None:
        hint = "“instance”, or the name or id of an organization or project."
        return _AdministeredField({"org:": orgs, "project:": projects}, "Administers", hint)
    where = [("instance", "The whole instance")] if ctx.allows("iam.member.write", ctx.instance) else []
    where += [(f"org:{id}", f"Organization {name}") for id, name in few_orgs]
    where += [(f"project:{id}", f"Project {name}") for id, name in few_projects]
    return choice_field("Administers", where)


def administrator_form(ctx: Context, path: Path) -> type[forms.Form]:
    """A user, what to administer, roles."""
    given = [(role, role) for role in sorted(ROLES) if level_of(role) in (Level.INSTANCE, Level.ORG, Level.PROJECT)]

    class AdministratorForm(forms.Form):
        user = text_field("User", 200, hint="Login name, e-mail address or id.")
        resource = _administered(ctx)
        role = choice_field(
            "Role",
            given,
            hint="IAM roles go with the instance, ORG roles with an organization, PROJECT roles with a project.",
        )

    return AdministratorForm


def _make_administrator(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    kind, _, id = values["resource"].partition(":")
    user = {"user_id": _user_id(ctx, values["user"]), "roles": (values["role"],)}
    match kind:
        case "instance":
            commands.add_instance_member(ctx, **user)
        case "org":
            commands.add_org_member(ctx, org_id=id, **user)
        case _:
            commands.add_project_member(ctx, project_id=id, **user)
    return Outcome("administrators", "The user is administrator now.")


def _remove_administrator(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    match path["level"]:
        case "instance":
            instance.remove_member(ctx, user_id=path["user_id"])
        case "org":
            orgs.remove_org_member(ctx, org_id=path["resource_id"], user_id=path["user_id"])
        case "project":
            commands.remove_project_member(ctx, project_id=path["resource_id"], user_id=path["user_id"])
        case _:
            project = queries.get_grant(ctx, grant_id=path["resource_id"]).project_id
            commands.remove_grant_member(ctx, project_id=project, grant_id=path["resource_id"], user_id=path["user_id"])
    return Outcome("administrators", "The rights are taken.")


BACK = "authorizations/{authorization_id}"
add_pages(
    ListPage(
        route="authorizations",
        title="Authorizations",
        needs="user.grant.read",
        intro="Which users hold which roles of which project.",
        rows=lambda ctx, path: queries.list_authorizations(ctx),
        columns=(
            Column("user_login_name", "User", link="authorizations/{id}", sort="user_login_name"),
            Column("project_name", "Project"),
            Column("roles", "Roles", kind="list"),
            Column("org_name", "Given by"),
            Column("state_word", "State", kind="state", sort="state"),
            Column("created_at", "Created", kind="time", sort="created_at"),
        ),
        search=("user_login_name",),
        ids=("id", "user_id", "project_id"),
        refers=lambda ctx, text: of_project(ctx, Q(name__icontains=text)),
        filters=(STATES,),
        links=(Link("Give roles", "authorizations/new", "user.grant.write", main=True),),
        order=("-created_at",),
        empty=Empty("Nobody holds roles yet", "Add roles to a project, then give them to a user."),
    ),
    FormPage(
        "authorizations/new",
        "Give roles",
        "authorizations",
        _authorize,
        authorization_form,
        initial=lambda ctx, path: {"org": ctx.org_id},
        from_link=("user", "project"),
        submit="Give",
    ),
    DetailPage(
        route="authorizations/<authorization_id>",
        noun="Authorization",
        section="authorizations",
        get=queries.get_authorization,
        title=lambda row: f"{row.user_login_name} in {row.project_name}",
        state=lambda row: row.state_word,
        tabs=(
            Tab(
                "",
                "Overview",
                (
                    Properties(
                        "About",
                        (
                            Column("user_login_name", "User", link="users/{user_id}"),
                            Column("project_name", "Project", link="projects/{project_id}"),
                            Column("roles", "Roles", kind="list"),
                            Column("org_name", "Given by"),
                        ),
                    ),
                ),
            ),
        ),
        links=(
            Link("Roles", "authorizations/{id}/roles", "user.grant.write"),
            Link("Deactivate", "authorizations/{id}/deactivate", "user.grant.write", lambda row: row.state == 1),
            Link(
                "Reactivate",
                "authorizations/{id}/reactivate",
                "user.grant.write",
                lambda row: row.state == 2,
                main=True,
            ),
            Link("Remove", "authorizations/{id}/remove", "user.grant.delete", danger=True),
        ),
        stream=lambda row: ("usergrant", row.id),
    ),
    _page(
        "roles",
        "Roles of the authorization",
        _change,
        "Save",
        form=roles_form,
        initial=lambda ctx, path: {"roles": queries.get_authorization(ctx, **path).roles},
    ),
    _page(
        "deactivate",
        "Deactivate the authorization",
        saves(commands.deactivate_authorization, "The roles rest.", BACK),
        "Deactivate",
        "The roles do not count meanwhile.",
    ),
    _page(
        "reactivate",
        "Reactivate the authorization",
        saves(commands.reactivate_authorization, "The roles count again.", BACK),
        "Reactivate",
        "The roles count again.",
    ),
    _page(
        "remove",
        "Remove the authorization",
        saves(commands.remove_authorization, "The roles are taken.", "authorizations"),
        "Remove",
        "The user loses the roles at once.",
        danger=True,
    ),
    ListPage(
        route="administrators",
        title="Administrators",
        needs="org.member.read",
        intro="Who administers the instance, an organization, a project or a grant.",
        rows=lambda ctx, path: with_login_names(list_administrators(ctx)),
        columns=(
            Column("login_name", "User", link="users/{user_id}", sort="login_name"),
            Column("level", "Level", sort="level"),
            Column("resource_id", "Of", kind="code", names=("instance", "org", "project", "grant")),
            Column("roles", "Roles", kind="list"),
            Column("created_at", "Since", kind="time", sort="created_at"),
            Column(
                "user_id", "", show=lambda row: "Remove", link="administrators/{level}/{resource_id}/{user_id}/remove"
            ),
        ),
        search=("login_name",),
        ids=("user_id", "resource_id"),
        filters=(LEVELS,),
        links=(Link("New administrator", "administrators/new", "org.member.write", main=True),),
        order=("login_name",),
        key="user_id",
        empty=Empty("No administrators", "Make a user administrator of an organization."),
    ),
    FormPage(
        "administrators/new",
        "New administrator",
        "administrators",
        _make_administrator,
        administrator_form,
        from_link=("user", "resource"),
        submit="Make administrator",
    ),
    FormPage(
        "administrators/<level>/<resource_id>/<user_id>/remove",
        "Remove the administrator",
        "administrators",
        _remove_administrator,
        submit="Remove",
        intro="The user loses these rights at once.",
        danger=True,
    ),
)
add_menu(
    MenuEntry("Authorizations", "authorizations", "authorizations", "user.grant.read", 50),
    MenuEntry("Administrators", "administrators", "administrators", "org.member.read", 60),
    MenuEntry("Activity", "activity", "activity", "events.read", 70),
)
