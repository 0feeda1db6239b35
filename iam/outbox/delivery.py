"""Sending what waits: by SMTP where it is configured, else into files below `var/mail` (DESIGN §9)."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage as Raw
from email.policy import default
from email.utils import formatdate
from typing import Any

from django.conf import settings
from django.db.models import Count

from iam.access.caller import system_context
from iam.observe import meter
from iam.observe.meter import Reading, measures_database
from iam.outbox.models import FAILED, QUEUED, SENT, Message
from iam.outbox.post import Letter, opened
from iam.outbox.smtp import send
from projections.runner import beside_followers, pause_after

AT_ONCE = 20
MOST_TRIES = 8
KEPT = timedelta(days=30)
LEASE = timedelta(minutes=2)
log = logging.getLogger(__name__)


@beside_followers
def deliver() -> bool:
    """Try every message that is due; answers whether there was one."""
    due = Message.objects.filter(state=QUEUED, try_at__lte=datetime.now(UTC)).order_by("try_at")
    messages = list(due[:AT_ONCE])
    for message in messages:
        _try(message)
    return bool(messages)


def _try(message: Message) -> None:
    """One message. It is leased first, so that no other process sends it, too; no lock is held while it is sent."""
    mine = Message.objects.filter(pk=message.pk, state=QUEUED)
    leased_until = datetime.now(UTC) + LEASE
    if not mine.filter(try_at=message.try_at).update(tries=message.tries + 1, try_at=leased_until):
        return
    try:
        _send(message, opened(system_context(message.instance_id), message))
    except Exception as failure:  # whatever a mail server does must not end the followers
        meter.add("gatehouse_messages_tried_total", outcome="failed")
        mine.update(**_failed(message.tries + 1, f"{type(failure).__name__}: {failure}"))
        log.warning("message %s was not sent (try %s): %s", message.id, message.tries + 1, type(failure).__name__)
    else:
        meter.add("gatehouse_messages_tried_total", outcome="ok")
        mine.update(state=SENT, sent_at=datetime.now(UTC), error="")


def _failed(tries: int, error: str) -> dict[str, Any]:
    """What to note of a try that failed: later again, or never."""
    told = {"error": error.splitlines()[0][:500], "try_at": datetime.now(UTC) + pause_after(tries)}
    return {**told, "state": FAILED} if tries >= MOST_TRIES else told


def _send(message: Message, letter: Letter) -> None:
    smtp = settings.CONFIG.DefaultInstance.SMTPConfiguration
    if message.medium == "sms" or not smtp.SMTP.Host:
        _file(message, letter)
        return
    send(smtp, letter)


def _file(message: Message, letter: Letter) -> None:
    """A file that any mail program opens; only this user reads it."""
    folder = settings.VAR / "mail"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    raw = Raw(policy=default.clone(utf8=not letter.to.isascii()))
    raw["Date"], raw["To"], raw["Subject"] = formatdate(), letter.to, letter.subject
    raw.set_content(letter.body)
    path = folder / f"{message.created_at:%Y%m%d-%H%M%S}-{message.id}.eml"
    path.touch(mode=0o600)
    path.write_bytes(raw.as_bytes())


@measures_database
def waiting() -> Iterable[Reading]:
    """How many messages wait or were given up."""
    counted = dict(Message.objects.exclude(state=SENT).values_list("state").annotate(Count("id")).order_by())
    return [("gatehouse_outbox_messages", {"state": state}, counted.get(state, 0)) for state in (QUEUED, FAILED)]


def try_again(instance: str, id: str) -> None:
    """Queue a message that was given up."""
    rows = Message.objects.filter(instance_id=instance, id=id, state__in=(FAILED, QUEUED))
    rows.update(state=QUEUED, tries=0, try_at=datetime.now(UTC))


def forget(instance: str, user_id: str) -> None:
    """Remove what was written to an erased person."""
    Message.objects.filter(instance_id=instance, user_id=user_id).delete()
