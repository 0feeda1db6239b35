"""Questions about projects."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, SmallIntegerField, Subquery, Value

from eventstore.prepared import prepared
from iam.access.acting import finds_surroundings
from iam.cache import kept
from iam.kernel.context import Context, Reach
from iam.kernel.errors import NotFound
from iam.kernel.levels import Resource
from orgs.models import OrgRow
from projects.domain.project import SETTINGS, State
from projects.models import AppKeyRow, AppRow, ProjectGrantRow, ProjectRow, RoleRow, UserGrantRow


def get_project(ctx: Context, *, project_id: str) -> ProjectRow:
    """One project; raises NotFound, also for a foreign one."""
    row = ProjectRow.objects.filter(instance_id=ctx.instance, id=project_id).first()
    ctx.require("project.read", row.org_id if row else "", Resource.of_project(project_id))
    if row is None:
        raise NotFound("project.not_found")
    return row


def list_projects(ctx: Context) -> "QuerySet[ProjectRow]":
    """The projects that the caller may see."""
    reach = ctx.reach("project.read")
    rows = ProjectRow.objects.filter(instance_id=ctx.instance)
    return rows if reach.everywhere else rows.filter(Q(org_id__in=reach.orgs) | Q(id__in=reach.projects))


def get_visible_project(ctx: Context, *, project_id: str) -> ProjectRow:
    """One project of one's own, or lent to an organization in which one may read projects; raises NotFound."""
    lent = list_granted(ctx).filter(project_id=project_id).select_related("project").first()
    return lent.project if lent else get_project(ctx, project_id=project_id)


def list_granted(ctx: Context) -> "QuerySet[ProjectGrantRow]":
    """What was lent to the organizations in which the caller may read projects."""
    reach = ctx.reach("project.read")
    rows = ProjectGrantRow.objects.filter(instance_id=ctx.instance)
    return rows if reach.everywhere else rows.filter(Q(granted_org_id__in=reach.orgs) | Q(id__in=reach.grants))


def list_lent(ctx: Context) -> "QuerySet[ProjectGrantRow]":
    """The same, and what was lent by organizations, or of projects, whose grants the caller may read."""
    taken, given = ctx.reach("project.read"), ctx.reach("project.grant.read")
    rows = ProjectGrantRow.objects.filter(instance_id=ctx.instance)
    if taken.everywhere or given.everywhere:
        return rows
    to, by = Q(granted_org_id__in=taken.orgs), Q(org_id__in=given.orgs) | Q(project_id__in=given.projects)
    return rows.filter(to | by | Q(id__in=taken.grants))


ENTRY = ("p_id", "p_org", "p_name", "p_state", "p_created", "p_changed", *(f"p_{name}" for name in SETTINGS))
LENT = ("g_id", "g_org", "g_state")


def project_entries(owned: "QuerySet[ProjectRow]", lent: "QuerySet[ProjectGrantRow]") -> "QuerySet[Any, Any]":
    """Projects and what was lent, as one list of the columns ENTRY and LENT; what was lent has the times of its grant."""
    nothing = {"g_id": Value(""), "g_org": Value(""), "g_state": Value(0, SmallIntegerField())}
    grant = {"g_id": F("id"), "g_org": F("granted_org_id"), "g_state": F("state")}
    own = owned.annotate(**_entry(""), **nothing).values(*ENTRY, *LENT)
    there = {**_entry("project__"), "p_created": F("created_at"), "p_changed": F("changed_at")}
    return own.union(lent.annotate(**there, **grant).values(*ENTRY, *LENT), all=True)


def _entry(prefix: str) -> dict[str, F]:
    columns = ("id", "org_id", "name", "state", "created_at", "changed_at", *SETTINGS)
    return {alias: F(prefix + column) for alias, column in zip(ENTRY, columns, strict=True)}


@finds_surroundings
def orgs_around(instance: str, project_ids: Collection[str], grant_ids: Collection[str]) -> frozenset[str]:
    """The organizations that own these projects, or give or hold these grants."""
    projects = ProjectRow.objects.filter(instance_id=instance, id__in=project_ids)
    grants = ProjectGrantRow.objects.filter(instance_id=instance, id__in=grant_ids)
    parties = (org for pair in grants.values_list("org_id", "granted_org_id") for org in pair)
    return frozenset([*projects.values_list("org_id", flat=True), *parties])


def list_roles(ctx: Context, *, project_id: str) -> "QuerySet[RoleRow]":
    """The roles of a project."""
    get_project(ctx, project_id=project_id)
    return RoleRow.objects.filter(instance_id=ctx.instance, project_id=project_id)


