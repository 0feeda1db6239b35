"""Questions about what one user holds and administers."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from iam.access.models import MembershipRow
from iam.access.queries import find_memberships
from iam.instance.models import InstanceRow
from iam.kernel.context import Context
from iam.kernel.levels import Level
from orgs.models import OrgRow
from orgs.queries import list_orgs
from projects.administrators import list_administrators
from projects.domain.project import State
from projects.models import ProjectGrantRow, ProjectRow, UserGrantRow
from projects.queries import find_app_by_client_id, role_claims
from users.queries import org_of_user


def memberships_of_user(ctx: Context, *, user_id: str) -> "QuerySet[MembershipRow]":
    """What a user administers, among what the caller may see; raises NotFound for a foreign user."""
    ctx.require_self_or("user.membership.read", user_id, org_of_user(ctx.instance, user_id))
    if user_id == ctx.actor:
        return find_memberships(ctx.instance, user_id)
    return list_administrators(ctx).filter(user_id=user_id)


def names_of_places(instance: str, rows: Iterable[MembershipRow]) -> dict[tuple[str, str], str]:
    """(level, id) → the name of the instance, organization, project or granted project that is administered."""
    wanted: dict[str, set[str]] = {level.value: set() for level in Level}
    for row in rows:
        wanted[row.level].add(row.resource_id)
    names = {(Level.INSTANCE.value, id): name for id, name in _instances(wanted[Level.INSTANCE])}
    orgs = OrgRow.objects.filter(instance_id=instance, id__in=wanted[Level.ORG])
    names |= {(Level.ORG.value, id): name for id, name in orgs.values_list("id", "name")}
    projects = ProjectRow.objects.filter(instance_id=instance)
    held = projects.filter(id__in=wanted[Level.PROJECT])
    names |= {(Level.PROJECT.value, id): name for id, name in held.values_list("id", "name")}
    grants = ProjectGrantRow.objects.filter(instance_id=instance, id__in=wanted[Level.GRANT])
    lent = dict(grants.values_list("id", "project_id"))
    lent_names = dict(projects.filter(id__in=lent.values()).values_list("id", "name"))
    return names | {(Level.GRANT.value, id): lent_names.get(project, "") for id, project in lent.items()}


def _instances(ids: set[str]) -> Iterable[tuple[str, str]]:
    return InstanceRow.objects.filter(instance_id__in=ids).values_list("instance_id", "name") if ids else ()


def permissions_in_org(ctx: Context) -> list[str]:
    """What the caller may do in the organization asked for; on one project or grant as `permission:id`."""
    ctx.authenticated()
    held = ctx.rights.instance | ctx.rights.orgs.get(ctx.org_id, frozenset())
    below = (ctx.rights.projects, ctx.rights.grants)
    narrow = {f"{one}:{id}" for level in below for id, permissions in level.items() for one in permissions}
    return sorted(held) + sorted(narrow)


def roles_of_client(ctx: Context) -> list[str]:
    """The roles that the caller holds of the project of the token's application; none for another token."""
    app = find_app_by_client_id(ctx.instance, ctx.caller.client_id)
    return sorted(role_claims(ctx.instance, ctx.actor, [app.project_id]).get(app.project_id, {})) if app else []


def list_my_orgs(ctx: Context) -> "QuerySet[OrgRow]":
    """The organizations in which the caller holds roles of the project of the token's application.

    A token of this server's own project, or of none, reaches those that the caller may see or belongs to.
    """
    app = find_app_by_client_id(ctx.instance, ctx.caller.client_id)
    own = InstanceRow.objects.values_list("iam_project_id", flat=True).get(instance_id=ctx.instance)
    rows = OrgRow.objects.filter(instance_id=ctx.instance)
    if app is None or app.project_id == own:
        return rows.filter(Q(id__in=list_orgs(ctx).values("id")) | Q(id=ctx.caller.org_id))
    held = UserGrantRow.objects.filter(
        instance_id=ctx.instance, user_id=ctx.actor, project_id=app.project_id, state=State.ACTIVE
    )
    return rows.filter(id__in=held.values("org_id"))


def primary_domains(instance: str, org_ids: Iterable[str]) -> dict[str, str]:
    """Organization → its primary domain."""
    rows = OrgRow.objects.filter(instance_id=instance, id__in=set(org_ids))
    return dict(rows.values_list("id", "primary_domain"))
