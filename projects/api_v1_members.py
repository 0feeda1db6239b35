"""Administrators of organizations, projects and project grants over the older management service."""

from typing import Any

from django.db.models import Q, QuerySet

from iam.access.models import MembershipRow
from iam.access.roles import roles_of
from iam.api.gen import management_v1 as management
from iam.api.gen import member_v1, v1
from iam.api.lists import details, list_details, matches, paged, row_details, sliced
from iam.api.methods import Service
from iam.kernel.change import Receipt
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from iam.kernel.levels import Level
from orgs import commands as orgs
from projects import commands
from projects.administrators import list_grant_members, list_org_members, list_project_members
from projects.conditions import mail_of, of_user, of_visible_user
from projects.names import names_of
from users.models import UserRow

own = Service("zitadel.management.v1.ManagementService")
KINDS = {"human": 1, "machine": 2}


def _details(receipt: Receipt) -> Any:
    return details(v1.ObjectDetails, receipt)


def _member(request: Any) -> dict[str, Any]:
    return {"user_id": request.user_id, "roles": tuple(request.roles)}


def _grant(request: Any) -> dict[str, str]:
    return {"project_id": request.project_id, "grant_id": request.grant_id}


def page_of_members(ctx: Context, rows: "QuerySet[MembershipRow]", request: Any) -> tuple[list[Any], Any]:
    """A page of administrators as v1 shows them, and the list's details."""
    for one in request.queries:
        rows = rows.filter(_condition(ctx, one))
    found, total = paged(rows, request.query, columns={}, key="user_id")
    users = names_of(ctx.instance, users=[row.user_id for row in found]).users
    return [_shown(ctx, row, users.get(row.user_id)) for row in found], list_details(ctx, total)


def _condition(ctx: Context, one: Any) -> Q:
    name = one.WhichOneof("query")
    asked = getattr(one, name) if name else None
    match name:
        case "user_id_query":
            return Q(user_id=asked.user_id)
        case "first_name_query":
            return of_user(ctx, matches("first_name", asked.first_name, asked.method))
        case "last_name_query":
            return of_user(ctx, matches("last_name", asked.last_name, asked.method))
        case "email_query":
            return of_visible_user(ctx, matches("email", asked.email, asked.method))
    raise InvalidInput("api.query_unsupported", field="queries")


def _shown(ctx: Context, row: MembershipRow, user: UserRow | None) -> Any:
    member = member_v1.Member(
        user_id=row.user_id, roles=row.roles, details=row_details(v1.ObjectDetails, row, row.owner)
    )
    if user:
        member.preferred_login_name, member.display_name = user.preferred_login_name, user.shown_name
        member.first_name, member.last_name, member.email = user.first_name, user.last_name, mail_of(ctx, user)
        member.user_type, member.user_resource_owner = KINDS.get(user.kind, 0), user.org_id
    return member


@own.method
def ListOrgMemberRoles(ctx: Context, request: Any) -> Any:
    """The roles that can be given in an organization."""
    ctx.require("org.member.read", ctx.org_id)
    return management.ListOrgMemberRolesResponse(result=roles_of(Level.ORG))


@own.method
def ListOrgMembers(ctx: Context, request: Any) -> Any:
    """The administrators of the organization that the request acts in."""
    result, told = page_of_members(ctx, list_org_members(ctx, org_id=ctx.org_id), request)
    return management.ListOrgMembersResponse(details=told, result=result)


@own.method
def AddOrgMember(ctx: Context, request: Any) -> Any:
    """Make a user administrator."""
    receipt = commands.add_org_member(ctx, org_id=ctx.org_id, **_member(request))
    return management.AddOrgMemberResponse(details=_details(receipt))


@own.method
def UpdateOrgMember(ctx: Context, request: Any) -> Any:
    """Give an administrator other roles."""
    receipt = orgs.change_org_member(ctx, org_id=ctx.org_id, **_member(request))
    return management.UpdateOrgMemberResponse(details=_details(receipt))


@own.method
def RemoveOrgMember(ctx: Context, request: Any) -> Any:
    """Take an administrator's rights."""
    receipt = orgs.remove_org_member(ctx, org_id=ctx.org_id, user_id=request.user_id).receipt
    return management.RemoveOrgMemberResponse(details=_details(receipt))


@own.method
def ListProjectMemberRoles(ctx: Context, request: Any) -> Any:
    """The roles that can be given on a project."""
    ctx.require("project.member.read", ctx.org_id)
    roles = roles_of(Level.PROJECT)
    return management.ListProjectMemberRolesResponse(details=list_details(ctx, len(roles)), result=roles)


@own.method
def ListProjectMembers(ctx: Context, request: Any) -> Any:
    """The administrators of a project."""
    result, told = page_of_members(ctx, list_project_members(ctx, project_id=request.project_id), request)
    return management.ListProjectMembersResponse(details=told, result=result)


@own.method
def AddProjectMember(ctx: Context, request: Any) -> Any:
    """Make a user administrator of a project."""
    receipt = commands.add_project_member(ctx, project_id=request.project_id, **_member(request))
    return management.AddProjectMemberResponse(details=_details(receipt))


@own.method
def UpdateProjectMember(ctx: Context, request: Any) -> Any:
    """Give an administrator of a project other roles."""
    receipt = commands.change_project_member(ctx, project_id=request.project_id, **_member(request))
    return management.UpdateProjectMemberResponse(details=_details(receipt))


@own.method
def RemoveProjectMember(ctx: Context, request: Any) -> Any:
    """Take an administrator's rights over a project."""
    removal = commands.remove_project_member(ctx, project_id=request.project_id, user_id=request.user_id)
    return management.RemoveProjectMemberResponse(details=_details(removal.receipt))


@own.method
def ListProjectGrantMemberRoles(ctx: Context, request: Any) -> Any:
    """The roles that can be given on a project grant."""
    ctx.require("project.grant.member.read", ctx.org_id)
    roles = roles_of(Level.GRANT)
    shown = sliced(roles, request.query)
    return management.ListProjectGrantMemberRolesResponse(details=list_details(ctx, len(roles)), result=shown)


@own.method
def ListProjectGrantMembers(ctx: Context, request: Any) -> Any:
    """The administrators of a project grant."""
    result, told = page_of_members(ctx, list_grant_members(ctx, **_grant(request)), request)
    return management.ListProjectGrantMembersResponse(details=told, result=result)


@own.method
def AddProjectGrantMember(ctx: Context, request: Any) -> Any:
    """Make a user administrator of a project grant."""
    receipt = commands.add_grant_member(ctx, **_grant(request), **_member(request))
    return management.AddProjectGrantMemberResponse(details=_details(receipt))


@own.method
def UpdateProjectGrantMember(ctx: Context, request: Any) -> Any:
    """Give an administrator of a grant other roles."""
    receipt = commands.change_grant_member(ctx, **_grant(request), **_member(request))
    return management.UpdateProjectGrantMemberResponse(details=_details(receipt))


@own.method
def RemoveProjectGrantMember(ctx: Context, request: Any) -> Any:
    """Take an administrator's rights over a grant."""
    receipt = commands.remove_grant_member(ctx, **_grant(request), user_id=request.user_id).receipt
    return management.RemoveProjectGrantMemberResponse(details=_details(receipt))
