"""Methods of zitadel.internal_permission.v2.InternalPermissionService."""

from typing import Any

from django.db.models import Q

from iam.access.models import MembershipRow
from iam.api.gen import internal_permission_v2
from iam.api.lists import at_time, matches, page_of, paged, stamp
from iam.api.methods import Service
from iam.instance import commands as instance
from iam.kernel.change import Receipt, Removal
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from orgs import commands as orgs
from projects import commands, queries
from projects.administrators import KEY, list_administrators
from projects.conditions import called, of_grant_to, of_user, with_role
from projects.models import ProjectGrantRow
from projects.names import Names, grants_by_id, name_in, names_of

administrators = Service("zitadel.internal_permission.v2.InternalPermissionService")
SORTS = {0: "created_at", 1: "user_id", 2: "created_at", 3: "changed_at"}
DEEPEST = 10
EQUALS = 0


VERBS: dict[str, dict[str, Any]] = {
    "instance": {
        "add": commands.add_instance_member,
        "change": instance.change_member,
        "remove": instance.remove_member,
    },
    "organization_id": {
        "add": commands.add_org_member,
        "change": orgs.change_org_member,
        "remove": orgs.remove_org_member,
    },
    "project_id": {
        "add": commands.add_project_member,
        "change": commands.change_project_member,
        "remove": commands.remove_project_member,
    },
    "project_grant": {
        "add": commands.add_grant_member,
        "change": commands.change_grant_member,
        "remove": commands.remove_grant_member,
    },
}


def _on(ctx: Context, verb: str, request: Any, **roles: Any) -> Any:
    """Add, change or remove an administrator of whatever the resource names."""
    kind = request.resource.WhichOneof("resource")
    return VERBS[kind][verb](ctx, **_where(ctx, request.resource, kind), user_id=request.user_id, **roles)


def _where(ctx: Context, resource: Any, kind: str) -> dict[str, str]:
    match kind:
        case "organization_id":
            return {"org_id": resource.organization_id}
        case "project_id":
            return {"project_id": resource.project_id}
        case "project_grant":
            project, org = resource.project_grant.project_id, resource.project_grant.organization_id
            return {"project_id": project, "grant_id": queries.find_grant(ctx, project, org)}
    return {}


@administrators.method
def CreateAdministrator(ctx: Context, request: Any) -> Any:
    """Make a user administrator."""
    receipt: Receipt = _on(ctx, "add", request, roles=tuple(request.roles))
    return internal_permission_v2.CreateAdministratorResponse(creation_date=stamp(receipt.changed_at))


@administrators.method
def UpdateAdministrator(ctx: Context, request: Any) -> Any:
    """Give an administrator other roles."""
    receipt: Receipt = _on(ctx, "change", request, roles=tuple(request.roles))
    return internal_permission_v2.UpdateAdministratorResponse(change_date=stamp(receipt.changed_at))


@administrators.method
def DeleteAdministrator(ctx: Context, request: Any) -> Any:
    """Take an administrator's rights."""
    removal: Removal = _on(ctx, "remove", request)
    return internal_permission_v2.DeleteAdministratorResponse(deletion_date=stamp(removal.at))


@administrators.method
def ListAdministrators(ctx: Context, request: Any) -> Any:
    """The administrators that the caller may see."""
    rows = list_administrators(ctx)
    for one in request.filters:
        rows = rows.filter(_condition(ctx, one, DEEPEST))
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=SORTS, key=KEY)
    grants = grants_by_id(ctx.instance, [row.resource_id for row in found if row.level == "grant"])
    names = names_of(
        ctx.instance,
        users=[row.user_id for row in found],
        projects=[row.project_id for row in found],
        orgs=[row.resource_id for row in found if row.level == "org"],
    )
    shown = [_administrator(row, names, grants) for row in found]
    return internal_permission_v2.ListAdministratorsResponse(administrators=shown, pagination=page_of(request, total))


def _condition(ctx: Context, one: Any, depth: int) -> Q:
    name = one.WhichOneof("filter")
    if not name or not depth:
        raise InvalidInput("api.query_unsupported", field="filters")
    asked = getattr(one, name)
    match name:
        case "and":
            return Q(*[_condition(ctx, part, depth - 1) for part in asked.queries])
        case "or":
            return _any([_condition(ctx, part, depth - 1) for part in asked.queries])
        case "not":
            return ~_condition(ctx, asked.query, depth - 1)
        case "creation_date":
            return at_time("created_at", asked)
        case "change_date":
            return at_time("changed_at", asked)
        case "resource":
            return _of_resource(ctx, asked)
        case "role":
            return with_role(ctx, asked.role_key, EQUALS)
    return _of_user(ctx, name, asked)


def _any(parts: list[Q]) -> Q:
    wanted = Q(user_id__in=[])
    for part in parts:
        wanted |= part
    return wanted


def _of_user(ctx: Context, name: str, asked: Any) -> Q:
    match name:
        case "in_user_ids_filter":
            return Q(user_id__in=list(asked.ids))
        case "user_organization_id":
            return of_user(ctx, Q(org_id=asked.id))
        case "user_preferred_login_name":
            return of_user(ctx, matches("preferred_login_name", asked.preferred_login_name, asked.method))
        case "user_display_name":
            return of_user(ctx, called(asked.display_name, asked.method))
    raise InvalidInput("api.query_unsupported", field=name)


def _of_resource(ctx: Context, asked: Any) -> Q:
    match asked.WhichOneof("resource"):
        case "instance":
            return Q(level="instance")
        case "organization_id":
            return Q(level="org", resource_id=asked.organization_id)
        case "project_id":
            return Q(level="project", resource_id=asked.project_id)
    return of_grant_to(ctx, asked.project_grant.project_id, asked.project_grant.organization_id)


def _administrator(row: MembershipRow, names: Names, grants: dict[str, ProjectGrantRow]) -> Any:
    shown = internal_permission_v2.Administrator(
        roles=row.roles, creation_date=stamp(row.created_at), change_date=stamp(row.changed_at)
    )
    shown.user.id = row.user_id
    if user := names.users.get(row.user_id):
        shown.user.preferred_login_name, shown.user.organization_id = user.preferred_login_name, user.org_id
        shown.user.display_name = user.shown_name
    match row.level:
        case "instance":
            shown.instance = True
        case "org":
            shown.organization.id, shown.organization.name = row.resource_id, name_in(names.orgs, row.resource_id)
        case "project":
            shown.project.id, shown.project.name = row.resource_id, name_in(names.projects, row.resource_id)
            shown.project.organization_id = row.owner
        case _:
            _show_grant(shown.project_grant, row, names, grants)
    return shown


def _show_grant(shown: Any, row: MembershipRow, names: Names, grants: dict[str, ProjectGrantRow]) -> None:
    shown.id, shown.project_id, shown.organization_id = row.resource_id, row.project_id, row.owner
    shown.project_name = name_in(names.projects, row.project_id)
    if grant := grants.get(row.resource_id):
        shown.granted_organization_id = grant.granted_org_id
