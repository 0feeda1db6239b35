"""Methods of zitadel.authorization.v2.AuthorizationService and internal_permission.v2.InternalPermissionService."""

from typing import Any

from django.db.models import QuerySet

from iam.access.models import MembershipRow
from iam.api.gen import authorization_v2, internal_permission_v2
from iam.api.lists import matches, page_of, paged, stamp
from iam.api.methods import Service
from iam.instance import commands as instance
from iam.kernel.change import Receipt
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from orgs import commands as orgs
from projects import commands, queries
from projects.administrators import list_administrators
from users.queries import users_by_id

authorizations = Service("zitadel.authorization.v2.AuthorizationService")
administrators = Service("zitadel.internal_permission.v2.InternalPermissionService")


@authorizations.method
def CreateAuthorization(ctx: Context, request: Any) -> Any:
    """Let a user hold roles of a project."""
    receipt, id = commands.add_authorization(
        ctx,
        org_id=request.organization_id or ctx.org_id,
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
    rows = queries.list_authorizations(ctx)
    for one in request.filters:
        rows = _narrowed(rows, one)
    found, total = paged(rows, request.pagination, columns={1: "created_at", 2: "changed_at", 3: "id"})
    return authorization_v2.ListAuthorizationsResponse(
        authorizations=[_authorization(row) for row in found], pagination=page_of(request, total)
    )


def _narrowed(rows: "QuerySet[Any]", one: Any) -> "QuerySet[Any]":
    name = one.WhichOneof("filter")
    match name:
        case "authorization_ids":
            return rows.filter(id__in=list(one.authorization_ids.ids))
        case "organization_id":
            return rows.filter(org_id=one.organization_id.id)
        case "state":
            return rows.filter(state=one.state.state)
        case "in_user_ids":
            return rows.filter(user_id__in=list(one.in_user_ids.ids))
        case "project_id":
            return rows.filter(project_id=one.project_id.id)
        case "project_grant_id":
            return rows.filter(grant_id=one.project_grant_id.id)
        case "user_organization_id":
            return rows.filter(user_org_id=one.user_organization_id.id)
        case "user_preferred_login_name":
            asked = one.user_preferred_login_name
            return rows.filter(matches("user_login_name", asked.login_name, asked.method))
        case "project_name":
            return rows.filter(matches("project_name", one.project_name.name, one.project_name.method))
    raise InvalidInput("api.query_unsupported", field=name or "filters")


def _authorization(row: Any) -> Any:
    shown = authorization_v2.Authorization(
        id=row.id, state=row.state, creation_date=stamp(row.created_at), change_date=stamp(row.changed_at)
    )
    shown.project.id, shown.project.name = row.project_id, row.project_name or ""
    shown.project.organization_id = row.project_org_id or ""
    shown.organization.id, shown.organization.name = row.org_id, row.org_name or ""
    shown.user.id, shown.user.preferred_login_name = row.user_id, row.user_login_name or ""
    shown.user.display_name, shown.user.organization_id = row.user_display_name or "", row.user_org_id or ""
    for key in row.roles:
        shown.roles.add(key=key)
    return shown


def _on(ctx: Context, verb: str, request: Any, **roles: Any) -> Receipt:
    """Add, change or remove an administrator of whatever the resource names."""
    resource, user = request.resource, {"user_id": request.user_id, **roles}
    match resource.WhichOneof("resource"):
        case "instance":
            return getattr(instance, f"{verb}_member")(ctx, **user)
        case "organization_id":
            return getattr(orgs, f"{verb}_org_member")(ctx, org_id=resource.organization_id, **user)
        case "project_id":
            return getattr(commands, f"{verb}_project_member")(ctx, project_id=resource.project_id, **user)
        case "project_grant":
            row = queries.list_grants(ctx).filter(
                project_id=resource.project_grant.project_id, granted_org_id=resource.project_grant.organization_id
            )
            grant_id = row.values_list("id", flat=True).first() or ""
            where = {"project_id": resource.project_grant.project_id, "grant_id": grant_id}
            return getattr(commands, f"{verb}_grant_member")(ctx, **where, **user)
    raise InvalidInput("api.field_missing", field="resource")


@administrators.method
def CreateAdministrator(ctx: Context, request: Any) -> Any:
    """Make a user administrator."""
    receipt = _on(ctx, "add", request, roles=tuple(request.roles))
    return internal_permission_v2.CreateAdministratorResponse(creation_date=stamp(receipt.changed_at))


@administrators.method
def UpdateAdministrator(ctx: Context, request: Any) -> Any:
    """Give an administrator other roles."""
    receipt = _on(ctx, "change", request, roles=tuple(request.roles))
    return internal_permission_v2.UpdateAdministratorResponse(change_date=stamp(receipt.changed_at))


@administrators.method
def DeleteAdministrator(ctx: Context, request: Any) -> Any:
    """Take an administrator's rights."""
    receipt = _on(ctx, "remove", request)
    return internal_permission_v2.DeleteAdministratorResponse(deletion_date=stamp(receipt.changed_at))


@administrators.method
def ListAdministrators(ctx: Context, request: Any) -> Any:
    """The administrators that the caller may see."""
    rows = list_administrators(ctx)
    for one in request.filters:
        if one.WhichOneof("filter") != "in_user_ids_filter":
            raise InvalidInput("api.query_unsupported", field="filters")
        rows = rows.filter(user_id__in=list(one.in_user_ids_filter.ids))
    found, total = paged(rows, request.pagination, columns={1: "created_at"}, key="user_id")
    people = users_by_id(ctx.instance, [row.user_id for row in found])
    shown = [_administrator(row, people.get(row.user_id)) for row in found]
    return internal_permission_v2.ListAdministratorsResponse(administrators=shown, pagination=page_of(request, total))


def _administrator(row: MembershipRow, user: Any) -> Any:
    shown = internal_permission_v2.Administrator(
        roles=row.roles, creation_date=stamp(row.created_at), change_date=stamp(row.changed_at)
    )
    shown.user.id = row.user_id
    if user:
        shown.user.preferred_login_name, shown.user.organization_id = user.preferred_login_name, user.org_id
        shown.user.display_name = user.shown_name
    match row.level:
        case "instance":
            shown.instance = True
        case "org":
            shown.organization.id = row.resource_id
        case "project":
            shown.project.id = row.resource_id
        case _:
            shown.project_grant.id, shown.project_grant.project_id = row.resource_id, row.project_id
    return shown
