"""Asking for a new password under a name: whose it is, followers look. Who asks gets one answer, after the same work (P02)."""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from iam.access.caller import system_context
from iam.api import rates
from iam.instance.settings import settings_of
from iam.kernel.context import Caller, Context, Rights
from iam.kernel.errors import Refusal, ResourceExhausted
from projections import wake
from projections.runner import beside_followers
from users import attempts
from users.commands import codes
from users.commands.codes import Wish
from users.domain.states import UserState
from users.models import ResetRequest, UserRow
from users.queries import find_user_by_login

PURPOSE = "reset_request"
LIFETIME = timedelta(hours=1)
"""Who has waited longer has asked again."""
AT_ONCE = 20
FULL_FOR = timedelta(minutes=1)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Browser:
    """The digest of the browser that asks, and who has signed in there before."""

    digest: str = ""
    people: tuple[str, ...] = ()


def ask_for_reset(ctx: Context, *, login_name: str, browser: Browser) -> None:
    """Let a person have a code for a new password, if the name is somebody's; raises ResourceExhausted."""
    rates.count_letter_asked(ctx.instance, ctx.origin.ip, attempts.bare(login_name))
    network, now = attempts.network_of(ctx.origin.ip), ctx.now()
    _must_have_room(ctx, network)
    ResetRequest.objects.create(
        instance_id=ctx.instance,
        id=ctx.ports.new_id(),
        login_name=ctx.ports.secrets.seal(ctx.instance, PURPOSE, login_name.encode()),
        network=network,
        device=browser.digest,
        people=list(browser.people),
        links_url=ctx.links_url,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    transaction.on_commit(wake.wake)


def _must_have_room(ctx: Context, network: str) -> None:
    limits = settings.CONFIG.RateLimits
    rows = ResetRequest.objects.filter(instance_id=ctx.instance)
    waiting = rows.aggregate(every=Count("id"), here=Count("id", filter=Q(network=network)))
    full = waiting["every"] >= limits.Waiting.Letters or waiting["here"] >= limits.Waiting.Network
    if limits.Enabled and full:
        raise ResourceExhausted("letter.too_many", retry_after=FULL_FOR)


@beside_followers
def send_codes_asked_for() -> bool:
    """Look whose the names are and send the codes; answers whether there was one to look at."""
    asked = list(ResetRequest.objects.order_by("created_at")[:AT_ONCE])
    for row in asked:
        _answer(row)
    return bool(asked)


def _answer(row: ResetRequest) -> None:
    """One of them, once, whichever process is faster. What cannot be sent is not tried again: the person asks again."""
    mine = ResetRequest.objects.filter(pk=row.pk)
    try:
        with transaction.atomic():
            if mine.delete()[0]:
                _send(row)
    except Exception as failure:  # whatever it is, the next one must have its turn
        mine.delete()
        if not isinstance(failure, ResourceExhausted):
            log.warning("a code for a new password was not made: %s", _words(failure))


def _words(failure: Exception) -> str:
    return failure.code if isinstance(failure, Refusal) else type(failure).__name__


def _send(row: ResetRequest) -> None:
    ctx = system_context(row.instance_id, base_url=row.links_url)
    if row.expires_at <= ctx.now():
        return
    name = ctx.ports.secrets.open(row.instance_id, PURPOSE, row.login_name).decode()
    user = find_user_by_login(row.instance_id, name)
    if user is None or user.state != UserState.ACTIVE or not user.email or not _may_reset(user):
        return
    caller = Caller(user_id=user.id, org_id=user.org_id, kind="human")
    wish = Wish(device=row.device, knows_device=user.id in row.people)
    codes.request_password_code(replace(ctx, caller=caller, rights=Rights()), user_id=user.id, wish=wish)


def _may_reset(user: UserRow) -> bool:
    """Whether the person's organization offers this way to a new password."""
    found = settings_of(user.instance_id, user.org_id).login
    return found.allow_username_password and not found.hide_password_reset
