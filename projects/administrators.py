"""Who administers what, over all levels."""

from django.db.models import OuterRef, Q, QuerySet, Subquery

from iam.access.models import MembershipRow
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from iam.kernel.levels import Level, Resource
from projects.models import ProjectGrantRow, ProjectRow
from users.models import UserRow

KEY = ("user_id", "level", "resource_id")
"""What makes the order of a list of administrators total."""


def list_administrators(ctx: Context) -> "QuerySet[MembershipRow]":
    """The memberships that the caller may see; always including one's own."""
    rows = MembershipRow.objects.filter(instance_id=ctx.instance)
    if ctx.reach("iam.member.read").everywhere:
        return rows
    orgs = ctx.reach("org.member.read").orgs
    projects = ctx.reach("project.member.read").projects
    grants = ctx.reach("project.grant.member.read")
    lent = ProjectGrantRow.objects.filter(instance_id=ctx.instance, granted_org_id__in=grants.orgs).values("id")
    of_orgs = Q(owner__in=orgs) & ~Q(level=Level.INSTANCE.value)
    mine = Q(user_id=ctx.actor) | of_orgs | (Q(project_id__in=projects) & ~Q(project_id=""))
    of_grants = Q(level=Level.GRANT.value) & (Q(resource_id__in=grants.grants) | Q(resource_id__in=lent))
    return rows.filter(mine | of_grants)


def list_org_members(ctx: Context, *, org_id: str) -> "QuerySet[MembershipRow]":
    """The administrators of an organization."""
    ctx.require("org.member.read", org_id)
    return _of(ctx, Level.ORG, org_id)


def list_project_members(ctx: Context, *, project_id: str) -> "QuerySet[MembershipRow]":
    """The administrators of a project; raises NotFound."""
    row = ProjectRow.objects.filter(instance_id=ctx.instance, id=project_id).first()
    ctx.require("project.member.read", row.org_id if row else "", Resource.of_project(project_id))
    if row is None:
        raise NotFound("project.not_found")
    return _of(ctx, Level.PROJECT, project_id)


def list_grant_members(ctx: Context, *, project_id: str, grant_id: str) -> "QuerySet[MembershipRow]":
    """The administrators of a project grant, for the giver and for the organization it was given to; raises NotFound."""
    row = ProjectGrantRow.objects.filter(instance_id=ctx.instance, id=grant_id, project_id=project_id).first()
    needs = "project.grant.member.read"
    if not (row and ctx.allows(needs, row.granted_org_id, Resource.of_grant(grant_id))):
        ctx.require(needs, row.org_id if row else "", Resource.of_project(project_id))
    if row is None:
        raise NotFound("grant.not_found")
    return _of(ctx, Level.GRANT, grant_id)


def list_instance_members(ctx: Context, *, instance_id: str) -> "QuerySet[MembershipRow]":
    """The administrators of an instance, for operators of the system."""
    ctx.require("system.iam.member.read")
    rows = MembershipRow.objects.filter(instance_id=instance_id, level=Level.INSTANCE.value)
    return rows.filter(resource_id=instance_id)


def _of(ctx: Context, level: Level, resource_id: str) -> "QuerySet[MembershipRow]":
    return MembershipRow.objects.filter(instance_id=ctx.instance, level=level.value, resource_id=resource_id)


def with_login_names(rows: "QuerySet[MembershipRow]") -> "QuerySet[MembershipRow]":
    """Rows with the users' login names in the same statement."""
    user = UserRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("user_id"))
    return rows.annotate(login_name=Subquery(user.values("preferred_login_name")))
