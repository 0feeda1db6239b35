"""Who administers what, over all levels."""

from django.db.models import OuterRef, Q, QuerySet, Subquery

from iam.access.models import MembershipRow
from iam.kernel.context import Context
from users.models import UserRow


def list_administrators(ctx: Context) -> "QuerySet[MembershipRow]":
    """The memberships that the caller may see, with the users' login names in the same statement."""
    user = UserRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("user_id"))
    rows = MembershipRow.objects.filter(instance_id=ctx.instance).annotate(
        login_name=Subquery(user.values("preferred_login_name"))
    )
    if ctx.reach("iam.member.read").everywhere:
        return rows
    projects = ctx.reach("project.member.read").projects
    mine = Q(owner__in=ctx.reach("org.member.read").orgs)
    return rows.filter(mine | (Q(project_id__in=projects) & ~Q(project_id="")))
