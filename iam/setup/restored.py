"""After an older backup was restored: what was ended since must not live again, what was sent not go out twice (E13)."""

from dataclasses import dataclass

from django.db import transaction

from eventstore.reading import last_position
from iam.access.caller import system_context
from iam.cache import epochs
from iam.console.models import ConsoleSession
from iam.instance.models import InstanceRow
from iam.outbox.models import FAILED, QUEUED, Message
from oidc.models import AccessToken, AuthRequest, DeviceAuthorization, Grant, RefreshToken
from users.commands.sessions import terminate_session
from users.models import CodeRow, MachineKeyRow, PatRow, SessionRow

HELD = "held back after a restore: it may have been sent before"


@dataclass(frozen=True)
class Ended:
    """How many were ended, and what an administrator must look through: lasting credentials are as in the backup."""

    sessions: int
    tokens: int
    messages: int
    pats: int
    keys: int
    position: int


def end_what_came_back() -> Ended:
    """End every session, token and code, and hold back waiting messages (the console sends them on request).

    Ids are not given twice: they begin with the time. Positions go on behind the last fact of the backup.
    Epochs are renewed, so that answers kept since the backup are found no more (iam/decisions/0003).
    """
    sessions = 0
    for instance in InstanceRow.objects.values_list("instance_id", flat=True):
        ctx = system_context(instance)
        living = SessionRow.objects.filter(instance_id=instance, terminated=False)
        for id in list(living.values_list("id", flat=True)):
            terminate_session(ctx, session_id=id)
            sessions += 1
    with transaction.atomic():
        now = system_context("").now()
        tokens = sum(
            table.objects.filter(revoked_at=None).update(revoked_at=now) for table in (AccessToken, RefreshToken)
        )
        for table in (AuthRequest, Grant, DeviceAuthorization, CodeRow, ConsoleSession):
            table._default_manager.all().delete()
        epochs.renew_all()
        messages = Message.objects.filter(state=QUEUED).update(state=FAILED, error=HELD)
    return Ended(sessions, tokens, messages, PatRow.objects.count(), MachineKeyRow.objects.count(), last_position())
