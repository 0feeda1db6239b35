"""The older API (v1): what a user holds and administers, for oneself (`auth.v1`) and for administrators."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from iam.access.models import MembershipRow
from iam.access.queries import find_memberships
from iam.api.gen import auth_v1 as auth
from iam.api.gen import management_v1 as management
from iam.api.gen import org_v1, user_v1, v1
from iam.api.lists import matches, paged, row_details
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from iam.kernel.levels import Level
from orgs.models import OrgDomainRow, OrgRow
from projects import mine as queries
from projects.queries import list_authorizations
from users.api_v1_shown import listed, part_details, within
from users.queries import get_user

mine = Service("zitadel.auth.v1.AuthService")
older = Service("zitadel.management.v1.ManagementService")
KINDS = {"human": 1, "machine": 2}  # zitadel.user.v1.Type
ORG_SORTS = {1: "name"}
PLACES: Mapping[str, tuple[Level, str]] = {
    "org_query": (Level.ORG, "org_id"),
    "project_query": (Level.PROJECT, "project_id"),
    "project_grant_query": (Level.GRANT, "project_grant_id"),
}


@older.method
def ListUserMemberships(ctx: Context, request: Any) -> Any:
    """What a user administers, as far as the caller may see administrators there."""
    rows = queries.memberships_of_user(ctx, user_id=within(ctx, request.user_id))
    return management.ListUserMembershipsResponse(**_memberships(ctx, rows, request))


@mine.method
def ListMyMemberships(ctx: Context, request: Any) -> Any:
    """What one administers."""
    rows = find_memberships(ctx.instance, ctx.actor)
    return auth.ListMyMembershipsResponse(**_memberships(ctx, rows, request))


def _memberships(ctx: Context, rows: "QuerySet[MembershipRow]", request: Any) -> dict[str, Any]:
    for query in request.queries:
        rows = rows.filter(_place(query))
    found, total = paged(rows, request.query, columns={}, key="resource_id")
    names = queries.names_of_places(ctx.instance, found)
    shown = [_membership(row, names.get((row.level, row.resource_id), "")) for row in found]
    return {"details": listed(ctx, total), "result": shown}


def _place(query: Any) -> Q:
    """A query on what is administered; raises InvalidInput."""
    name = query.WhichOneof("query") or ""
    if name == "iam_query":
        at_instance = Q(level=Level.INSTANCE.value)
        return at_instance if query.iam_query.iam else ~at_instance
    if name not in PLACES:
        raise InvalidInput("api.query_unsupported", field="queries")
    level, field = PLACES[name]
    return Q(level=level.value, resource_id=getattr(getattr(query, name), field))


def _membership(row: MembershipRow, display_name: str) -> Any:
    shown = user_v1.Membership(
        user_id=row.user_id, roles=row.roles, display_name=display_name, details=part_details(row, row.owner)
    )
    match row.level:
        case Level.INSTANCE:
            shown.iam = True
        case Level.ORG:
            shown.org_id = row.resource_id
        case Level.PROJECT:
            shown.project_id = row.resource_id
        case _:
            shown.project_grant_id = row.resource_id
    return shown


@mine.method
def ListMyZitadelPermissions(ctx: Context, request: Any) -> Any:
    """What one may do in the organization that the request acts in; on one project or grant with its id behind."""
    return auth.ListMyZitadelPermissionsResponse(result=queries.permissions_in_org(ctx))


@mine.method
def ListMyProjectPermissions(ctx: Context, request: Any) -> Any:
    """The roles that one holds of the project whose application the token is for."""
    return auth.ListMyProjectPermissionsResponse(result=queries.roles_of_client(ctx))


@mine.method
def ListMyUserGrants(ctx: Context, request: Any) -> Any:
    """One's authorizations."""
    rows = list_authorizations(ctx).filter(user_id=ctx.actor)
    found, total = paged(rows, request.query, columns={})
    kind = KINDS.get(get_user(ctx, user_id=ctx.actor).kind, 0)
    domains = queries.primary_domains(ctx.instance, [row.org_id for row in found])
    shown = [_grant(row, kind, domains.get(row.org_id, "")) for row in found]
    return auth.ListMyUserGrantsResponse(details=listed(ctx, total), result=shown)


def _grant(row: Any, kind: int, domain: str) -> Any:
    return auth.UserGrant(
        org_id=row.org_id,
        org_name=row.org_name or "",
        org_domain=domain,
        project_id=row.project_id,
        project_name=row.project_name or "",
        project_grant_id=row.grant_id,
        user_id=row.user_id,
        user_type=kind,
        grant_id=row.id,
        roles=row.roles,
        role_keys=row.roles,
        state=row.state,
        details=part_details(row, row.org_id),
    )


@mine.method
def ListMyProjectOrgs(ctx: Context, request: Any) -> Any:
    """The organizations in which one holds roles of the token's project; for this server's own, those one may see."""
    rows = queries.list_my_orgs(ctx)
    for query in request.queries:
        rows = rows.filter(_org_condition(ctx, query))
    found, total = paged(rows, request.query, sort=request.sorting_column, columns=ORG_SORTS)
    return auth.ListMyProjectOrgsResponse(details=listed(ctx, total), result=[_org(row) for row in found])


def _named(asked: Any) -> Q:
    return matches("name", asked.name, asked.method)


ORG_CONDITIONS: Mapping[str, Callable[[Any], Q]] = {
    "name_query": _named,
    "state_query": lambda asked: Q(state=asked.state),
    "id_query": lambda asked: Q(id=asked.id),
}


def _org_condition(ctx: Context, query: Any) -> Q:
    """A query of the API as a condition; raises InvalidInput."""
    name = query.WhichOneof("query") or ""
    if name in ORG_CONDITIONS:
        return ORG_CONDITIONS[name](getattr(query, name))
    if name != "domain_query":
        raise InvalidInput("api.query_unsupported", field="queries")
    asked = matches("domain", query.domain_query.domain, query.domain_query.method)
    rows = OrgDomainRow.objects.filter(asked, instance_id=ctx.instance, is_verified=True)
    return Q(id__in=rows.values("org_id"))


def _org(row: OrgRow) -> Any:
    return org_v1.Org(
        id=row.id,
        name=row.name,
        state=row.state,
        primary_domain=row.primary_domain,
        details=row_details(v1.ObjectDetails, row, row.id),
    )
