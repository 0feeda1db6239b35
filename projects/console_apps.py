"""Console pages of applications."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from iam.console.kit import (
    Column,
    DetailPage,
    Empty,
    Link,
    Outcome,
    Path,
    Properties,
    Related,
    Tab,
    saves,
)
from iam.console.parts import choice_field, lines_field, text_field, tick_field, ticks_field
from iam.console.site import add_pages, add_urls
from iam.kernel.change import together
from iam.kernel.context import Context
from projects import commands, queries
from projects.console_parts import APP, PROJECT, project_page
from projects.domain.project import OidcConfig
from projects.domain.uris import problem_of, weakness_of
from projects.models import AppRow
from users.console_forms import SecretForm, kept

TYPES = (("0", "Web application"), ("1", "Single-page application"), ("2", "Native application"))
METHODS = (
    ("2", "None: PKCE (recommended)"),
    ("0", "Client secret, basic"),
    ("1", "Client secret, in the form"),
    ("3", "Private key JWT"),
)
METHOD_WORDS = {0: "client secret, basic", 1: "client secret, in the form", 2: "none (PKCE)", 3: "private key JWT"}
GRANTS = (("0", "Authorization code"), ("2", "Refresh token"), ("3", "Device code"))
GRANT_WORDS = {0: "authorization code", 1: "implicit", 2: "refresh token", 3: "device code", 4: "token exchange"}
CHECK = "/ui/console/check/redirect-uris"


class OidcForm(forms.Form):
    """An application that signs people in."""

    name = text_field("Name", 200)
    application_type = choice_field("Kind", TYPES)
    auth_method_type = choice_field("Authentication", METHODS)
    redirect_uris = lines_field(
        "Redirect URIs",
        hint="One per line. https, or http on localhost. Not needed when only devices sign in.",
        **{"hx-post": CHECK, "hx-trigger": "input changed delay:400ms", "hx-target": "#id_redirect_uris_error"},
    )
    post_logout_redirect_uris = lines_field("Post-logout redirect URIs", hint="One per line.")
    grant_types = ticks_field("Grants", GRANTS)
    jwt = tick_field("Access tokens are JWTs")
    access_token_role_assertion = tick_field("Put roles into JWT access tokens")
    id_token_role_assertion = tick_field("Put roles into ID tokens")
    id_token_userinfo_assertion = tick_field("Put profile claims into ID tokens")
    dev_mode = tick_field("Development mode: allow plain http redirects")

    def clean(self) -> dict[str, Any]:
        """Only an application that lives on device codes alone is never redirected to."""
        values: dict[str, Any] = super().clean() or {}
        by_code = "0" in values.get("grant_types", ()) or "3" not in values.get("grant_types", ())
        if by_code and not values.get("redirect_uris") and "redirect_uris" not in self.errors:
            self.add_error("redirect_uris", forms.Field.default_error_messages["required"])
        return values


class ApiForm(forms.Form):
    """An application that checks tokens."""

    name = text_field("Name", 200)
    method = choice_field("Authentication", (("0", "Client secret, basic"), ("1", "Private key JWT")))


def kind_of_app(row: AppRow) -> str:
    """What an application is, in words."""
    return dict(TYPES)[str(row.application_type)] if row.kind == "oidc" else "API"


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
    with together(ctx):
        commands.rename_app(ctx, **path, name=values["name"])
        commands.change_oidc_app(ctx, **path, changes=_config(values))
    return Outcome("projects/{project_id}/apps/{app_id}".format(**path), "The application is saved.")


def _app_initial(ctx: Context, path: Path) -> dict[str, Any]:
    row = queries.get_app(ctx, app_id=path["app_id"])
    return {**vars(row), "jwt": row.access_token_type == 1, "grant_types": [str(one) for one in row.grant_types]}


def _new_secret(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    made = commands.change_app_secret(ctx, **path, keep_previous=kept(values))
    return Outcome(
        "projects/{project_id}/apps/{app_id}".format(**path), "Client secret set", {"Client secret": made.secret}
    )


def _new_key(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
    made, row = commands.add_app_key(ctx, **path), queries.get_app(ctx, app_id=path["app_id"])
    content = commands.app_key_file(made, row.id, row.client_id)
    return Outcome("projects/{project_id}/apps/{app_id}".format(**path), "Key created", {"Key file (JSON)": content})


def _get_app(ctx: Context, *, project_id: str, app_id: str) -> AppRow:
    return queries.get_app_of(ctx, project_id=project_id, app_id=app_id)


def check_redirect_uris(request: HttpRequest, ctx: Context) -> HttpResponse:
    """What is wrong with the addresses typed so far, one line each: command and sign-ins judge by the same rules."""
    kind = request.POST.get("application_type", "0")
    app_type = int(kind) if kind in ("0", "1", "2") else 0
    dev_mode = "dev_mode" in request.POST
    found = [
        (uri, problem_of(uri, dev_mode=dev_mode) or weakness_of(uri, app_type=app_type, dev_mode=dev_mode))
        for uri in request.POST.get("redirect_uris", "").split()[:100]
    ]
    return _problems(request, [(uri, problem) for uri, problem in found if problem])


def _problems(request: HttpRequest, found: list[tuple[str, str]]) -> HttpResponse:
    from django.shortcuts import render

    return render(request, "console/_uri_problems.html", {"problems": found})


SECRET = lambda row: (
    (row.kind == "oidc" and row.auth_method_type in (0, 1)) or (row.kind == "api" and row.auth_method_type == 0)
)
KEYS = lambda row: (
    (row.kind == "oidc" and row.auth_method_type == 3) or (row.kind == "api" and row.auth_method_type == 1)
)
add_urls(("check/redirect-uris", check_redirect_uris))
add_pages(
    project_page(
        "apps/new-oidc",
        "New application",
        _create_oidc,
        "Create",
        form=OidcForm,
        initial=lambda ctx, path: {"grant_types": ["0"], "auth_method_type": "2"},
    ),
    project_page("apps/new-api", "New API", _create_api, "Create", form=ApiForm),
    DetailPage(
        route="projects/<project_id>/apps/<app_id>",
        noun="Application",
        section="projects",
        get=_get_app,
        title=lambda row: row.name,
        state=lambda row: row.state_word,
        crumbs=lambda row: ((row.project.name, f"projects/{row.project_id}"),),
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
                                show=kind_of_app,
                            ),
                            Column(
                                "grant_types",
                                "Grants",
                                show=lambda row: (
                                    ", ".join(GRANT_WORDS[one] for one in row.grant_types if one in GRANT_WORDS)
                                    if row.kind == "oidc"
                                    else "–"
                                ),
                            ),
                            Column(
                                "access_token_type",
                                "Access tokens",
                                show=lambda row: "JWT" if row.access_token_type else "opaque",
                            ),
                            Column("previous_secret_until", "The secret before works until", kind="time"),
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
    project_page("apps/<app_id>/edit", "Edit the application", _save_oidc, form=OidcForm, initial=_app_initial),
    project_page("apps/<app_id>/secret", "Set a new client secret", _new_secret, "Set", form=SecretForm),
    project_page(
        "apps/<app_id>/deactivate",
        "Deactivate the application",
        saves(commands.deactivate_app, "The application is refused now.", APP),
        "Deactivate",
        "Nobody can sign in to it, and its tokens stop working.",
    ),
    project_page(
        "apps/<app_id>/reactivate",
        "Reactivate the application",
        saves(commands.reactivate_app, "The application works again.", APP),
        "Reactivate",
        "It works again.",
    ),
    project_page(
        "apps/<app_id>/delete",
        "Delete the application",
        saves(commands.remove_app, "The application is gone.", PROJECT),
        "Delete for good",
        "Its tokens stop working. This cannot be undone.",
        danger=True,
    ),
    project_page(
        "apps/<app_id>/keys/new", "New key", _new_key, "Create", "A new pair is made; its private half is shown once."
    ),
    project_page(
        "apps/<app_id>/keys/<key_id>/remove",
        "Remove the key",
        saves(commands.remove_app_key, "The key is removed.", APP),
        "Remove",
        "Assertions signed with it are refused from now on.",
        danger=True,
    ),
)
