"""Conditions on rows by what they refer to: users, projects, organizations, roles.

A condition on another table is looked up first: few matches become a list of ids, which an index serves; many stay a
subquery, where walking the list in its order finds enough rows soon. Left to itself, PostgreSQL guesses how many rows a
text condition matches, and walks the whole list when the guess is wrong (measured: 3 s in place of 0.1 s).
"""

from typing import Any

from django.db.models import Q, QuerySet

from iam.api.lists import matches
from iam.kernel.context import Context
from orgs.models import OrgRow
from projects.models import ProjectGrantRow, ProjectRow, RoleRow
from users.models import UserRow

EQUALS = 0
FEW = 1000


def _ids(rows: "QuerySet[Any]") -> Any:
    ids = list(rows.order_by().values_list("id", flat=True)[: FEW + 1])
    return ids if len(ids) <= FEW else rows.values("id")


def of_user(ctx: Context, condition: Q) -> Q:
    """Rows about users that fulfil a condition."""
    return Q(user_id__in=_ids(UserRow.objects.filter(condition, instance_id=ctx.instance)))


def of_visible_user(ctx: Context, condition: Q) -> Q:
    """The same, of users that the caller may read: what is not shown cannot be searched either (checklist T11)."""
    reach = ctx.reach("user.read")
    visible = Q() if reach.everywhere else Q(org_id__in=reach.orgs) | Q(id=ctx.actor)
    return of_user(ctx, condition & visible)


def mail_of(ctx: Context, user: UserRow) -> str:
    """A user's address, for whoever may read the user; otherwise empty (checklist T11)."""
    readable = user.id == ctx.actor or ctx.allows("user.read", user.org_id)
    return user.email if readable else ""


def called(value: str, method: int) -> Q:
    """Users by the name that lists show: a person's display name, a service user's name."""
    return Q(matches("display_name", value, method), kind="human") | Q(matches("name", value, method), kind="machine")


def of_project(ctx: Context, condition: Q) -> Q:
    """Rows about projects that fulfil a condition."""
    return Q(project_id__in=_ids(ProjectRow.objects.filter(condition, instance_id=ctx.instance)))


def of_org(ctx: Context, condition: Q) -> Q:
    """Rows of organizations that fulfil a condition."""
    return Q(org_id__in=_ids(OrgRow.objects.filter(condition, instance_id=ctx.instance)))


def with_role(ctx: Context, key: str, method: int) -> Q:
    """Rows that hold a role whose key matches."""
    if method == EQUALS:
        return Q(roles__holds_any=[key])
    keys = RoleRow.objects.filter(matches("key", key, method), instance_id=ctx.instance)
    return Q(roles__holds_any=sorted(keys.order_by().values_list("key", flat=True).distinct()))


def of_grant_to(ctx: Context, project_id: str, org_id: str) -> Q:
    """Memberships of the grant by which an organization was lent a project."""
    grants = ProjectGrantRow.objects.filter(instance_id=ctx.instance, project_id=project_id, granted_org_id=org_id)
    return Q(level="grant", resource_id__in=grants.values("id"))
