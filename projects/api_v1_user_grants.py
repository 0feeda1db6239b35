"""Authorizations over the older management service, where they are called user grants."""

from typing import Any

from django.db.models import Q

from iam.api.gen import management_v1 as management
from iam.api.gen import user_v1, v1
from iam.api.lists import details, list_details, matches, paged, row_details
from iam.api.methods import Service
from iam.kernel.change import Receipt
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from projects import commands, queries
from projects.conditions import mail_of, of_org, of_project, of_user, of_visible_user, with_role
from projects.models import UserGrantRow
from projects.names import Names, name_in, names_of

own = Service("zitadel.management.v1.ManagementService")
KINDS = {1: "human", 2: "machine"}
USER_TEXTS = {
    "user_name_query": "user_name",
    "first_name_query": "first_name",
    "last_name_query": "last_name",
    "email_query": "email",
    "display_name_query": "display_name",
}


def _details(receipt: Receipt) -> Any:
    return details(v1.ObjectDetails, receipt)


def _id(ctx: Context, request: Any) -> str:
    """The authorization, which must be the user's; raises NotFound."""
    return queries.get_authorization_of(ctx, user_id=request.user_id, authorization_id=request.grant_id).id


@own.method
def AddUserGrant(ctx: Context, request: Any) -> Any:
    """Let a user hold roles of a project, given by the organization that the request acts in."""
    receipt, id = commands.add_authorization(
        ctx,
        org_id=ctx.org_id,
        user_id=request.user_id,
        project_id=request.project_id,
        roles=tuple(request.role_keys),
        through=request.project_grant_id,
    )
    return management.AddUserGrantResponse(user_grant_id=id, details=_details(receipt))


@own.method
def UpdateUserGrant(ctx: Context, request: Any) -> Any:
    """Give other roles."""
    id = _id(ctx, request)
    receipt = commands.change_authorization(ctx, authorization_id=id, roles=tuple(request.role_keys))
    return management.UpdateUserGrantResponse(details=_details(receipt))


@own.method
def DeactivateUserGrant(ctx: Context, request: Any) -> Any:
    """Let the roles rest."""
    receipt = commands.deactivate_authorization(ctx, authorization_id=_id(ctx, request))
    return management.DeactivateUserGrantResponse(details=_details(receipt))


@own.method
def ReactivateUserGrant(ctx: Context, request: Any) -> Any:
    """Let the roles count again."""
    receipt = commands.reactivate_authorization(ctx, authorization_id=_id(ctx, request))
    return management.ReactivateUserGrantResponse(details=_details(receipt))


@own.method
def RemoveUserGrant(ctx: Context, request: Any) -> Any:
    """Take the roles."""
    receipt = commands.remove_authorization(ctx, authorization_id=_id(ctx, request))
    return management.RemoveUserGrantResponse(details=_details(receipt))


@own.method
def BulkRemoveUserGrant(ctx: Context, request: Any) -> Any:
    """Take the roles of several authorizations, all or none."""
    commands.remove_authorizations(ctx, authorization_ids=request.grant_id)
    return management.BulkRemoveUserGrantResponse()


@own.method
def GetUserGrantByID(ctx: Context, request: Any) -> Any:
    """One authorization."""
    row = queries.get_authorization_of(ctx, user_id=request.user_id, authorization_id=request.grant_id)
    return management.GetUserGrantByIDResponse(user_grant=_shown(ctx, row, _names(ctx, [row])))


@own.method
def ListUserGrants(ctx: Context, request: Any) -> Any:
    """What the organization that the request acts in gave; on request also what others gave of its projects."""
    lent = any(one.with_granted_query.with_granted for one in request.queries)
    mine = Q(org_id=ctx.org_id)
    mine |= of_project(ctx, mine) if lent else Q()
    rows = queries.bare_authorizations(ctx).filter(mine)
    for one in request.queries:
        rows = rows.filter(_condition(ctx, one))
    found, total = paged(rows, request.query, columns={})
    names = _names(ctx, found)
    return management.ListUserGrantResponse(
        details=list_details(ctx, total), result=[_shown(ctx, row, names) for row in found]
    )


def _condition(ctx: Context, one: Any) -> Q:
    name = one.WhichOneof("query")
    asked = getattr(one, name) if name else None
    match name:
        case "project_id_query":
            return Q(project_id=asked.project_id)
        case "user_id_query":
            return Q(user_id=asked.user_id)
        case "in_user_ids_query":
            return Q(user_id__in=list(asked.in_user_ids))
        case "project_grant_id_query":
            return Q(grant_id=asked.project_grant_id)
        case "with_granted_query":
            return Q()  # widens the list instead of narrowing it
        case "role_key_query":
            return with_role(ctx, asked.role_key, asked.method)
    return _condition_beyond(ctx, name, asked)


def _condition_beyond(ctx: Context, name: str | None, asked: Any) -> Q:
    if name in USER_TEXTS:
        column = USER_TEXTS[name]
        look = of_visible_user if column == "email" else of_user
        return look(ctx, matches(column, getattr(asked, column), asked.method))
    match name:
        case "user_type_query":
            return of_user(ctx, Q(kind=KINDS.get(asked.type, "")))
        case "project_name_query":
            return of_project(ctx, matches("name", asked.project_name, asked.method))
        case "org_name_query":
            return of_org(ctx, matches("name", asked.org_name, asked.method))
        case "org_domain_query":
            return of_org(ctx, matches("primary_domain", asked.org_domain, asked.method))
    raise InvalidInput("api.query_unsupported", field="queries")


def _names(ctx: Context, rows: list[UserGrantRow]) -> Names:
    projects, orgs = [row.project_id for row in rows], [row.org_id for row in rows]
    return names_of(ctx.instance, users=[row.user_id for row in rows], projects=projects, orgs=orgs)


def _shown(ctx: Context, row: UserGrantRow, names: Names) -> Any:
    grant = user_v1.UserGrant(
        id=row.id,
        details=row_details(v1.ObjectDetails, row, row.org_id),
        role_keys=row.roles,
        state=row.state,
        user_id=row.user_id,
        org_id=row.org_id,
        org_name=name_in(names.orgs, row.org_id),
        project_id=row.project_id,
        project_name=name_in(names.projects, row.project_id),
        project_grant_id=row.grant_id,
    )
    if org := names.orgs.get(row.org_id):
        grant.org_domain = org.primary_domain
    grant.granted_org_id, grant.granted_org_name = grant.org_id, grant.org_name
    grant.granted_org_domain = grant.org_domain
    if user := names.users.get(row.user_id):
        grant.user_name, grant.preferred_login_name = user.user_name, user.preferred_login_name
        grant.first_name, grant.last_name, grant.email = user.first_name, user.last_name, mail_of(ctx, user)
        grant.display_name = user.shown_name
        grant.user_type = {kind: number for number, kind in KINDS.items()}.get(user.kind, 0)
    return grant
