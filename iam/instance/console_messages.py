"""Console pages of the outbox: what was sent to people, what waits, what could not be sent."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from iam.console.kit import Choice, Column, DetailPage, Empty, FormPage, Link, ListPage, Outcome, Path, Properties, Tab
from iam.console.site import add_pages
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from iam.outbox.delivery import try_again
from iam.outbox.models import FAILED, QUEUED, SENT, Message
from iam.outbox.post import opened

NEEDS, CHANGES = "iam.read", "iam.write"
HIDDEN = "shown only while no mail server is configured"


@dataclass(frozen=True)
class Shown:
    """A message; its text only while nothing is really sent."""

    id: str
    topic: str
    state: str
    tries: int
    error: str
    created_at: datetime
    sent_at: datetime | None
    user_id: str
    to: str
    body: str


def _message(ctx: Context, message_id: str) -> Shown:
    ctx.require(NEEDS, ctx.instance)
    row = Message.objects.filter(instance_id=ctx.instance, id=message_id).first()
    if row is None:
        raise NotFound("message.not_found")
    is_trial = not settings.CONFIG.DefaultInstance.SMTPConfiguration.SMTP.Host
    letter = opened(ctx, row)
    return Shown(
        row.id,
        row.topic.replace("_", " "),
        row.state,
        row.tries,
        row.error,
        row.created_at,
        row.sent_at,
        row.user_id,
        letter.to,
        letter.body if is_trial else HIDDEN,
    )


def _again(ctx: Context, values: object, path: Path) -> Outcome:
    ctx.require(CHANGES, ctx.instance)
    try_again(ctx.instance, _message(ctx, path["message_id"]).id)
    return Outcome(f"messages/{path['message_id']}", "The message is tried again.")


def _rows(ctx: Context, path: Path):  # type: ignore[no-untyped-def]
    ctx.require(NEEDS, ctx.instance)
    return Message.objects.filter(instance_id=ctx.instance)


add_pages(
    ListPage(
        route="messages",
        title="Messages",
        needs=NEEDS,
        intro="Mails and text messages to people. Without a mail server they are written into var/mail.",
        section="instance",
        rows=_rows,
        columns=(
            Column("created_at", "Made", kind="time", sort="created_at", link="messages/{id}"),
            Column("topic", "About", sort="topic", show=lambda row: row.topic.replace("_", " ")),
            Column("medium", "By"),
            Column("state", "State", kind="state", sort="state"),
            Column("tries", "Tries", sort="tries"),
            Column("error", "Error"),
        ),
        filters=(
            Choice("state", "State", tuple((one, one.capitalize(), {"state": one}) for one in (QUEUED, SENT, FAILED))),
        ),
        order=("-created_at",),
        empty=Empty("No messages yet", "They appear when codes are sent: for addresses, passwords and invitations."),
    ),
    DetailPage(
        route="messages/<message_id>",
        noun="Message",
        section="instance",
        get=_message,
        title=lambda one: one.topic.capitalize(),
        state=lambda one: one.state,
        tabs=(
            Tab(
                "",
                "Overview",
                (
                    Properties(
                        "About",
                        (
                            Column("to", "To"),
                            Column("user_id", "User", kind="code", link="users/{user_id}", names=("user",)),
                            Column("created_at", "Made", kind="time"),
                            Column("sent_at", "Sent", kind="time"),
                            Column("tries", "Tries"),
                            Column("error", "Error"),
                            Column("body", "Text", kind="long"),
                        ),
                    ),
                ),
            ),
        ),
        links=(Link("Try again", "messages/{id}/again", CHANGES, lambda one: one.state != SENT),),
    ),
    FormPage(
        "messages/<message_id>/again",
        "Try to send again",
        "instance",
        _again,
        submit="Try again",
        back="messages/{message_id}",
    ),
)
