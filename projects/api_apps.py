"""Methods of zitadel.application.v2.ApplicationService."""

from typing import Any

from iam.api import versions
from iam.api.gen import application_v2
from iam.api.lists import matches, moment, page_of, paged, stamp
from iam.api.methods import Service
from iam.kernel.change import together
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, Unimplemented
from projects import commands, queries
from projects.api_config import config_of, fill, fill_problems, sent
from projects.models import AppRow

apps = Service("zitadel.application.v2.ApplicationService")
SORTS = {1: "name", 2: "state", 3: "created_at", 4: "changed_at"}
KINDS = {1: "oidc", 2: "api", 3: "saml"}
SAME = "app.not_changed"


@versions.finds("application")
def _project_of(ctx: Context, app_id: str) -> str:
    """An application is stored with its project."""
    return queries.get_app(ctx, app_id=app_id).project_id


@apps.method
def CreateApplication(ctx: Context, request: Any) -> Any:
    """Add an application to a project."""
    match request.WhichOneof("application_type"):
        case "oidc_configuration":
            config = config_of(request.oidc_configuration)
            made = commands.add_oidc_app(
                ctx, project_id=request.project_id, name=request.name, config=config, app_id=request.application_id
            )
        case "api_configuration":
            made = commands.add_api_app(
                ctx,
                project_id=request.project_id,
                name=request.name,
                method=request.api_configuration.auth_method_type,
                app_id=request.application_id,
            )
        case _:
            raise Unimplemented("api.unimplemented", reason="SAML applications")
    answer = application_v2.CreateApplicationResponse(
        application_id=made.id, creation_date=stamp(made.receipt.changed_at)
    )
    told = answer.oidc_configuration if request.HasField("oidc_configuration") else answer.api_configuration
    told.client_id, told.client_secret = made.client_id, made.secret
    if request.HasField("oidc_configuration"):
        fill_problems(told, config_of(request.oidc_configuration))
    return answer


@apps.method
def GetApplication(ctx: Context, request: Any) -> Any:
    """One application."""
    row = queries.get_app(ctx, app_id=request.application_id)
    return application_v2.GetApplicationResponse(application=_shown(row))


@apps.method
def ListApplications(ctx: Context, request: Any) -> Any:
    """The applications that the caller may see."""
    rows = queries.list_apps(ctx)
    for one in request.filters:
        rows = _narrowed(rows, one)
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=SORTS)
    return application_v2.ListApplicationsResponse(
        applications=[_shown(row) for row in found], pagination=page_of(request, total)
    )


def _narrowed(rows: Any, one: Any) -> Any:
    match one.WhichOneof("filter"):
        case "project_id_filter":
            return rows.filter(project_id=one.project_id_filter.project_id)
        case "name_filter":
            return rows.filter(matches("name", one.name_filter.name, one.name_filter.method))
        case "state_filter":
            return rows.filter(state=one.state_filter)
        case "client_id_filter":
            return rows.filter(client_id=one.client_id_filter.client_id)
        case "type_filter":
            return rows.filter(kind=KINDS.get(one.type_filter, ""))
        case "entity_id_filter":
            return rows.none()  # entity ids belong to SAML applications, which this server does not have yet
    raise InvalidInput("api.query_unsupported", field="filters")


def _shown(row: AppRow) -> Any:
    """An application as the API shows it; never its secret."""
    app = application_v2.Application(
        application_id=row.id,
        project_id=row.project_id,
        name=row.name,
        state=row.state,
        creation_date=stamp(row.created_at),
        change_date=stamp(row.changed_at),
    )
    if row.kind == "api":
        app.api_configuration.client_id = row.client_id
        app.api_configuration.auth_method_type = row.auth_method_type
    elif row.kind == "oidc":
        fill(app.oidc_configuration, row)
    return app


@apps.method
def UpdateApplication(ctx: Context, request: Any) -> Any:
    """Change an application; only what is sent."""
    where = {"project_id": request.project_id, "app_id": request.application_id}
    if request.HasField("saml_configuration"):
        queries.get_app(ctx, app_id=request.application_id)  # whoever may not see it is told so first
        raise Unimplemented("api.unimplemented", reason="SAML applications")
    receipts = []
    with together(ctx):
        if request.name:
            receipts.append(commands.rename_app(ctx, **where, name=request.name))
        if request.HasField("oidc_configuration"):
            changes = sent(request.oidc_configuration)
            receipts.append(commands.change_oidc_app(ctx, **where, changes=changes))
        if request.HasField("api_configuration"):
            receipts.append(commands.change_api_app(ctx, **where, method=request.api_configuration.auth_method_type))
    if not receipts:
        changed = queries.get_app(ctx, app_id=request.application_id).changed_at
        return application_v2.UpdateApplicationResponse(change_date=stamp(changed))
    news = next((one for one in receipts if one.is_news), receipts[-1]).of_difference(SAME)
    return application_v2.UpdateApplicationResponse(change_date=stamp(news.changed_at))


@apps.method
def DeactivateApplication(ctx: Context, request: Any) -> Any:
    """Refuse an application everywhere."""
    receipt = commands.deactivate_app(ctx, project_id=request.project_id, app_id=request.application_id)
    return application_v2.DeactivateApplicationResponse(deactivation_date=stamp(receipt.changed_at))


@apps.method
def ReactivateApplication(ctx: Context, request: Any) -> Any:
    """Let an application work again."""
    receipt = commands.reactivate_app(ctx, project_id=request.project_id, app_id=request.application_id)
    return application_v2.ReactivateApplicationResponse(reactivation_date=stamp(receipt.changed_at))


@apps.method
def DeleteApplication(ctx: Context, request: Any) -> Any:
    """Delete an application."""
    receipt = commands.remove_app(ctx, project_id=request.project_id, app_id=request.application_id)
    return application_v2.DeleteApplicationResponse(deletion_date=stamp(receipt.changed_at))


@apps.method
def GenerateClientSecret(ctx: Context, request: Any) -> Any:
    """Set another client secret, shown this once."""
    made = commands.change_app_secret(ctx, project_id=request.project_id, app_id=request.application_id)
    return application_v2.GenerateClientSecretResponse(
        client_secret=made.secret, creation_date=stamp(made.receipt.changed_at)
    )


@apps.method
def CreateApplicationKey(ctx: Context, request: Any) -> Any:
    """Give an application a key; the private half is shown this once."""
    made = commands.add_app_key(
        ctx,
        project_id=request.project_id,
        app_id=request.application_id,
        expires_at=moment(request, "expiration_date"),
    )
    row = queries.get_app(ctx, app_id=request.application_id)
    content = commands.app_key_file(made, row.id, row.client_id).encode()
    return application_v2.CreateApplicationKeyResponse(
        key_id=made.id, key_details=content, creation_date=stamp(made.receipt.changed_at)
    )


@apps.method
def DeleteApplicationKey(ctx: Context, request: Any) -> Any:
    """Take a key."""
    receipt = commands.remove_app_key(
        ctx, project_id=request.project_id, app_id=request.application_id, key_id=request.key_id
    )
    return application_v2.DeleteApplicationKeyResponse(deletion_date=stamp(receipt.changed_at))
