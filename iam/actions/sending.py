"""Sends what waits, beside the followers: in threads of their own, so that a slow receiver keeps nobody up but itself."""

import logging
import secrets
import threading
import time
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connections
from django.db.models import F, QuerySet

from eventstore.reading import facts_at
from iam.access.caller import system_context
from iam.actions.content import content
from iam.actions.domain.endpoint import endpoint_of
from iam.actions.models import FAILED, QUEUED, SENT, Delivery, TargetRow
from iam.actions.signing import keys_of, signature
from iam.kernel.errors import InvalidInput
from iam.observe import meter
from iam.precedence import giving_way
from iam.vault import wiring
from projections.runner import beside_followers, pause_after

HEADER, ID_HEADER = "ZITADEL-Signature", "Gatehouse-Delivery"
MOST_TRIES = 36
"""With their pauses a bit more than a day."""
OLDEST = timedelta(days=3)
AT_ONCE = 20
SECONDS_IN_A_ROW = 10
LEASE = timedelta(seconds=SECONDS_IN_A_ROW + 10)
"""Beyond the time of one call: after it another process takes over from one that died."""
GONE = 410
log = logging.getLogger(__name__)

_lock = threading.Lock()
_busy: set[str] = set()
"""Targets that this process is calling: one call at a time, so that one that hangs holds one sender."""
_senders: set[threading.Thread] = set()


@beside_followers
def send_what_waits() -> bool:
    """Have senders at work while something is due; they end by themselves, and the followers go on."""
    with _lock:
        _senders.intersection_update([one for one in _senders if one.is_alive()])
        if len(_senders) < settings.CONFIG.Executions.Workers and _due().exists():
            sender = threading.Thread(target=_send_all, name="webhooks", daemon=True)
            _senders.add(sender)
            sender.start()
    return False


def _send_all() -> None:
    try:
        with giving_way():
            while send_next():
                send_what_waits()
    except Exception:  # the next look of the followers starts another one
        log.exception("webhooks could not be sent; they are tried again")
    finally:
        connections.close_all()


def _due() -> "QuerySet[Delivery]":
    """What may be tried now, of all tenants, but for targets that are being called."""
    rows = Delivery.objects.filter(state=QUEUED, try_at__lte=datetime.now(UTC))
    return rows.exclude(target_id__in=list(_busy)).order_by("try_at", "position")


def send_next() -> bool:
    """Call the target that has been waited for longest, for some of what waits; answers whether there was one."""
    with _lock:
        first = _due().first()
        if first is None:
            return False
        _busy.add(first.target_id)
    try:
        _call(first)
    finally:
        with _lock:
            _busy.discard(first.target_id)
    return True


def _call(first: Delivery) -> None:
    """Tell a target what is due, one after the other, until it fails or others had to wait for long enough."""
    rows = Delivery.objects.filter(instance_id=first.instance_id, target_id=first.target_id, state=QUEUED)
    target = TargetRow.objects.filter(instance_id=first.instance_id, id=first.target_id).first()
    if target is None:
        rows.delete()
        return
    mine, begun = leased(rows, _time_of(target)), time.monotonic()
    taken, failed = [], None
    for delivery, body in _with_bodies(mine):
        status = _status(delivery, body)
        meter.add("gatehouse_webhooks_tried_total", outcome="ok" if 200 <= status < 300 else "failed")
        if not 200 <= status < 300:
            failed = (delivery, status)
            break
        taken.append(delivery)
        if time.monotonic() - begun > SECONDS_IN_A_ROW:
            break
    _note(rows, mine, taken, failed)


def leased(rows: "QuerySet[Delivery]", time: timedelta) -> list[Delivery]:
    """Some of what is due, so that no other process sends it, too; no lock is held while it is sent.

    A lease ends at a moment of its own, by which it is known again, and counts as a try: it may be the sender's last.
    """
    due = rows.filter(try_at__lte=datetime.now(UTC))
    positions = list(due.order_by("position").values_list("position", flat=True)[:AT_ONCE])
    until = datetime.now(UTC) + time + LEASE + timedelta(microseconds=secrets.randbelow(1_000_000))
    due.filter(position__in=positions).update(try_at=until, tries=F("tries") + 1)
    return list(rows.filter(position__in=positions, try_at=until).order_by("position"))


