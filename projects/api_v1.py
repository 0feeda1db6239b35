"""Projects and roles over the older management service; the same commands and queries as v2."""

from typing import Any

from iam.api.gen import management_v1 as management
from iam.api.gen import project_v1, v1
from iam.api.lists import details, list_details, matches, paged, row_details
from iam.api.methods import Service
from iam.kernel.change import Receipt
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from orgs.api_v1 import inner_details
from projects import commands, queries
from projects.api import roles_matching
from projects.domain.project import SETTINGS
from projects.models import ProjectRow, RoleRow

own = Service("zitadel.management.v1.ManagementService")


def _details(receipt: Receipt) -> Any:
    return details(v1.ObjectDetails, receipt)


def _settings(request: Any) -> dict[str, Any]:
    return {name: getattr(request, name) for name in SETTINGS}


def _shown(row: ProjectRow) -> Any:
    settings = {name: getattr(row, name) for name in SETTINGS}
    told = row_details(v1.ObjectDetails, row, row.org_id)
    return project_v1.Project(id=row.id, name=row.name, state=row.state, details=told, **settings)


@own.method
def AddProject(ctx: Context, request: Any) -> Any:
    """Create a project in the organization that the request acts in."""
    admins = {admin.user_id: tuple(admin.roles) or ("PROJECT_OWNER",) for admin in request.admins}
    receipt = commands.add_project(
        ctx, org_id=ctx.org_id, name=request.name, settings=_settings(request), admins=admins
    )
    return management.AddProjectResponse(id=receipt.id, details=_details(receipt))


@own.method
def GetProjectByID(ctx: Context, request: Any) -> Any:
    """One project."""
    return management.GetProjectByIDResponse(project=_shown(queries.get_project(ctx, project_id=request.id)))


@own.method
def ListProjects(ctx: Context, request: Any) -> Any:
    """The projects of the organization that the request acts in."""
    rows = queries.list_projects(ctx).filter(org_id=ctx.org_id)
    for one in request.queries:
        match one.WhichOneof("query"):
            case "name_query":
                rows = rows.filter(matches("name", one.name_query.name, one.name_query.method))
            case "project_resource_owner_query":
                rows = rows.filter(org_id=one.project_resource_owner_query.resource_owner)
            case _:
                raise InvalidInput("api.query_unsupported", field="queries")
    found, total = paged(rows, request.query, columns={})
    return management.ListProjectsResponse(details=list_details(ctx, total), result=[_shown(row) for row in found])


@own.method
def UpdateProject(ctx: Context, request: Any) -> Any:
    """Set name and settings."""
    receipt = commands.change_project(ctx, project_id=request.id, name=request.name, settings=_settings(request))
    return management.UpdateProjectResponse(details=_details(receipt))


@own.method
def DeactivateProject(ctx: Context, request: Any) -> Any:
    """Let nobody sign in to its applications."""
    receipt = commands.deactivate_project(ctx, project_id=request.id)
    return management.DeactivateProjectResponse(details=_details(receipt))


@own.method
def ReactivateProject(ctx: Context, request: Any) -> Any:
    """Let people sign in again."""
    receipt = commands.reactivate_project(ctx, project_id=request.id)
    return management.ReactivateProjectResponse(details=_details(receipt))


@own.method
def RemoveProject(ctx: Context, request: Any) -> Any:
    """Delete a project with everything in it."""
    receipt = commands.remove_project(ctx, project_id=request.id).of_something("project.not_found")
    return management.RemoveProjectResponse(details=_details(receipt))


@own.method
def AddProjectRole(ctx: Context, request: Any) -> Any:
    """Offer a role."""
    receipt = commands.add_role(
        ctx,
        project_id=request.project_id,
        key=request.role_key,
        display_name=request.display_name,
        group=request.group,
    )
    return management.AddProjectRoleResponse(details=_details(receipt))


@own.method
def BulkAddProjectRoles(ctx: Context, request: Any) -> Any:
    """Offer several roles, all or none."""
    roles = [(role.key, role.display_name, role.group) for role in request.roles]
    receipt = commands.add_roles(ctx, project_id=request.project_id, roles=roles)
    return management.BulkAddProjectRolesResponse(details=_details(receipt))


@own.method
def UpdateProjectRole(ctx: Context, request: Any) -> Any:
    """Set a role's name and group."""
    receipt = commands.change_role(
        ctx,
        project_id=request.project_id,
        key=request.role_key,
        display_name=request.display_name,
        group=request.group,
    )
    return management.UpdateProjectRoleResponse(details=_details(receipt))


@own.method
def RemoveProjectRole(ctx: Context, request: Any) -> Any:
    """Take a role from everybody."""
    receipt = commands.remove_role(ctx, project_id=request.project_id, key=request.role_key).receipt
    return management.RemoveProjectRoleResponse(details=_details(receipt))


@own.method
def ListProjectRoles(ctx: Context, request: Any) -> Any:
    """The roles of a project."""
    result, total = _roles(queries.list_roles(ctx, project_id=request.project_id), request)
    return management.ListProjectRolesResponse(details=list_details(ctx, total), result=result)


@own.method
def ListGrantedProjectRoles(ctx: Context, request: Any) -> Any:
    """The roles that were lent."""
    result, total = _roles(queries.list_lent_roles(ctx, request.project_id, request.grant_id), request)
    return management.ListGrantedProjectRolesResponse(details=list_details(ctx, total), result=result)


def _roles(rows: Any, request: Any) -> tuple[list[Any], int]:
    for one in request.queries:
        rows = roles_matching(rows, one, one.WhichOneof("query"))
    found, total = paged(rows, request.query, columns={}, key="key")
    return [_role(row) for row in found], total


def _role(row: RoleRow) -> Any:
    return project_v1.Role(
        key=row.key, display_name=row.display_name, group=row.group, details=inner_details(row, row.changed_at)
    )
