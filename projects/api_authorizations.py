"""Methods of zitadel.authorization.v2.AuthorizationService."""

from typing import Any

from django.db.models import Q

from iam.api.gen import authorization_v2
from iam.api.lists import matches, page_of, paged, stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from projects import commands, queries
from projects.conditions import of_project, with_role
from projects.models import UserGrantRow
from projects.names import Names, ShownRoles, names_of, roles_of

authorizations = Service("zitadel.authorization.v2.AuthorizationService")
SORTS = {
    1: "created_at",
    2: "changed_at",
    3: "id",
    4: "user_id",
    5: "project_id",
    6: "org_id",
    7: ("user_org_id", "user_id"),
}


@authorizations.method
def CreateAuthorization(ctx: Context, request: Any) -> Any:
    """Let a user hold roles of a project."""
    receipt, id = commands.add_authorization(
        ctx,
        org_id=request.organization_id,
        user_id=request.user_id,
        project_id=request.project_id,
        roles=tuple(request.role_keys),
    )
    return authorization_v2.CreateAuthorizationResponse(id=id, creation_date=stamp(receipt.created_at))


@authorizations.method
def UpdateAuthorization(ctx: Context, request: Any) -> Any:
    """Give other roles."""
    receipt = commands.change_authorization(ctx, authorization_id=request.id, roles=tuple(request.role_keys))
    return authorization_v2.UpdateAuthorizationResponse(change_date=stamp(receipt.changed_at))


@authorizations.method
def DeactivateAuthorization(ctx: Context, request: Any) -> Any:
    """Let the roles rest."""
    receipt = commands.deactivate_authorization(ctx, authorization_id=request.id)
    return authorization_v2.DeactivateAuthorizationResponse(change_date=stamp(receipt.changed_at))


@authorizations.method
def ActivateAuthorization(ctx: Context, request: Any) -> Any:
    """Let the roles count again."""
    receipt = commands.reactivate_authorization(ctx, authorization_id=request.id)
    return authorization_v2.ActivateAuthorizationResponse(change_date=stamp(receipt.changed_at))


@authorizations.method
def DeleteAuthorization(ctx: Context, request: Any) -> Any:
    """Take the roles."""
    receipt = commands.remove_authorization(ctx, authorization_id=request.id)
    return authorization_v2.DeleteAuthorizationResponse(deletion_date=stamp(receipt.changed_at))


@authorizations.method
def ListAuthorizations(ctx: Context, request: Any) -> Any:
    """The authorizations that the caller may see."""
    rows = queries.bare_authorizations(ctx)
    for one in request.filters:
        rows = rows.filter(_condition(ctx, one))
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=SORTS)
    names = names_of(
        ctx.instance,
        projects=[row.project_id for row in found],
        orgs=[row.org_id for row in found],
    )
    roles = roles_of(ctx.instance, [(row.project_id, row.roles) for row in found])
    return authorization_v2.ListAuthorizationsResponse(
        authorizations=[_authorization(row, names, roles) for row in found], pagination=page_of(request, total)
    )


def _condition(ctx: Context, one: Any) -> Q:
    name = one.WhichOneof("filter")
    asked = getattr(one, name) if name else None
    match name:
        case "authorization_ids":
            return Q(id__in=list(asked.ids))
        case "organization_id":
            return Q(org_id=asked.id)
        case "state":
            return Q(state=asked.state)
        case "in_user_ids":
            return Q(user_id__in=list(asked.ids))
        case "user_organization_id":
            return Q(user_org_id=asked.id)
        case "project_id":
            return Q(project_id=asked.id)
        case "project_grant_id":
            return Q(grant_id=asked.id)
        case "role_key":
            return with_role(ctx, asked.key, asked.method)
    return _condition_beyond(ctx, name, asked)


def _condition_beyond(ctx: Context, name: str | None, asked: Any) -> Q:
    match name:
        case "user_preferred_login_name":
            return matches("user_login_name", asked.login_name, asked.method)
        case "user_display_name":
            return matches("user_display_name", asked.display_name, asked.method)
        case "project_name":
            return of_project(ctx, matches("name", asked.name, asked.method))
    raise InvalidInput("api.query_unsupported", field=name or "filters")


def _authorization(row: UserGrantRow, names: Names, roles: ShownRoles) -> Any:
    shown = authorization_v2.Authorization(
        id=row.id, state=row.state, creation_date=stamp(row.created_at), change_date=stamp(row.changed_at)
    )
    shown.project.id, shown.organization.id, shown.user.id = row.project_id, row.org_id, row.user_id
    if project := names.projects.get(row.project_id):
        shown.project.name, shown.project.organization_id = project.name, project.org_id
    if org := names.orgs.get(row.org_id):
        shown.organization.name = org.name
    shown.user.preferred_login_name, shown.user.display_name = row.user_login_name, row.user_display_name
    shown.user.organization_id = row.user_org_id
    for key in row.roles:
        display_name, group = roles.get((row.project_id, key), ("", ""))
        shown.roles.add(key=key, display_name=display_name, group=group)
    return shown
