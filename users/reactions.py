"""Follows the log and tells people what happened to their accounts."""

from datetime import UTC, datetime, timedelta

from eventstore.store import Recorded
from iam.access.caller import system_context
from iam.instance.queries import origin_of_instance
from iam.instance.settings import settings_of
from iam.kernel.context import Context
from iam.outbox.post import post
from projections.projection import CELERY, Projection, on
from users.domain.events import EmailChanged, EmailVerified, HumanAdded, PasswordChanged
from users.domain.profile import known_language
from users.models import UserRow

NEWS = timedelta(hours=24)
"""What is older is no news: a follower that starts on a long log writes to nobody."""


class Notices(Projection):
    """No tables: it posts."""

    name = "notices"
    tables = ()
    mode = CELERY

    @on(PasswordChanged)
    def password_changed(self, at: Recorded, _: PasswordChanged) -> None:
        """Tell the person; who did not do it learns of it (checklist L11)."""
        row = UserRow.objects.filter(instance_id=at.stream.instance, id=at.stream.id).first()
        if row is None or not settings_of(row.instance_id, row.org_id).notification.password_change:
            return
        if row.email and row.email_verified:
            _tell(at, row, row.email, "password_changed")

    @on(EmailChanged)
    def email_changed(self, at: Recorded, _: EmailChanged) -> None:
        """Tell the address that was proved before."""
        row = UserRow.objects.filter(instance_id=at.stream.instance, id=at.stream.id).first()
        before = _proved_before(at)
        if row is not None and before:
            _tell(at, row, before, "email_changed")


def _proved_before(at: Recorded) -> str:
    """The address of the stream just before a fact, if it was verified."""
    address, proved = "", ""
    ctx = system_context(at.stream.instance)
    for recorded in ctx.store.read(at.stream):
        if recorded.version >= at.version:
            break
        match recorded.fact:
            case HumanAdded(email=email) | EmailChanged(email=email):
                address, proved = email, ""
            case EmailVerified():
                proved = address
    return proved


def _tell(at: Recorded, row: UserRow, to: str, topic: str) -> None:
    if datetime.now(UTC) - at.at > NEWS or at.origin.is_imported:
        return
    ctx: Context = system_context(at.stream.instance, base_url=origin_of_instance(at.stream.instance))
    values = {
        "name": row.display_name,
        "login": row.preferred_login_name,
        "link": f"{ctx.base_url}/ui/v2/login/password/reset",
    }
    language = known_language(row.preferred_language) or settings_of(ctx.instance).default_language
    post(ctx, user_id=row.id, medium="email", to=to, topic=topic, language=language, values=values)
