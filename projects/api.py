"""Methods of zitadel.project.v2.ProjectService, and the older spellings of the recipes."""

from typing import Any

from iam.api.gen import management_v1 as management
from iam.api.gen import project_v2, v1
from iam.api.lists import details, matches, page_of, paged, stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, NotFound
from projects import api_apps, api_permissions, commands, queries  # noqa: F401 - registers their methods
from projects.api_config import config_of
from projects.models import ProjectGrantRow, ProjectRow

projects = Service("zitadel.project.v2.ProjectService")
older = Service("zitadel.management.v1.ManagementService")
SORTS = {1: "id", 2: "created_at", 3: "changed_at", 4: "name"}
SETTINGS = {
    "project_role_assertion": "project_role_assertion",
    "authorization_required": "project_role_check",
    "project_access_required": "has_project_check",
    "private_labeling_setting": "private_labeling_setting",
}


@projects.method
def CreateProject(ctx: Context, request: Any) -> Any:
    """Create a project."""
    settings = {column: getattr(request, name) for name, column in SETTINGS.items()}
    receipt = commands.add_project(
        ctx,
        org_id=request.organization_id or ctx.org_id,
        name=request.name,
        project_id=request.project_id,
        settings=settings,
    )
    return project_v2.CreateProjectResponse(project_id=receipt.id, creation_date=stamp(receipt.created_at))


@older.method
def AddProject(ctx: Context, request: Any) -> Any:
    """Create a project in the organization that the request acts in."""
    names = ("project_role_assertion", "project_role_check", "has_project_check", "private_labeling_setting")
    settings = {name: getattr(request, name) for name in names}
    receipt = commands.add_project(ctx, org_id=ctx.org_id, name=request.name, settings=settings)
    return management.AddProjectResponse(id=receipt.id, details=details(v1.ObjectDetails, receipt))


@older.method
def AddOIDCApp(ctx: Context, request: Any) -> Any:
    """Add an application that signs people in."""
    config = config_of(request, response_shift=0)
    made = commands.add_oidc_app(ctx, project_id=request.project_id, name=request.name, config=config)
    return management.AddOIDCAppResponse(
        app_id=made.id,
        client_id=made.client_id,
        client_secret=made.secret,
        details=details(v1.ObjectDetails, made.receipt),
    )


@older.method
def AddAPIApp(ctx: Context, request: Any) -> Any:
    """Add an application that checks tokens."""
    made = commands.add_api_app(ctx, project_id=request.project_id, name=request.name, method=request.auth_method_type)
    return management.AddAPIAppResponse(
        app_id=made.id,
        client_id=made.client_id,
        client_secret=made.secret,
        details=details(v1.ObjectDetails, made.receipt),
    )


@projects.method
def GetProject(ctx: Context, request: Any) -> Any:
    """One project."""
    return project_v2.GetProjectResponse(project=_shown(queries.get_project(ctx, project_id=request.project_id)))


@projects.method
def ListProjects(ctx: Context, request: Any) -> Any:
    """The projects that the caller may see."""
    rows = queries.list_projects(ctx)
    for one in request.filters:
        match one.WhichOneof("filter"):
            case "project_name_filter":
                rows = rows.filter(
                    matches("name", one.project_name_filter.project_name, one.project_name_filter.method)
                )
            case "in_project_ids_filter":
                rows = rows.filter(id__in=list(one.in_project_ids_filter.ids))
            case "organization_id_filter":
                rows = rows.filter(org_id=one.organization_id_filter.organization_id)
            case _:
                raise InvalidInput("api.query_unsupported", field="filters")
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=SORTS)
    return project_v2.ListProjectsResponse(projects=[_shown(row) for row in found], pagination=page_of(request, total))


def _shown(row: ProjectRow) -> Any:
    return project_v2.Project(
        project_id=row.id,
        organization_id=row.org_id,
        name=row.name,
        state=row.state,
        creation_date=stamp(row.created_at),
        change_date=stamp(row.changed_at),
        **{name: getattr(row, column) for name, column in SETTINGS.items()},
    )


@projects.method
def UpdateProject(ctx: Context, request: Any) -> Any:
    """Change a project; only what is sent."""
    settings = {column: getattr(request, name) for name, column in SETTINGS.items() if request.HasField(name)}
    name = request.name if request.HasField("name") else None
    receipt = commands.change_project(ctx, project_id=request.project_id, name=name, settings=settings)
    return project_v2.UpdateProjectResponse(change_date=stamp(receipt.changed_at))


@projects.method
def DeactivateProject(ctx: Context, request: Any) -> Any:
    """Let nobody sign in to its applications."""
    receipt = commands.deactivate_project(ctx, project_id=request.project_id)
    return project_v2.DeactivateProjectResponse(change_date=stamp(receipt.changed_at))


@projects.method
def ActivateProject(ctx: Context, request: Any) -> Any:
    """Let people sign in again."""
    receipt = commands.reactivate_project(ctx, project_id=request.project_id)
    return project_v2.ActivateProjectResponse(change_date=stamp(receipt.changed_at))


