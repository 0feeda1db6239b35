"""Project grants of zitadel.project.v2.ProjectService."""

from typing import Any

from django.db.models import Q

from iam.api.gen import project_v2
from iam.api.lists import matches, page_of, paged, stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, NotFound
from iam.kernel.levels import Resource
from projects import commands, queries
from projects.conditions import of_project, with_role
from projects.models import ProjectGrantRow
from projects.names import name_in, names_of

projects = Service("zitadel.project.v2.ProjectService")
SORTS = {1: "project_id", 2: "created_at", 3: "changed_at"}


def _grant_id(ctx: Context, request: Any) -> str:
    """The API addresses a grant by project and organization."""
    row = ProjectGrantRow.objects.filter(
        instance_id=ctx.instance, project_id=request.project_id, granted_org_id=request.granted_organization_id
    ).first()
    ctx.require("project.grant.read", row.org_id if row else "", Resource.of_project(request.project_id))
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
    removal = commands.remove_grant_to(
        ctx, project_id=request.project_id, granted_org_id=request.granted_organization_id
    )
    return project_v2.DeleteProjectGrantResponse(deletion_date=stamp(removal.at))


@projects.method
def ListProjectGrants(ctx: Context, request: Any) -> Any:
    """The grants that the caller gave or received."""
    rows = queries.list_grants(ctx)
    for one in request.filters:
        rows = rows.filter(_condition(ctx, one))
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=SORTS)
    names = names_of(
        ctx.instance, projects=[row.project_id for row in found], orgs=[row.granted_org_id for row in found]
    )
    grants = [
        project_v2.ProjectGrant(
            organization_id=row.org_id,
            granted_organization_id=row.granted_org_id,
            granted_organization_name=name_in(names.orgs, row.granted_org_id),
            granted_role_keys=row.roles,
            project_id=row.project_id,
            project_name=name_in(names.projects, row.project_id),
            state=row.state,
            creation_date=stamp(row.created_at),
            change_date=stamp(row.changed_at),
        )
        for row in found
    ]
    return project_v2.ListProjectGrantsResponse(project_grants=grants, pagination=page_of(request, total))


def _condition(ctx: Context, one: Any) -> Q:
    match one.WhichOneof("filter"):
        case "project_name_filter":
            asked = one.project_name_filter
            return of_project(ctx, matches("name", asked.project_name, asked.method))
        case "role_key_filter":
            return with_role(ctx, one.role_key_filter.key, one.role_key_filter.method)
        case "in_project_ids_filter":
            return Q(project_id__in=list(one.in_project_ids_filter.ids))
        case "organization_id_filter":
            return Q(org_id=one.organization_id_filter.id)
        case "granted_organization_id_filter":
            return Q(granted_org_id=one.granted_organization_id_filter.id)
    raise InvalidInput("api.query_unsupported", field="filters")
