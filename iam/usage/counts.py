"""What a usage report holds: numbers. No id, no name, no address, no host (checklist E14)."""

from typing import Any

from iam.instance.models import InstanceRow
from iam.usage.milestone import Milestone
from iam.usage.models import MilestoneRow
from orgs.models import OrgRow
from projects.models import AppRow, ProjectGrantRow, ProjectRow, UserGrantRow
from users.models import SessionRow, UserRow

TABLES = {
    "instances": InstanceRow,
    "organizations": OrgRow,
    "projects": ProjectRow,
    "applications": AppRow,
    "project_grants": ProjectGrantRow,
    "authorizations": UserGrantRow,
    "sessions": SessionRow,
}


def counts() -> dict[str, int]:
    """How many of everything there are, over all instances."""
    found = {name: table.objects.count() for name, table in TABLES.items()}
    people = UserRow.objects.filter(kind="human").count()
    return {**found, "users_human": people, "users_machine": UserRow.objects.count() - people}


def milestones() -> dict[str, int]:
    """How many instances reached each milestone."""
    return {one.name.lower(): MilestoneRow.objects.filter(type=one).count() for one in Milestone}


def report(installation: str, version: str) -> dict[str, Any]:
    """The whole report. `installation` is a random word that tells two reports of one installation from those of two."""
    return {"installation": installation, "version": version, "counts": counts(), "milestones": milestones()}