@projects.method
def DeleteProject(ctx: Context, request: Any) -> Any:
    """Delete a project."""
    receipt = commands.remove_project(ctx, project_id=request.project_id)
    return project_v2.DeleteProjectResponse(deletion_date=stamp(receipt.changed_at))


@projects.method
def AddProjectRole(ctx: Context, request: Any) -> Any:
    """Offer a role."""
    receipt = commands.add_role(
        ctx,
        project_id=request.project_id,
        key=request.role_key,
        display_name=request.display_name,
        group=request.group,
    )
    return project_v2.AddProjectRoleResponse(creation_date=stamp(receipt.changed_at))


@projects.method
def UpdateProjectRole(ctx: Context, request: Any) -> Any:
    """Give a role another name or group."""
    receipt = commands.change_role(
        ctx,
        project_id=request.project_id,
        key=request.role_key,
        display_name=request.display_name if request.HasField("display_name") else None,
        group=request.group if request.HasField("group") else None,
    )
    return project_v2.UpdateProjectRoleResponse(change_date=stamp(receipt.changed_at))


@projects.method
def RemoveProjectRole(ctx: Context, request: Any) -> Any:
    """Take a role from everybody."""
    receipt = commands.remove_role(ctx, project_id=request.project_id, key=request.role_key)
    return project_v2.RemoveProjectRoleResponse(removal_date=stamp(receipt.changed_at))


@projects.method
def ListProjectRoles(ctx: Context, request: Any) -> Any:
    """The roles of a project."""
    rows = queries.list_roles(ctx, project_id=request.project_id)
    found, total = paged(rows, request.pagination, columns={}, key="key")
    roles = [
        project_v2.ProjectRole(
            project_id=row.project_id,
            key=row.key,
            display_name=row.display_name,
            group=row.group,
            creation_date=stamp(row.created_at),
            change_date=stamp(row.changed_at),
        )
        for row in found
    ]
    return project_v2.ListProjectRolesResponse(project_roles=roles, pagination=page_of(request, total))


def _grant_id(ctx: Context, request: Any) -> str:
    """The API addresses a grant by project and organization."""
    row = ProjectGrantRow.objects.filter(
        instance_id=ctx.instance, project_id=request.project_id, granted_org_id=request.granted_organization_id
    ).first()
    ctx.require("project.grant.read", row.org_id if row else "", request.project_id)
    if row is None:
        raise NotFound("grant.not_found")
    return row.id


@projects.method
def CreateProjectGrant(ctx: Context, request: Any) -> Any:
    """Lend roles to an organization."""
    receipt, _ = commands.add_grant(
        ctx,
        project_id=request.project_id,
        granted_org_id=request.granted_organization_id,
        roles=tuple(request.role_keys),
    )
    return project_v2.CreateProjectGrantResponse(creation_date=stamp(receipt.changed_at))


@projects.method
def UpdateProjectGrant(ctx: Context, request: Any) -> Any:
    """Lend other roles."""
    receipt = commands.change_grant(
        ctx, project_id=request.project_id, grant_id=_grant_id(ctx, request), roles=tuple(request.role_keys)
    )
    return project_v2.UpdateProjectGrantResponse(change_date=stamp(receipt.changed_at))


@projects.method
def DeactivateProjectGrant(ctx: Context, request: Any) -> Any:
    """Let a grant rest."""
    id = _grant_id(ctx, request)
    receipt = commands.deactivate_grant(ctx, project_id=request.project_id, grant_id=id)
    return project_v2.DeactivateProjectGrantResponse(change_date=stamp(receipt.changed_at))


@projects.method
def ActivateProjectGrant(ctx: Context, request: Any) -> Any:
    """Let a grant count again."""
    id = _grant_id(ctx, request)
    receipt = commands.reactivate_grant(ctx, project_id=request.project_id, grant_id=id)
    return project_v2.ActivateProjectGrantResponse(change_date=stamp(receipt.changed_at))


@projects.method
def DeleteProjectGrant(ctx: Context, request: Any) -> Any:
    """Take everything back."""
    receipt = commands.remove_grant(ctx, project_id=request.project_id, grant_id=_grant_id(ctx, request))
    return project_v2.DeleteProjectGrantResponse(deletion_date=stamp(receipt.changed_at))


@projects.method
def ListProjectGrants(ctx: Context, request: Any) -> Any:
    """The grants that the caller gave or received."""
    rows = queries.list_grants(ctx)
    for one in request.filters:
        name = one.WhichOneof("filter")
        match name:
            case "in_project_ids_filter":
                rows = rows.filter(project_id__in=list(one.in_project_ids_filter.ids))
            case _:
                raise InvalidInput("api.query_unsupported", field=name or "filters")
    found, total = paged(rows, request.pagination, columns={})
    grants = [
        project_v2.ProjectGrant(
            organization_id=row.org_id,
            granted_organization_id=row.granted_org_id,
            granted_role_keys=row.roles,
            project_id=row.project_id,
            state=row.state,
            creation_date=stamp(row.created_at),
            change_date=stamp(row.changed_at),
        )
        for row in found
    ]
    return project_v2.ListProjectGrantsResponse(project_grants=grants, pagination=page_of(request, total))
