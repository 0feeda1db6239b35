"""Project grants over the older management service, seen by the giver and by the organization that received them."""

from typing import Any

from django.db.models import Q, QuerySet

from iam.api.gen import management_v1 as management
from iam.api.gen import project_v1, v1
from iam.api.lists import details, list_details, matches, paged, row_details
from iam.api.methods import Service
from iam.kernel.change import Receipt
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from projects import commands, queries
from projects.conditions import of_project, with_role
from projects.models import ProjectGrantRow
from projects.names import name_in, names_of

own = Service("zitadel.management.v1.ManagementService")


def _details(receipt: Receipt) -> Any:
    return details(v1.ObjectDetails, receipt)


def _where(request: Any) -> dict[str, str]:
    return {"project_id": request.project_id, "grant_id": request.grant_id}


@own.method
def AddProjectGrant(ctx: Context, request: Any) -> Any:
    """Lend roles to an organization."""
    receipt, id = commands.add_grant(
        ctx,
        project_id=request.project_id,
        granted_org_id=request.granted_org_id,
        roles=tuple(request.role_keys),
    )
    return management.AddProjectGrantResponse(grant_id=id, details=_details(receipt))


@own.method
def UpdateProjectGrant(ctx: Context, request: Any) -> Any:
    """Lend other roles."""
    receipt = commands.change_grant(ctx, **_where(request), roles=tuple(request.role_keys))
    return management.UpdateProjectGrantResponse(details=_details(receipt))


@own.method
def DeactivateProjectGrant(ctx: Context, request: Any) -> Any:
    """Let a grant rest."""
    receipt = commands.deactivate_grant(ctx, **_where(request))
    return management.DeactivateProjectGrantResponse(details=_details(receipt))


@own.method
def ReactivateProjectGrant(ctx: Context, request: Any) -> Any:
    """Let a grant count again."""
    receipt = commands.reactivate_grant(ctx, **_where(request))
    return management.ReactivateProjectGrantResponse(details=_details(receipt))


@own.method
def RemoveProjectGrant(ctx: Context, request: Any) -> Any:
    """Take everything back."""
    receipt = commands.remove_grant(ctx, **_where(request)).receipt.of_something("grant.not_found")
    return management.RemoveProjectGrantResponse(details=_details(receipt))


@own.method
def GetProjectGrantByID(ctx: Context, request: Any) -> Any:
    """One grant."""
    row = queries.get_grant(ctx, **_where(request))
    return management.GetProjectGrantByIDResponse(project_grant=_shown(ctx, [row])[0])


@own.method
def GetGrantedProjectByID(ctx: Context, request: Any) -> Any:
    """One project that was lent."""
    row = queries.get_granted(ctx, **_where(request))
    return management.GetGrantedProjectByIDResponse(granted_project=_shown(ctx, [row])[0])


@own.method
def ListProjectGrants(ctx: Context, request: Any) -> Any:
    """What a project lends."""
    rows = queries.list_grants(ctx).filter(project_id=request.project_id)
    result, total = _page(ctx, rows, request)
    return management.ListProjectGrantsResponse(details=list_details(ctx, total), result=result)


@own.method
def ListAllProjectGrants(ctx: Context, request: Any) -> Any:
    """What the organization that the request acts in lends."""
    rows = queries.list_grants(ctx).filter(org_id=ctx.org_id)
    result, total = _page(ctx, rows, request)
    return management.ListAllProjectGrantsResponse(details=list_details(ctx, total), result=result)


@own.method
def ListGrantedProjects(ctx: Context, request: Any) -> Any:
    """What was lent to the organization that the request acts in."""
    rows = queries.list_granted(ctx).filter(granted_org_id=ctx.org_id)
    result, total = _page(ctx, rows, request)
    return management.ListGrantedProjectsResponse(details=list_details(ctx, total), result=result)


def _page(ctx: Context, rows: "QuerySet[ProjectGrantRow]", request: Any) -> tuple[list[Any], int]:
    for one in request.queries:
        rows = rows.filter(_condition(ctx, one))
    found, total = paged(rows, request.query, columns={})
    return _shown(ctx, found), total


def _condition(ctx: Context, one: Any) -> Q:
    name = one.WhichOneof("query")
    asked = getattr(one, name) if name else None
    match name:
        case "project_name_query" | "name_query":
            return of_project(ctx, matches("name", asked.name, asked.method))
        case "role_key_query":
            return with_role(ctx, asked.role_key, asked.method)
        case "project_id_query":
            return Q(project_id=asked.project_id)
        case "granted_org_id_query":
            return Q(granted_org_id=asked.granted_org_id)
        case "project_resource_owner_query":
            return Q(org_id=asked.resource_owner)
    raise InvalidInput("api.query_unsupported", field="queries")


def _shown(ctx: Context, rows: list[ProjectGrantRow]) -> list[Any]:
    orgs = [id for row in rows for id in (row.org_id, row.granted_org_id)]
    names = names_of(ctx.instance, projects=[row.project_id for row in rows], orgs=orgs)
    return [
        project_v1.GrantedProject(
            grant_id=row.id,
            granted_org_id=row.granted_org_id,
            granted_org_name=name_in(names.orgs, row.granted_org_id),
            granted_role_keys=row.roles,
            state=row.state,
            project_id=row.project_id,
            project_name=name_in(names.projects, row.project_id),
            project_owner_id=row.org_id,
            project_owner_name=name_in(names.orgs, row.org_id),
            details=row_details(v1.ObjectDetails, row, row.org_id),
        )
        for row in rows
    ]
