"""Console pages of projects, applications and project grants."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from iam.console.kit import (
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
    Related,
    Tab,
    saves,
)
from iam.console.parts import choice_field, lines_field, text_field, tick_field, ticks_field
from iam.console.site import Figure, Hit, MenuEntry, add_figures, add_menu, add_pages, add_urls, finds
from iam.kernel.context import Context
from orgs.queries import org_choices
from projects import commands, console_people, queries  # noqa: F401 - registers its pages
from projects.domain.project import OidcConfig
from projects.domain.uris import problem_of
from projects.models import AppRow, ProjectRow, RoleRow, UserGrantRow

STATES = Choice("state", "State", (("active", "Active", {"state": 1}), ("inactive", "Inactive", {"state": 2})))
TYPES = (("0", "Web application"), ("1", "Single-page application"), ("2", "Native application"))
METHODS = (
    ("2", "None: PKCE (recommended)"),
    ("0", "Client secret, basic"),
    ("1", "Client secret, in the form"),
    ("3", "Private key JWT"),
)
METHOD_WORDS = {0: "client secret, basic", 1: "client secret, in the form", 2: "none (PKCE)", 3: "private key JWT"}
GRANTS = (("0", "Authorization code"), ("2", "Refresh token"))
CHECK = "/ui/console/check/redirect-uris"


def project_form(ctx: Context, path: Path) -> type[forms.Form]:
    """A new project."""

    class ProjectForm(SettingsForm):
        org = choice_field("Organization", org_choices(ctx))
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


class OidcForm(forms.Form):
    """An application that signs people in."""

    name = text_field("Name", 200)
    application_type = choice_field("Kind", TYPES)
    auth_method_type = choice_field("Authentication", METHODS)
    redirect_uris = lines_field(
        "Redirect URIs",
        required=True,
        hint="One per line. https, or http on localhost.",
        **{"hx-post": CHECK, "hx-trigger": "input changed delay:400ms", "hx-target": "#id_redirect_uris_error"},
    )
    post_logout_redirect_uris = lines_field("Post-logout redirect URIs", hint="One per line.")
    grant_types = ticks_field("Grants", GRANTS)
    jwt = tick_field("Access tokens are JWTs")
    access_token_role_assertion = tick_field("Put roles into JWT access tokens")
    id_token_role_assertion = tick_field("Put roles into ID tokens")
    id_token_userinfo_assertion = tick_field("Put profile claims into ID tokens")
    dev_mode = tick_field("Development mode: allow plain http redirects")


class ApiForm(forms.Form):
    """An application that checks tokens."""

    name = text_field("Name", 200)
    method = choice_field("Authentication", (("0", "Client secret, basic"), ("1", "Private key JWT")))


def _roles(ctx: Context, project_id: str) -> list[tuple[str, str]]:
    rows = RoleRow.objects.filter(instance_id=ctx.instance, project_id=project_id).order_by("key")
    return [(row.key, f"{row.key} – {row.display_name}") for row in rows]


def grant_form(ctx: Context, path: Path) -> type[forms.Form]:
    """Roles lent to an organization."""

    class GrantForm(forms.Form):
        org = text_field("Organization id", 200, hint="The id of the organization that gets the roles.")
        roles = ticks_field("Roles", _roles(ctx, path["project_id"]))

    return GrantForm


def grant_roles_form(ctx: Context, path: Path) -> type[forms.Form]:
    """Other roles lent."""

    class RolesForm(forms.Form):
        roles = ticks_field("Roles", _roles(ctx, path["project_id"]))

    return RolesForm


def _create(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    settings = {key: value for key, value in values.items() if key not in ("org", "name")}
    made = commands.add_project(ctx, org_id=values["org"], name=values["name"], settings=settings)
    return Outcome(f"projects/{made.id}", "The project is created. Add an application next.")


def _save(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    settings = {key: value for key, value in values.items() if key != "name"}
    commands.change_project(ctx, project_id=path["project_id"], name=values["name"], settings=settings)
    return Outcome(f"projects/{path['project_id']}", "The project is saved.")


def _config(values: Mapping[str, Any]) -> dict[str, Any]:
    same = (
        "redirect_uris",
        "post_logout_redirect_uris",
        "dev_mode",
        "access_token_role_assertion",
        "id_token_role_assertion",
        "id_token_userinfo_assertion",
    )
    return {
        **{name: values[name] for name in same},
        "application_type": int(values["application_type"]),
        "auth_method_type": int(values["auth_method_type"]),
        "grant_types": tuple(int(one) for one in values["grant_types"]) or (0,),
        "access_token_type": int(values["jwt"]),
    }


def _create_oidc(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    config = OidcConfig(**_config(values))
    made = commands.add_oidc_app(ctx, project_id=path["project_id"], name=values["name"], config=config)
    return _made(made, path)


def _create_api(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    method = int(values["method"])
    return _made(commands.add_api_app(ctx, project_id=path["project_id"], name=values["name"], method=method), path)


def _made(made: commands.MadeApp, path: Path) -> Outcome:
    secrets = {"Client id": made.client_id, **({"Client secret": made.secret} if made.secret else {})}
    return Outcome(f"projects/{path['project_id']}/apps/{made.id}", "The application is created", secrets)


def _save_oidc(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    commands.rename_app(ctx, **path, name=values["name"])
    commands.change_oidc_app(ctx, **path, changes=_config(values))
    return Outcome("projects/{project_id}/apps/{app_id}".format(**path), "The application is saved.")


def _app_initial(ctx: Context, path: Path) -> dict[str, Any]:
    row = queries.get_app(ctx, app_id=path["app_id"])
    return {**vars(row), "jwt": row.access_token_type == 1, "grant_types": [str(one) for one in row.grant_types]}


def _new_secret(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    made = commands.change_app_secret(ctx, **path)
    return Outcome(
        "projects/{project_id}/apps/{app_id}".format(**path), "Client secret set", {"Client secret": made.secret}
    )


def _new_key(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    made, row = commands.add_app_key(ctx, **path), queries.get_app(ctx, app_id=path["app_id"])
    content = commands.app_key_file(made, row.id, row.client_id)
    return Outcome("projects/{project_id}/apps/{app_id}".format(**path), "Key created", {"Key file (JSON)": content})


def _add_grant(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    commands.add_grant(ctx, project_id=path["project_id"], granted_org_id=values["org"], roles=tuple(values["roles"]))
    return Outcome(f"projects/{path['project_id']}?tab=grants", "The roles are lent.")


def _change_grant(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    commands.change_grant(ctx, **path, roles=tuple(values["roles"]))
    return Outcome(f"projects/{path['project_id']}?tab=grants", "The grant is saved.")


def _project(ctx: Context, path: Path) -> ProjectRow:
    return queries.get_project(ctx, project_id=path["project_id"])


def _page(
    route: str, title: str, save: Any, submit: str = "Save", intro: str = "", form: Any = None, **more: Any
) -> FormPage:
    return FormPage(
        route=f"projects/<project_id>/{route}",
        title=title,
        section="projects",
        save=save,
        form=form,
        subject=lambda ctx, path: _project(ctx, path).name,
        submit=submit,
        intro=intro,
        back="projects/{project_id}",
        **more,
    )


def _get_app(ctx: Context, *, project_id: str, app_id: str) -> AppRow:
    return queries.get_app(ctx, app_id=app_id)


def check_redirect_uris(request: HttpRequest, ctx: Context) -> HttpResponse:
    """What is wrong with the addresses typed so far, one line each; the command judges by the same rule."""
    kind = request.POST.get("application_type", "0")
    app_type = int(kind) if kind in ("0", "1", "2") else 0
    dev_mode = "dev_mode" in request.POST
    found = [
        (uri, problem_of(uri, app_type=app_type, dev_mode=dev_mode))
        for uri in request.POST.get("redirect_uris", "").split()[:100]
    ]
    return _problems(request, [(uri, problem) for uri, problem in found if problem])


def _problems(request: HttpRequest, found: list[tuple[str, str]]) -> HttpResponse:
    from django.shortcuts import render

    return render(request, "console/_uri_problems.html", {"problems": found})


PROJECT, APP = "projects/{project_id}", "projects/{project_id}/apps/{app_id}"
SECRET = lambda row: (
    (row.kind == "oidc" and row.auth_method_type in (0, 1)) or (row.kind == "api" and row.auth_method_type == 0)
)
KEYS = lambda row: (
    (row.kind == "oidc" and row.auth_method_type == 3) or (row.kind == "api" and row.auth_method_type == 1)
)
add_urls(("check/redirect-uris", check_redirect_uris))
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
            Column("org_id", "Organization", kind="code", link="orgs/{org_id}"),
            Column("created_at", "Created", kind="time", sort="created_at"),
            Column("id", "Id", kind="code"),
        ),
        search=("name", "id"),
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
                            Column("org_id", "Organization", kind="code", link="orgs/{org_id}"),
                        ),
                        links=(Link("Edit", "projects/{id}/edit", "project.write"),),
                    ),
                    Related(
                        "Applications",
                        lambda ctx, row: queries.list_apps(ctx).filter(project_id=row.id).order_by("name"),
                        (
                            Column("name", "Name", link="projects/{project_id}/apps/{id}"),
                            Column("kind", "Kind"),
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
                            Column("granted_org_id", "Organization", kind="code"),
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
    _page("edit", "Edit the project", _save, form=SettingsForm, initial=lambda ctx, path: vars(_project(ctx, path))),
    _page(
        "deactivate",
        "Deactivate the project",
        saves(commands.deactivate_project, "The project rests.", PROJECT),
        "Deactivate",
        "Nobody can sign in to its applications. Nothing is deleted.",
    ),
    _page(
        "reactivate",
        "Reactivate the project",
        saves(commands.reactivate_project, "The project works again.", PROJECT),
        "Reactivate",
        "People can sign in again.",
    ),
    _page(
        "delete",
        "Delete the project",
        saves(commands.remove_project, "The project is gone.", "projects"),
        "Delete for good",
        "Its applications, roles, grants and authorizations are deleted with it. This cannot be undone.",
        danger=True,
    ),
    _page(
        "roles/new",
        "New role",
        saves(commands.add_role, "The role is added.", PROJECT + "?tab=roles"),
        "Add",
        form=RoleForm,
    ),
    _page(
        "roles/<key>/remove",
        "Remove the role",
        saves(commands.remove_role, "The role is removed.", PROJECT + "?tab=roles"),
        "Remove",
        "Everybody who holds it loses it at once.",
        danger=True,
    ),
    _page(
        "apps/new-oidc",
        "New application",
        _create_oidc,
        "Create",
        form=OidcForm,
        initial=lambda ctx, path: {"grant_types": ["0"], "auth_method_type": "2"},
    ),
    _page("apps/new-api", "New API", _create_api, "Create", form=ApiForm),
    DetailPage(
        route="projects/<project_id>/apps/<app_id>",
        noun="Application",
        section="projects",
        get=_get_app,
        title=lambda row: row.name,
        state=lambda row: row.state_word,
        crumbs=lambda row: (("Project", f"projects/{row.project_id}"),),
        tabs=(
            Tab(
                "",
                "Overview",
                (
                    Properties(
                        "Client",
                        (
                            Column("client_id", "Client id", kind="code"),
                            Column(
                                "auth_method_type",
                                "Authentication",
                                show=lambda row: METHOD_WORDS[
                                    3 if row.kind == "api" and row.auth_method_type else row.auth_method_type
                                ],
                            ),
                            Column(
                                "application_type",
                                "Kind",
                                show=lambda row: (
                                    dict(TYPES)[str(row.application_type)] if row.kind == "oidc" else "API"
                                ),
                            ),
                            Column(
                                "access_token_type",
                                "Access tokens",
                                show=lambda row: "JWT" if row.access_token_type else "opaque",
                            ),
                        ),
                    ),
                    Properties(
                        "Addresses",
                        (
                            Column("redirect_uris", "Redirect URIs", kind="list"),
                            Column("post_logout_redirect_uris", "Post-logout redirect URIs", kind="list"),
                            Column("dev_mode", "Development mode", kind="yesno"),
                        ),
                        when=lambda row: row.kind == "oidc",
                    ),
                    Related(
                        "Keys",
                        lambda ctx, row: queries.list_app_keys(ctx, app_id=row.id).order_by("created_at"),
                        (
                            Column("id", "Id", kind="code"),
                            Column("expires_at", "Expires", kind="time"),
                            Column("created_at", "Created", kind="time"),
                        ),
                        Empty("No keys", "The application needs one to authenticate."),
                        links=(
                            Link("New key", "projects/{project_id}/apps/{id}/keys/new", "project.app.write", main=True),
                        ),
                        row_links=(
                            Link(
                                "Remove",
                                "projects/{project_id}/apps/{app_id}/keys/{id}/remove",
                                "project.app.write",
                                danger=True,
                            ),
                        ),
                        when=KEYS,
                    ),
                ),
            ),
        ),
        links=(
            Link("Edit", "projects/{project_id}/apps/{id}/edit", "project.app.write", lambda row: row.kind == "oidc"),
            Link("New secret", "projects/{project_id}/apps/{id}/secret", "project.app.write", SECRET),
            Link(
                "Deactivate",
                "projects/{project_id}/apps/{id}/deactivate",
                "project.app.write",
                lambda row: row.state == 1,
            ),
            Link(
                "Reactivate",
                "projects/{project_id}/apps/{id}/reactivate",
                "project.app.write",
                lambda row: row.state == 2,
                main=True,
            ),
            Link("Delete", "projects/{project_id}/apps/{id}/delete", "project.app.delete", danger=True),
        ),
        stream=lambda row: ("project", row.project_id),
        tells=lambda row, fact: getattr(fact, "app_id", "") == row.id,
    ),
    _page("apps/<app_id>/edit", "Edit the application", _save_oidc, form=OidcForm, initial=_app_initial),
    _page("apps/<app_id>/secret", "Set a new client secret", _new_secret, "Set", "The secret before stops working."),
    _page(
        "apps/<app_id>/deactivate",
        "Deactivate the application",
        saves(commands.deactivate_app, "The application is refused now.", APP),
        "Deactivate",
        "Nobody can sign in to it, and its tokens stop working.",
    ),
    _page(
        "apps/<app_id>/reactivate",
        "Reactivate the application",
        saves(commands.reactivate_app, "The application works again.", APP),
        "Reactivate",
        "It works again.",
    ),
    _page(
        "apps/<app_id>/delete",
        "Delete the application",
        saves(commands.remove_app, "The application is gone.", PROJECT),
        "Delete for good",
        "Its tokens stop working. This cannot be undone.",
        danger=True,
    ),
    _page(
        "apps/<app_id>/keys/new", "New key", _new_key, "Create", "A new pair is made; its private half is shown once."
    ),
    _page(
        "apps/<app_id>/keys/<key_id>/remove",
        "Remove the key",
        saves(commands.remove_app_key, "The key is removed.", APP),
        "Remove",
        "Assertions signed with it are refused from now on.",
        danger=True,
    ),
    _page("grants/new", "New grant", _add_grant, "Grant", form=grant_form),
    _page(
        "grants/<grant_id>/edit",
        "Roles of the grant",
        _change_grant,
        form=grant_roles_form,
        initial=lambda ctx, path: {"roles": queries.get_grant(ctx, grant_id=path["grant_id"]).roles},
    ),
    _page(
        "grants/<grant_id>/deactivate",
        "Deactivate the grant",
        saves(commands.deactivate_grant, "The grant rests.", PROJECT + "?tab=grants"),
        "Deactivate",
        "Roles given through it do not count meanwhile.",
    ),
    _page(
        "grants/<grant_id>/reactivate",
        "Reactivate the grant",
        saves(commands.reactivate_grant, "The grant counts again.", PROJECT + "?tab=grants"),
        "Reactivate",
        "Roles given through it count again.",
    ),
    _page(
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
            Column("project_id", "Project", kind="code", link="projects/{project_id}"),
            Column("granted_org_id", "Granted to", kind="code"),
            Column("roles", "Roles", kind="list"),
            Column("state_word", "State", kind="state", sort="state"),
            Column("created_at", "Created", kind="time", sort="created_at"),
        ),
        search=("project_id", "granted_org_id", "id"),
        filters=(STATES,),
        empty=Empty("No grants yet", "Open a project and grant it to another organization."),
    ),
)
add_menu(
    MenuEntry("Projects", "projects", "projects", "project.read", 30),
    MenuEntry("Grants", "grants", "grants", "project.grant.read", 40),
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
