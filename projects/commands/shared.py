"""What the commands of this room share."""

from collections.abc import Callable, Iterable

from eventstore.events import Event
from iam.kernel.change import Receipt, Unit, change
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from projects.domain.project import Project
from users.domain.user import User

Decision = Callable[[Project], Iterable[Event]]


def change_one(ctx: Context, project_id: str, decide: Decision, needs: str) -> Receipt:
    """Change one project."""
    return change(ctx, Project, project_id, decide, needs=needs, resource=project_id)


def change_app(ctx: Context, project_id: str, decide: Decision) -> Receipt:
    """Change an application of a project."""
    return change_one(ctx, project_id, decide, "project.app.write")


def must_be_user(unit: Unit, user_id: str) -> None:
    """Raises NotFound for a user who is not there, or not any more."""
    if unit.load(User, user_id).state.name in ("ABSENT", "DELETED"):
        raise NotFound("user.not_found", field="userId")
