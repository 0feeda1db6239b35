"""What the console pages of projects share."""

from typing import Any

from iam.console.kit import (
    FormPage,
    Path,
)
from iam.kernel.context import Context
from projects import queries
from projects.models import ProjectRow

PROJECT, APP = "projects/{project_id}", "projects/{project_id}/apps/{app_id}"


def project_of(ctx: Context, path: Path) -> ProjectRow:
    """The project of an address."""
    return queries.get_project(ctx, project_id=path["project_id"])


def _subject(ctx: Context, path: Path) -> str:
    """What the form is about: the application if there is one, and its project."""
    apps = [queries.get_app(ctx, app_id=path["app_id"]).name] if "app_id" in path else []
    return " · ".join([*apps, project_of(ctx, path).name])


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
        subject=_subject,
        submit=submit,
        intro=intro,
        back="projects/{project_id}",
        **more,
    )
