"""What the console pages of projects share."""

from typing import Any

from iam.console.kit import (
    Choice,
    FormPage,
    Path,
)
from iam.kernel.context import Context
from projects import queries
from projects.models import ProjectRow

STATES = Choice("state", "State", (("active", "Active", {"state": 1}), ("inactive", "Inactive", {"state": 2})))
PROJECT, APP = "projects/{project_id}", "projects/{project_id}/apps/{app_id}"


def project_of(ctx: Context, path: Path) -> ProjectRow:
    """The project of an address."""
    return queries.get_project(ctx, project_id=path["project_id"])


def project_page(
    route: str, title: str, save: Any, submit: str = "Save", intro: str = "", form: Any = None, **more: Any
) -> FormPage:
    """A form below a project's address."""
    return FormPage(
        route=f"projects/<project_id>/{route}",
        title=title,
        section="projects",
        save=save,
        form=form,
        subject=lambda ctx, path: project_of(ctx, path).name,
        submit=submit,
        intro=intro,
        back="projects/{project_id}",
        **more,
    )
