"""Projects and roles of zitadel.project.v2.ProjectService."""

from typing import Any

from iam.api.gen import project_v2
from iam.api.lists import matches, page_of, paged, stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from projects import commands, queries
from projects.models import ProjectRow
from projects.names import name_in, names_of

projects = Service("zitadel.project.v2.ProjectService")
SORTS = {0: "p_created", 1: "p_id", 2: "p_created", 3: "p_changed", 4: "p_name"}
ROLE_SORTS = {0: "created_at", 1: "key", 2: "created_at", 3: "changed_at"}
OWNED, GRANTED = 1, 2
SETTINGS = {
    "project_role_assertion": "project_role_assertion",
    "authorization_required": "project_role_check",
    "project_access_required": "has_project_check",
    "private_labeling_setting": "private_labeling_setting",
}


@projects.method
def CreateProject(ctx: Context, request: Any) -> Any:
    """Create a project."""
    settings = {column: getattr(request, name) for name, column in SETTINGS.items()}
    receipt = commands.add_project(
        ctx,
        org_id=request.organization_id or ctx.org_id,
        name=request.name,
        project_id=request.project_id,
        settings=settings,
    )
    return project_v2.CreateProjectResponse(project_id=receipt.id, creation_date=stamp(receipt.created_at))


@projects.method
def GetProject(ctx: Context, request: Any) -> Any:
    """One project."""
    row = queries.get_visible_project(ctx, project_id=request.project_id)
    return project_v2.GetProjectResponse(project=_shown(row))


@projects.method
def ListProjects(ctx: Context, request: Any) -> Any:
    """The projects that the caller may see: an entry per project, and one per organization that it was lent to."""
    owned, lent = queries.list_projects(ctx), queries.list_lent(ctx)
    for one in request.filters:
        owned, lent = _narrowed(owned, lent, one)
    entries = queries.project_entries(owned, lent)
    found, total = paged(entries, request.pagination, sort=request.sorting_column, columns=SORTS, key=("p_id", "g_id"))
    orgs = names_of(ctx.instance, orgs=[row["g_org"] for row in found]).orgs
    shown = [_entry(row, name_in(orgs, row["g_org"])) for row in found]
    return project_v2.ListProjectsResponse(projects=shown, pagination=page_of(request, total))


def _narrowed(owned: Any, lent: Any, one: Any) -> tuple[Any, Any]:
    match one.WhichOneof("filter"):
        case "project_name_filter":
            name, method = one.project_name_filter.project_name, one.project_name_filter.method
            return owned.filter(matches("name", name, method)), lent.filter(matches("project__name", name, method))
        case "in_project_ids_filter":
            ids = list(one.in_project_ids_filter.ids)
            return owned.filter(id__in=ids), lent.filter(project_id__in=ids)
        case "organization_id_filter":
            org, type_ = one.organization_id_filter.organization_id, one.organization_id_filter.type
            return (
                owned.none() if type_ == GRANTED else owned.filter(org_id=org),
                lent.none() if type_ == OWNED else lent.filter(granted_org_id=org),
            )
    raise InvalidInput("api.query_unsupported", field="filters")


def _entry(row: dict[str, Any], granted_to: str) -> Any:
    shown = project_v2.Project(
        project_id=row["p_id"],
        organization_id=row["p_org"],
        name=row["p_name"],
        state=row["p_state"],
        creation_date=stamp(row["p_created"]),
        change_date=stamp(row["p_changed"]),
        **{name: row[f"p_{column}"] for name, column in SETTINGS.items()},
    )
    if row["g_id"]:
        shown.granted_organization_id, shown.granted_organization_name = row["g_org"], granted_to
        shown.granted_state = row["g_state"]
    return shown


def _shown(row: ProjectRow) -> Any:
    return project_v2.Project(
        project_id=row.id,
        organization_id=row.org_id,
        name=row.name,
        state=row.state,
        creation_date=stamp(row.created_at),
        change_date=stamp(row.changed_at),
        **{name: getattr(row, column) for name, column in SETTINGS.items()},
    )


@projects.method
def UpdateProject(ctx: Context, request: Any) -> Any:
    """Change a project; only what is sent."""
    settings = {column: getattr(request, name) for name, column in SETTINGS.items() if request.HasField(name)}
    name = request.name if request.HasField("name") else None
    receipt = commands.change_project(ctx, project_id=request.project_id, name=name, settings=settings)
    return project_v2.UpdateProjectResponse(change_date=stamp(receipt.changed_at))


@projects.method
def DeactivateProject(ctx: Context, request: Any) -> Any:
    """Let nobody sign in to its applications."""
    receipt = commands.deactivate_project(ctx, project_id=request.project_id)
    return project_v2.DeactivateProjectResponse(change_date=stamp(receipt.changed_at))


@projects.method
def ActivateProject(ctx: Context, request: Any) -> Any:
    """Let people sign in again."""
    receipt = commands.reactivate_project(ctx, project_id=request.project_id)
    return project_v2.ActivateProjectResponse(change_date=stamp(receipt.changed_at))


@projects.method
def DeleteProject(ctx: Context, request: Any) -> Any:
    """Delete a project."""
    receipt = commands.remove_project(ctx, project_id=request.project_id)
    return project_v2.DeleteProjectResponse(deletion_date=stamp(receipt.changed_at))


@projects.method
def AddProjectRole(ctx: Context, request: Any) -> Any:
    """Offer a role."""
    receipt = commands.add_role(
        ctx,
        project_id=request.project_id,
        key=request.role_key,
        display_name=request.display_name,
        group=request.group,
    )
    return project_v2.AddProjectRoleResponse(creation_date=stamp(receipt.changed_at))


@projects.method
def UpdateProjectRole(ctx: Context, request: Any) -> Any:
    """Give a role another name or group."""
    receipt = commands.change_role(
        ctx,
        project_id=request.project_id,
        key=request.role_key,
        display_name=request.display_name if request.HasField("display_name") else None,
        group=request.group if request.HasField("group") else None,
    )
    return project_v2.UpdateProjectRoleResponse(change_date=stamp(receipt.changed_at))


@projects.method
def RemoveProjectRole(ctx: Context, request: Any) -> Any:
    """Take a role from everybody."""
    removal = commands.remove_role(ctx, project_id=request.project_id, key=request.role_key)
    return project_v2.RemoveProjectRoleResponse(removal_date=stamp(removal.at))


@projects.method
def ListProjectRoles(ctx: Context, request: Any) -> Any:
    """The roles of a project."""
    rows = queries.list_roles(ctx, project_id=request.project_id)
    for one in request.filters:
        rows = roles_matching(rows, one, one.WhichOneof("filter"))
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=ROLE_SORTS, key="key")
    roles = [
        project_v2.ProjectRole(
            project_id=row.project_id,
            key=row.key,
            display_name=row.display_name,
            group=row.group,
            creation_date=stamp(row.created_at),
            change_date=stamp(row.changed_at),
        )
        for row in found
    ]
    return project_v2.ListProjectRolesResponse(project_roles=roles, pagination=page_of(request, total))


def roles_matching(rows: Any, one: Any, name: str) -> Any:
    """The roles that a filter of v2 or v1 lets through."""
    asked = getattr(one, name)
    text = "key" if name.startswith(("role_key", "key")) else "display_name"
    return rows.filter(matches(text, getattr(asked, text), asked.method))
