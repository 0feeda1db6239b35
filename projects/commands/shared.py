"""What the commands of this room share."""

from collections.abc import Callable, Iterable

from eventstore.events import Event
from iam.instance.domain.instance import Instance
from iam.kernel.change import Receipt, Removal, Unit, change, remove, transact
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from iam.kernel.levels import Resource
from projects.domain.own import must_still_sign_in
from projects.domain.project import Project
from users.domain.user import User

Decision = Callable[[Project], Iterable[Event]]


def change_one(ctx: Context, project_id: str, decide: Decision, needs: str) -> Receipt:
    """Change one project."""
    return change(ctx, Project, project_id, decide, needs=needs, resource=Resource.of_project(project_id))


def change_app(ctx: Context, project_id: str, decide: Decision) -> Receipt:
    """Change an application of a project."""
    return change_one(ctx, project_id, decide, "project.app.write")


def remove_from(ctx: Context, project_id: str, decide: Decision, needs: str, gone: Callable[[Event], bool]) -> Removal:
    """Take something out of one project."""
    return remove(ctx, Project, project_id, decide, needs=needs, gone=gone, resource=Resource.of_project(project_id))


def must_be_user(unit: Unit, user_id: str) -> None:
    """Raises NotFound for a user who is not there, or not any more."""
    if unit.load(User, user_id).state.name in ("ABSENT", "DELETED"):
        raise NotFound("user.not_found", field="userId")


def change_what_may_be_own(ctx: Context, project_id: str, decide: Decision, needs: str) -> Receipt:
    """Change one project, unless nobody could sign in to the console after it; raises FailedPrecondition then."""

    def work(unit: Unit) -> None:
        before = unit.load(Project, project_id)
        unit.change(Project, project_id, decide, needs=needs, resource=Resource.of_project(project_id))
        instance = unit.load(Instance, ctx.instance)
        if instance.project_id == project_id:
            must_still_sign_in(before, unit.load(Project, project_id), instance.console_app)

    return transact(ctx, work).receipts[project_id]
