"""The names of what a page of rows refers to: a statement per kind for the whole page, none in the search for the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from orgs.models import OrgRow
from projects.models import ProjectGrantRow, ProjectRow, RoleRow
from users.models import UserRow


@dataclass(frozen=True)
class Names:
    """Rows by id; what is gone is missing."""

    users: dict[str, UserRow]
    projects: dict[str, ProjectRow]
    orgs: dict[str, OrgRow]


def _by_id(table: Any, instance: str, ids: Iterable[str]) -> dict[str, Any]:
    wanted = sorted({id for id in ids if id})
    return {row.id: row for row in table.objects.filter(instance_id=instance, id__in=wanted)} if wanted else {}


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


def roles_of(instance: str, project_ids: Iterable[str]) -> dict[tuple[str, str], RoleRow]:
    """(project, key) → role."""
    rows = RoleRow.objects.filter(instance_id=instance, project_id__in=sorted(set(project_ids)))
    return {(row.project_id, row.key): row for row in rows}


def grants_by_id(instance: str, ids: Iterable[str]) -> dict[str, ProjectGrantRow]:
    """Project grants by id."""
    return _by_id(ProjectGrantRow, instance, ids)
