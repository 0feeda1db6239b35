"""Applications and their keys over the older management service; the same commands and queries as v2."""

from typing import Any

from iam.api.gen import app_v1, authn_v1, v1
from iam.api.gen import management_v1 as management
from iam.api.lists import details, list_details, matches, moment, paged, row_details, stamp
from iam.api.methods import Service
from iam.kernel.change import Receipt
from iam.kernel.context import Context
from orgs.api_v1 import inner_details
from projects import commands, queries
from projects.api_config import config_of, fill, fill_problems
from projects.models import AppKeyRow, AppRow
from users.commands.credentials import NEVER

own = Service("zitadel.management.v1.ManagementService")
JSON_KEY = 1


def _details(receipt: Receipt) -> Any:
    return details(v1.ObjectDetails, receipt)


def _where(request: Any) -> dict[str, str]:
    return {"project_id": request.project_id, "app_id": request.app_id}


def _shown(row: AppRow) -> Any:
    """An application as v1 shows it; never its secret."""
    app = app_v1.App(id=row.id, name=row.name, state=row.state, details=row_details(v1.ObjectDetails, row, row.org_id))
    if row.kind == "oidc":
        fill(app.oidc_config, row)
    elif row.kind == "api":
        app.api_config.client_id, app.api_config.auth_method_type = row.client_id, row.auth_method_type
    return app


@own.method
def AddOIDCApp(ctx: Context, request: Any) -> Any:
    """Add an application that signs people in."""
    config = config_of(request)
    made = commands.add_oidc_app(ctx, project_id=request.project_id, name=request.name, config=config)
    answer = management.AddOIDCAppResponse(
        app_id=made.id, client_id=made.client_id, client_secret=made.secret, details=_details(made.receipt)
    )
    fill_problems(answer, config)
    return answer


@own.method
def AddAPIApp(ctx: Context, request: Any) -> Any:
    """Add an application that checks tokens."""
    made = commands.add_api_app(ctx, project_id=request.project_id, name=request.name, method=request.auth_method_type)
    return management.AddAPIAppResponse(
        app_id=made.id, client_id=made.client_id, client_secret=made.secret, details=_details(made.receipt)
    )


@own.method
def GetAppByID(ctx: Context, request: Any) -> Any:
    """One application."""
    return management.GetAppByIDResponse(app=_shown(queries.get_app_of(ctx, **_where(request))))


@own.method
def ListApps(ctx: Context, request: Any) -> Any:
    """The applications of a project."""
    rows = queries.list_apps_of(ctx, project_id=request.project_id)
    for one in request.queries:
        rows = rows.filter(matches("name", one.name_query.name, one.name_query.method))
    found, total = paged(rows, request.query, columns={})
    return management.ListAppsResponse(details=list_details(ctx, total), result=[_shown(row) for row in found])


@own.method
def UpdateApp(ctx: Context, request: Any) -> Any:
    """Give an application another name."""
    receipt = commands.rename_app(ctx, **_where(request), name=request.name)
    return management.UpdateAppResponse(details=_details(receipt))


@own.method
def UpdateOIDCAppConfig(ctx: Context, request: Any) -> Any:
    """Set the whole OpenID Connect configuration."""
    receipt = commands.change_oidc_app(ctx, **_where(request), changes=vars(config_of(request)))
    return management.UpdateOIDCAppConfigResponse(details=_details(receipt))


@own.method
def UpdateAPIAppConfig(ctx: Context, request: Any) -> Any:
    """Set how an API application authenticates."""
    receipt = commands.change_api_app(ctx, **_where(request), method=request.auth_method_type)
    return management.UpdateAPIAppConfigResponse(details=_details(receipt))


@own.method
def DeactivateApp(ctx: Context, request: Any) -> Any:
    """Refuse an application everywhere."""
    return management.DeactivateAppResponse(details=_details(commands.deactivate_app(ctx, **_where(request))))


@own.method
def ReactivateApp(ctx: Context, request: Any) -> Any:
    """Let an application work again."""
    return management.ReactivateAppResponse(details=_details(commands.reactivate_app(ctx, **_where(request))))


@own.method
def RemoveApp(ctx: Context, request: Any) -> Any:
    """Delete an application."""
    return management.RemoveAppResponse(details=_details(commands.remove_app(ctx, **_where(request))))


@own.method
def RegenerateOIDCClientSecret(ctx: Context, request: Any) -> Any:
    """Set another client secret, shown this once."""
    made = commands.change_app_secret(ctx, **_where(request), kind="oidc")
    return management.RegenerateOIDCClientSecretResponse(client_secret=made.secret, details=_details(made.receipt))


@own.method
def RegenerateAPIClientSecret(ctx: Context, request: Any) -> Any:
    """Set another client secret, shown this once."""
    made = commands.change_app_secret(ctx, **_where(request), kind="api")
    return management.RegenerateAPIClientSecretResponse(client_secret=made.secret, details=_details(made.receipt))


@own.method
def AddAppKey(ctx: Context, request: Any) -> Any:
    """Give an application a key; the private half is shown this once."""
    made = commands.add_app_key(ctx, **_where(request), expires_at=moment(request, "expiration_date"))
    row = queries.get_app(ctx, app_id=request.app_id)
    content = commands.app_key_file(made, row.id, row.client_id).encode()
    return management.AddAppKeyResponse(id=made.id, key_details=content, details=_details(made.receipt))


@own.method
def GetAppKey(ctx: Context, request: Any) -> Any:
    """One key; its private half was shown once."""
    row = queries.get_key_of(ctx, **_where(request), key_id=request.key_id)
    return management.GetAppKeyResponse(key=_key(row))


@own.method
def ListAppKeys(ctx: Context, request: Any) -> Any:
    """The keys of an application."""
    rows = queries.list_app_keys(ctx, app_id=queries.get_app_of(ctx, **_where(request)).id)
    found, total = paged(rows, request.query, columns={})
    return management.ListAppKeysResponse(details=list_details(ctx, total), result=[_key(row) for row in found])


def _key(row: AppKeyRow) -> Any:
    return authn_v1.Key(
        id=row.id,
        type=JSON_KEY,
        expiration_date=stamp(row.expires_at or NEVER),
        details=inner_details(row, row.created_at),
    )


@own.method
def RemoveAppKey(ctx: Context, request: Any) -> Any:
    """Take a key."""
    receipt = commands.remove_app_key(ctx, **_where(request), key_id=request.key_id)
    return management.RemoveAppKeyResponse(details=_details(receipt))
