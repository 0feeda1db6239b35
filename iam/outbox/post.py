"""Putting a message into the outbox, in the transaction of whatever causes it."""

import json
from dataclasses import dataclass

from django.db import transaction

from iam.kernel.context import Context
from iam.outbox.models import Message
from iam.outbox.texts import written
from projections import wake

PURPOSE = "outbox"


@dataclass(frozen=True)
class Letter:
    """An opened message."""

    to: str
    subject: str
    body: str


def post(
    ctx: Context, *, user_id: str, medium: str, to: str, topic: str, language: str, values: dict[str, str]
) -> None:
    """Queue a message; it leaves after the transaction's commit. Media: email, sms."""
    subject, body = written(topic, language, values)
    plain = json.dumps({"to": to, "subject": subject, "body": body}).encode()
    Message.objects.create(
        instance_id=ctx.instance,
        id=ctx.ports.new_id(),
        user_id=user_id,
        medium=medium,
        topic=topic,
        sealed=ctx.ports.secrets.seal(ctx.instance, PURPOSE, plain),
        try_at=ctx.now(),
        created_at=ctx.now(),
    )
    transaction.on_commit(wake.wake)


def opened(ctx: Context, message: Message) -> Letter:
    """What a message says."""
    return Letter(**json.loads(ctx.ports.secrets.open(ctx.instance, PURPOSE, message.sealed)))