def _note(
    rows: "QuerySet[Delivery]", mine: list[Delivery], taken: list[Delivery], failed: tuple[Delivery, int] | None
) -> None:
    """What became of them. Who was not called goes on waiting."""
    now = datetime.now(UTC)
    _these(rows, taken).update(state=SENT)
    known = {one.position for one in taken} | ({failed[0].position} if failed else set())
    _these(rows, [one for one in mine if one.position not in known]).update(tries=F("tries") - 1, try_at=now)
    if failed:
        _note_failure(rows, *failed)
    elif any(one.tries > 1 for one in taken):  # it is back: nobody waits any longer
        rows.filter(tries=0, try_at__gt=now).update(try_at=now)


def _these(rows: "QuerySet[Delivery]", some: list[Delivery]) -> "QuerySet[Delivery]":
    return rows.filter(position__in=[one.position for one in some])


def _note_failure(rows: "QuerySet[Delivery]", delivery: Delivery, status: int) -> None:
    """Later again, or never. What else waits for this target waits with it; what has waited for days is given up."""
    now, tries = datetime.now(UTC), delivery.tries
    log.warning("webhook %s was not taken (try %s): status %s", delivery.id, tries, status or "none")
    again = now + pause_after(tries)
    is_over = status == GONE or tries >= MOST_TRIES
    _these(rows, [delivery]).update(state=FAILED if is_over else QUEUED, try_at=again)
    if status != GONE:
        rows.filter(try_at__lt=again).update(try_at=again)
    rows.filter(noted_at__lt=now - OLDEST).update(state=FAILED)


def _status(delivery: Delivery, body: bytes) -> int:
    """What the target answers; 0 for nothing."""
    target = TargetRow.objects.filter(instance_id=delivery.instance_id, id=delivery.target_id).first()
    try:
        return _called(delivery, target, body) if target and body else 0
    except Exception:  # a key that cannot be opened: tried again as often as a receiver that is away
        log.exception("webhook %s could not be made", delivery.id)
        return 0


def _called(delivery: Delivery, target: TargetRow, body: bytes) -> int:
    """One call. Target and keys are read each time, and the address is looked at again, however it was saved."""
    ctx = system_context(delivery.instance_id)
    try:
        endpoint = endpoint_of(target.endpoint)
    except InvalidInput:
        return 0
    headers = {HEADER: signature(keys_of(ctx, target), body, ctx.now()), ID_HEADER: delivery.id}
    seconds = _time_of(target).total_seconds()
    _let_go()
    outside = ctx.ports.outside
    return outside.status_of_post(endpoint.host, endpoint.port, endpoint.path, body, headers, seconds=seconds)


def _time_of(target: TargetRow) -> timedelta:
    """How long its call may last."""
    most: timedelta = settings.CONFIG.HTTPClient.Timeout
    return min(target.timeout or most, most)


def _with_bodies(mine: list[Delivery]) -> list[tuple[Delivery, bytes]]:
    """What to send, from the facts as the log has them now. What cannot be read is sent as nothing, which fails."""
    try:
        facts = facts_at(wiring.store(), mine[0].instance_id, [one.position for one in mine]) if mine else []
        return list(zip(mine, map(content, facts), strict=True))
    except Exception:  # a fact of a newer version, or one whose keys are not to be had now
        log.exception("facts for webhooks of target %s could not be read", mine[0].target_id)
        return [(mine[0], b"")]


def _let_go() -> None:
    """Give connections back to their pool: who waits for a receiver needs none. In a transaction they stay."""
    for one in connections.all(initialized_only=True):
        if getattr(one, "pool", None) and not one.in_atomic_block:
            one.close()
