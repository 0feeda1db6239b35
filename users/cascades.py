"""When a user may no longer sign in, or has another password, sessions end (checklist L10)."""

from eventstore.store import Stream
from iam.kernel.cascade import cascades
from iam.kernel.change import Unit
from users.domain.events import PasswordChanged, UserDeactivated, UserLocked, UserRemoved
from users.domain.session import Session
from users.domain.user import User
from users.models import SessionRow


@cascades(UserDeactivated, UserLocked, UserRemoved)
def user_stopped(unit: Unit, stream: Stream, _: object) -> None:
    """End every session: they do not come back when the user does."""
    _end(unit, stream, kept="")


@cascades(PasswordChanged)
def password_changed(unit: Unit, stream: Stream, _: PasswordChanged) -> None:
    """End every session but the one in which the person changed it."""
    own = unit.ctx.caller.user_id == stream.id
    _end(unit, stream, kept=unit.ctx.caller.session_id if own else "")


def _end(unit: Unit, stream: Stream, *, kept: str) -> None:
    if unit.load(User, stream.id).type != "human":
        return
    rows = SessionRow.objects.filter(instance_id=stream.instance, user_id=stream.id, terminated=False)
    ids = [id for id in rows.order_by("id").values_list("id", flat=True) if id != kept]
    unit.preload(Session, ids)
    for id in ids:
        unit.change(Session, id, Session.terminate)
