"""The names of what a page of rows refers to: a statement per kind for the whole page, none in the search for the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from orgs.models import OrgRow
from projects.models import ProjectGrantRow, ProjectRow, RoleRow
from users.models import UserRow

ShownRoles = dict[tuple[str, str], tuple[str, str]]
"""(project, key) → display name and group."""


@dataclass(frozen=True)
class Names:
    """Rows by id, of which the columns in SHOWN are read; what is gone is missing."""

    users: dict[str, UserRow]
    projects: dict[str, ProjectRow]
    orgs: dict[str, OrgRow]


SHOWN = {
    UserRow: ("org_id", "kind", "user_name", "preferred_login_name", "first_name", "last_name", "display_name", "name", "email"),
    ProjectRow: ("org_id", "name"),
    OrgRow: ("name", "primary_domain"),
}  # fmt: skip
"""The columns that are read of what is referred to; grants are read whole."""


def _by_id(table: Any, instance: str, ids: Iterable[str]) -> dict[str, Any]:
    wanted = sorted({id for id in ids if id})
    if not wanted:
        return {}
    rows = table.objects.filter(instance_id=instance, id__in=wanted)
    return {row.id: row for row in (rows.only("instance_id", "id", *SHOWN[table]) if table in SHOWN else rows)}


def names_of(
    instance: str, *, users: Iterable[str] = (), projects: Iterable[str] = (), orgs: Iterable[str] = ()
) -> Names:
    """The named users, projects and organizations."""
    return Names(
        _by_id(UserRow, instance, users), _by_id(ProjectRow, instance, projects), _by_id(OrgRow, instance, orgs)
    )


def name_in(things: dict[str, Any], id: str) -> str:
    """The name of one of them; empty when it is gone."""
    found = things.get(id)
    return found.name if found else ""


def roles_of(instance: str, held: Iterable[tuple[str, Iterable[str]]]) -> ShownRoles:
    """What roles are called, of projects with the keys that are held of each."""
    wanted = {(project, key) for project, keys in held for key in keys}
    if not wanted:
        return {}
    projects, keys = (sorted(set(column)) for column in zip(*wanted, strict=True))
    rows = RoleRow.objects.filter(instance_id=instance, project_id__in=projects, key__in=keys)
    return {
        (project, key): (display_name, group)
        for project, key, display_name, group in rows.values_list("project_id", "key", "display_name", "group")
    }


def grants_by_id(instance: str, ids: Iterable[str]) -> dict[str, ProjectGrantRow]:
    """Project grants by id."""
    return _by_id(ProjectGrantRow, instance, ids)