def list_apps(ctx: Context) -> "QuerySet[AppRow]":
    """The applications that the caller may see."""
    reach = ctx.reach("project.app.read")
    rows = AppRow.objects.filter(instance_id=ctx.instance)
    return rows if reach.everywhere else rows.filter(Q(org_id__in=reach.orgs) | Q(project_id__in=reach.projects))


def get_app(ctx: Context, *, app_id: str) -> AppRow:
    """One application; raises NotFound, also for a foreign one."""
    row = AppRow.objects.filter(instance_id=ctx.instance, id=app_id).first()
    ctx.require("project.app.read", row.org_id if row else "", Resource.of_project(row.project_id if row else ""))
    if row is None:
        raise NotFound("app.not_found")
    return row


def get_app_key(ctx: Context, *, key_id: str) -> AppKeyRow:
    """One key of an application; raises NotFound, also for a foreign one."""
    row = AppKeyRow.objects.filter(instance_id=ctx.instance, id=key_id).first()
    ctx.require("project.app.read", row.org_id if row else "", Resource.of_project(row.project_id if row else ""))
    if row is None:
        raise NotFound("app.key_not_found")
    return row


def list_all_app_keys(ctx: Context) -> "QuerySet[AppKeyRow]":
    """The keys of all applications that the caller may see."""
    reach = ctx.reach("project.app.read")
    rows = AppKeyRow.objects.filter(instance_id=ctx.instance)
    return rows if reach.everywhere else rows.filter(Q(org_id__in=reach.orgs) | Q(project_id__in=reach.projects))


def list_app_keys(ctx: Context, *, app_id: str) -> "QuerySet[AppKeyRow]":
    """The keys of an application."""
    get_app(ctx, app_id=app_id)
    return AppKeyRow.objects.filter(instance_id=ctx.instance, app_id=app_id)


def get_app_of(ctx: Context, *, project_id: str, app_id: str) -> AppRow:
    """One application of a project; raises NotFound, also for another project's."""
    row = get_app(ctx, app_id=app_id)
    if row.project_id != project_id:
        raise NotFound("app.not_found")
    return row


def list_apps_of(ctx: Context, *, project_id: str) -> "QuerySet[AppRow]":
    """The applications of a project; raises NotFound."""
    row = ProjectRow.objects.filter(instance_id=ctx.instance, id=project_id).first()
    ctx.require("project.app.read", row.org_id if row else "", Resource.of_project(project_id))
    if row is None:
        raise NotFound("project.not_found")
    return AppRow.objects.filter(instance_id=ctx.instance, project_id=project_id)


def get_key_of(ctx: Context, *, project_id: str, app_id: str, key_id: str) -> AppKeyRow:
    """One key of an application; raises NotFound, also for another application's."""
    row = get_app_key(ctx, key_id=key_id)
    if (row.project_id, row.app_id) != (project_id, app_id):
        raise NotFound("app.key_not_found")
    return row


def list_grants(ctx: Context) -> "QuerySet[ProjectGrantRow]":
    """The project grants that the caller gave or received."""
    reach = ctx.reach("project.grant.read")
    rows = ProjectGrantRow.objects.filter(instance_id=ctx.instance)
    mine = Q(org_id__in=reach.orgs) | Q(granted_org_id__in=reach.orgs) | Q(project_id__in=reach.projects)
    return rows if reach.everywhere else rows.filter(mine | Q(id__in=reach.grants))


def find_grant(ctx: Context, project_id: str, granted_org_id: str) -> str:
    """The id of the grant by which a project was lent to an organization; empty when there is none to be seen."""
    rows = list_grants(ctx).filter(project_id=project_id, granted_org_id=granted_org_id)
    return rows.values_list("id", flat=True).first() or ""


def get_grant(ctx: Context, *, grant_id: str, project_id: str = "") -> ProjectGrantRow:
    """One project grant, of a project if one is named; raises NotFound."""
    return _grant(list_grants(ctx), grant_id, project_id)


def get_granted(ctx: Context, *, grant_id: str, project_id: str) -> ProjectGrantRow:
    """One project that was lent; raises NotFound."""
    return _grant(list_granted(ctx), grant_id, project_id)


def _grant(rows: "QuerySet[ProjectGrantRow]", grant_id: str, project_id: str) -> ProjectGrantRow:
    row = rows.filter(id=grant_id).first()
    if row is None or project_id not in ("", row.project_id):
        raise NotFound("grant.not_found")
    return row


def list_lent_roles(ctx: Context, project_id: str, grant_id: str) -> "QuerySet[RoleRow]":
    """The roles that a grant lends; raises NotFound."""
    lent = get_granted(ctx, grant_id=grant_id, project_id=project_id).roles
    return RoleRow.objects.filter(instance_id=ctx.instance, project_id=project_id, key__in=lent)


