"""zitadel.admin.v1.AdminService: administrators of the instance."""

from typing import Any

from django.db.models import OuterRef, Q, Subquery

from iam.access.models import MembershipRow
from iam.access.roles import ROLES, level_of
from iam.api.gen import admin_v1 as admin
from iam.api.gen import member_v1, v1
from iam.api.lists import matches, paged, row_details
from iam.api.methods import Service
from iam.instance import commands
from iam.instance.policy_messages import changed
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from iam.kernel.levels import Level
from users.commands.administrators import add_instance_member
from users.models import UserRow
from users.queries import users_by_id

older = Service("zitadel.admin.v1.AdminService")
SORTS = {1: "user_id", 2: "created_at", 3: "changed_at", 4: "user_org"}
TYPES = {"human": 1, "machine": 2}
COLUMNS = {"first_name_query": "first_name", "last_name_query": "last_name", "email_query": "email"}


@older.method
def ListIAMMemberRoles(ctx: Context, request: Any) -> Any:
    """The roles that administrators of the instance can have."""
    ctx.require("iam.member.read", ctx.instance)
    roles = sorted(role for role in ROLES if level_of(role) is Level.INSTANCE)
    answer = admin.ListIAMMemberRolesResponse(roles=roles)
    answer.details.total_result = len(roles)
    return answer


@older.method
def ListIAMMembers(ctx: Context, request: Any) -> Any:
    """The administrators of the instance."""
    ctx.require("iam.member.read", ctx.instance)
    rows = MembershipRow.objects.filter(instance_id=ctx.instance, level=Level.INSTANCE.value)
    if SORTS.get(request.sorting_column) == "user_org":
        person = UserRow.objects.filter(instance_id=ctx.instance, id=OuterRef("user_id"))
        rows = rows.annotate(user_org=Subquery(person.values("org_id")))
    for query in request.queries:
        rows = rows.filter(_narrowed(ctx, query))
    found, total = paged(rows, request.query, sort=request.sorting_column, columns=SORTS, key="user_id")
    people = users_by_id(ctx.instance, [row.user_id for row in found])
    answer = admin.ListIAMMembersResponse(result=[_member(row, people.get(row.user_id)) for row in found])
    answer.details.total_result = total
    answer.details.view_timestamp.FromDatetime(ctx.now())
    return answer


def _narrowed(ctx: Context, query: Any) -> Q:
    which = query.WhichOneof("query")
    if which == "user_id_query":
        return Q(user_id=query.user_id_query.user_id)
    if which not in COLUMNS:
        raise InvalidInput("api.query_unsupported", field="queries")
    asked, column = getattr(query, which), COLUMNS[which]
    people = UserRow.objects.filter(matches(column, getattr(asked, column), asked.method), instance_id=ctx.instance)
    return Q(user_id__in=people.values("id"))


def _member(row: MembershipRow, user: UserRow | None) -> Any:
    made = member_v1.Member(user_id=row.user_id, roles=row.roles)
    made.details.CopyFrom(row_details(v1.ObjectDetails, row, row.resource_id))
    if user is not None:
        made.preferred_login_name, made.email = user.preferred_login_name, user.email
        made.first_name, made.last_name = user.first_name, user.last_name
        made.display_name = user.display_name or user.name
        made.user_type, made.user_resource_owner = TYPES.get(user.kind, 0), user.org_id
    return made


@older.method
def AddIAMMember(ctx: Context, request: Any) -> Any:
    """Make a user administrator of the instance."""
    receipt = add_instance_member(ctx, user_id=request.user_id, roles=tuple(request.roles))
    return changed(admin.AddIAMMemberResponse, receipt)


@older.method
def UpdateIAMMember(ctx: Context, request: Any) -> Any:
    """Give an administrator of the instance other roles."""
    receipt = commands.change_member(ctx, user_id=request.user_id, roles=tuple(request.roles))
    return changed(admin.UpdateIAMMemberResponse, receipt)


@older.method
def RemoveIAMMember(ctx: Context, request: Any) -> Any:
    """Take an administrator's rights over the instance."""
    return changed(admin.RemoveIAMMemberResponse, commands.remove_member(ctx, user_id=request.user_id).receipt)
