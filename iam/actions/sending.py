"""Sends what waits, beside the followers: in threads of their own, so that a slow receiver keeps nobody up but itself."""

import logging
import threading
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connections

from eventstore.reading import some_facts
from iam.access.caller import system_context
from iam.actions.content import content
from iam.actions.domain.endpoint import endpoint_of
from iam.actions.models import FAILED, QUEUED, SENT, Delivery, TargetRow
from iam.actions.signing import keys_of, signature
from iam.kernel.errors import InvalidInput
from iam.observe import meter
from iam.precedence import giving_way
from iam.vault import wiring
from projections.runner import beside_followers

HEADER, ID_HEADER = "ZITADEL-Signature", "Gatehouse-Delivery"
MOST_TRIES = 36
"""With their pauses a bit more than a day."""
LONGEST_PAUSE = 3600
OLDEST = timedelta(days=3)
LEASE = timedelta(seconds=15)
"""Beyond the time of the call itself: after it another process may make the call of one that died."""
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


def _due():  # type: ignore[no-untyped-def]
    """What may be tried now, of all tenants, but for targets that are being called."""
    rows = Delivery.objects.filter(state=QUEUED, try_at__lte=datetime.now(UTC))
    return rows.exclude(target_id__in=list(_busy)).order_by("try_at", "position")


def send_next() -> bool:
    """Try what has waited longest; answers whether there was something."""
    with _lock:
        delivery = _due().first()
        if delivery is None:
            return False
        _busy.add(delivery.target_id)
    try:
        _try(delivery)
    finally:
        with _lock:
            _busy.discard(delivery.target_id)
    return True


def _try(delivery: Delivery) -> None:
    """One call. It is leased first, so that no other process makes it, too; no lock is held while it lasts."""
    mine = _rows(delivery).filter(position=delivery.position, state=QUEUED)
    target = TargetRow.objects.filter(instance_id=delivery.instance_id, id=delivery.target_id).first()
    if target is None:
        mine.delete()
        return
    leased_until = datetime.now(UTC) + _time_of(target) + LEASE
    if not mine.filter(try_at=delivery.try_at).update(tries=delivery.tries + 1, try_at=leased_until):
        return
    try:
        status = _called(delivery, target)
    except Exception:  # a key or fact that cannot be opened: tried again as often as a receiver that is away
        log.exception("webhook %s could not be made", delivery.id)
        status = 0
    is_ok = 200 <= status < 300
    meter.add("gatehouse_webhooks_tried_total", outcome="ok" if is_ok else "failed")
    if is_ok:
        mine.update(state=SENT)
        if delivery.tries:
            _rows(delivery).filter(state=QUEUED, tries=0).update(try_at=datetime.now(UTC))
    else:
        log.warning("webhook %s was not taken (try %s): status %s", delivery.id, delivery.tries + 1, status or "none")
        _note_failure(delivery, status)


def _rows(delivery: Delivery):  # type: ignore[no-untyped-def]
    """Everything on its way to the same target."""
    return Delivery.objects.filter(instance_id=delivery.instance_id, target_id=delivery.target_id)


def _note_failure(delivery: Delivery, status: int) -> None:
    """Later again, or never. What else waits for this target waits with it; what has waited for days is given up."""
    now, tries = datetime.now(UTC), delivery.tries + 1
    again = now + timedelta(seconds=min(5 * 2**tries, LONGEST_PAUSE))
    is_over = status == GONE or tries >= MOST_TRIES
    _rows(delivery).filter(position=delivery.position).update(state=FAILED if is_over else QUEUED, try_at=again)
    if status != GONE:
        _rows(delivery).filter(state=QUEUED, try_at__lt=again).update(try_at=again)
    _rows(delivery).filter(state=QUEUED, noted_at__lt=now - OLDEST).update(state=FAILED)


def _called(delivery: Delivery, target: TargetRow) -> int:
    """The status that the target answers with; 0 for none. The address is looked at again, however it was saved."""
    ctx = system_context(delivery.instance_id)
    try:
        endpoint = endpoint_of(target.endpoint)
    except InvalidInput:
        return 0
    body = _body(delivery)
    headers = {HEADER: signature(keys_of(ctx, target), body, ctx.now()), ID_HEADER: delivery.id}
    seconds = _time_of(target).total_seconds()
    _let_go()
    outside = ctx.ports.outside
    return outside.status_of_post(endpoint.host, endpoint.port, endpoint.path, body, headers, seconds=seconds)


def _time_of(target: TargetRow) -> timedelta:
    """How long its call may last."""
    most: timedelta = settings.CONFIG.HTTPClient.Timeout
    return min(target.timeout or most, most)


def _body(delivery: Delivery) -> bytes:
    """The fact as the log has it now."""
    (fact,) = some_facts(wiring.store(), delivery.position - 1, delivery.position, delivery.instance_id, 1)
    return content(fact)


def _let_go() -> None:
    """Give connections back to their pool: who waits for a receiver needs none. In a transaction they stay."""
    for one in connections.all(initialized_only=True):
        if getattr(one, "pool", None) and not one.in_atomic_block:
            one.close()