def list_authorizations(ctx: Context) -> "QuerySet[UserGrantRow]":
    """The authorizations that the caller may see, with names; always including one's own."""
    return with_names(bare_authorizations(ctx))


def bare_authorizations(ctx: Context) -> "QuerySet[UserGrantRow]":
    """The same without names, for pages of long lists."""
    reach = ctx.reach("user.grant.read")
    rows = UserGrantRow.objects.filter(instance_id=ctx.instance)
    mine = Q(org_id__in=reach.orgs) | Q(user_id=ctx.actor) | Q(project_id__in=reach.projects)
    return rows if reach.everywhere else rows.filter(mine | _through(reach))


def _through(reach: Reach) -> Q:
    return Q(grant_id__in=reach.grants) if reach.grants else Q()


def get_authorization(ctx: Context, *, authorization_id: str) -> UserGrantRow:
    """One authorization; raises NotFound."""
    row = list_authorizations(ctx).filter(id=authorization_id).first()
    if row is None:
        raise NotFound("authorization.not_found")
    return row


def get_authorization_of(ctx: Context, *, user_id: str, authorization_id: str) -> UserGrantRow:
    """One authorization of a user; raises NotFound, also for somebody else's."""
    row = get_authorization(ctx, authorization_id=authorization_id)
    if row.user_id != user_id:
        raise NotFound("authorization.not_found")
    return row


def with_names(rows: "QuerySet[UserGrantRow]") -> "QuerySet[UserGrantRow]":
    """Rows with the names of project and organization, in the same statement; they have those of the user."""
    project = ProjectRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("project_id"))
    org = OrgRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("org_id"))
    return rows.annotate(
        project_name=Subquery(project.values("name")),
        project_org_id=Subquery(project.values("org_id")),
        org_name=Subquery(org.values("name")),
    )


def find_app_by_client_id(instance: str, client_id: str) -> AppRow | None:
    """The application of a client id while it, its project and organization are active. One statement."""
    found = _active_app.first(instance=instance, client_id=client_id) if client_id else None
    return found if found is not None and found.org_state == State.ACTIVE else None


@prepared
def _active_app(instance: str, client_id: str) -> "QuerySet[AppRow]":
    org = OrgRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("org_id")).values("state")
    rows = AppRow.objects.filter(
        instance_id=instance, client_id=client_id, state=State.ACTIVE, project__state=State.ACTIVE
    )
    return rows.select_related("project").annotate(org_state=Subquery(org))


def role_claims(instance: str, user_id: str, project_ids: Iterable[str]) -> dict[str, dict[str, dict[str, str]]]:
    """Project → role → {organization id: its primary domain}, for the roles that count now. One statement."""
    wanted = set(project_ids)
    claims: dict[str, dict[str, dict[str, str]]] = {}
    question = ("roles", user_id)
    held = kept.kept(
        kept.MEMBERSHIPS, instance, question, lambda: _held_roles.all(instance=instance, user_id=user_id), user=user_id
    )
    for row in held:
        for role in _counting(row) if row["project_id"] in wanted else ():
            claims.setdefault(row["project_id"], {}).setdefault(role, {})[row["org_id"]] = row["domain"]
    return claims


@prepared
def _held_roles(instance: str, user_id: str) -> "QuerySet[Any, Any]":
    owner = OrgRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("org_id"), state=State.ACTIVE)
    grant = ProjectGrantRow.objects.filter(instance_id=OuterRef("instance_id"), id=OuterRef("grant_id"))
    rows = UserGrantRow.objects.filter(instance_id=instance, user_id=user_id, state=State.ACTIVE).annotate(
        domain=Subquery(owner.values("primary_domain")),
        lent=Subquery(grant.values("roles")),
        grant_state=Subquery(grant.values("state")),
    )
    return rows.values("project_id", "grant_id", "org_id", "roles", "domain", "lent", "grant_state")


def _counting(row: dict[str, Any]) -> list[str]:
    """The roles of an authorization that still count: given by a living organization, and lent where lent."""
    if row["domain"] is None:
        return []
    if not row["grant_id"]:
        return list(row["roles"])
    if row["grant_state"] != State.ACTIVE:
        return []
    return [role for role in row["roles"] if role in (row["lent"] or [])]


def project_checks(instance: str, project_id: str, user_id: str, user_org: str) -> tuple[bool, bool]:
    """(the user holds a role of the project, the user's organization owns it or was granted it)."""
    has_role = project_id in role_claims(instance, user_id, [project_id])
    owns = ProjectRow.objects.filter(instance_id=instance, id=project_id, org_id=user_org).exists()
    granted = ProjectGrantRow.objects.filter(
        instance_id=instance, project_id=project_id, granted_org_id=user_org, state=State.ACTIVE
    ).exists()
    return has_role, owns or granted
