"""Up to where the log is settled: no transaction that is still open can put a fact below it (DESIGN §4).

Positions are drawn from a sequence inside the transactions that use them, so a lower position may become visible
after a higher one, or never. A push takes its transaction id before its positions, and whoever notes a gap takes one of
his own after having seen it: whoever drew a missing position has a lower one. (A snapshot's upper end would not do: it
is one above what has ended, and a running transaction may be above that.) When every transaction with a lower id has
ended and the position is still missing, it stays missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from eventstore.engines import is_postgres
from eventstore.reading import last_position, positions_after
from projections.models import Head, Horizon

CHUNK = 5000
ONLY = 1
LOCK = 0x0A7E_0123


@dataclass(frozen=True)
class Gap:
    """Missing positions below `below` belong to transactions whose ids are below `transaction`."""

    below: int
    transaction: int


@dataclass(frozen=True)
class Settled:
    """How far the log is settled, and whether a position is missing behind that."""

    position: int
    has_gap: bool


def settle(position: int, found: Sequence[int], gap: Gap | None, oldest_running: int) -> Settled:
    """Walk over the positions found after `position`, in order, as far as they are settled.

    `oldest_running` is the lowest id of an open transaction; it must have been read before `found`.
    """
    is_over = gap is not None and oldest_running >= gap.transaction
    for one in found:
        if one != position + 1 and not (is_over and gap is not None and one <= gap.below):
            return Settled(position, has_gap=True)
        position = one
    return Settled(position, has_gap=False)


def advance() -> bool:
    """Move the horizon as far as it can go; answers whether it moved."""
    at = Horizon.objects.filter(id=ONLY).values_list("position", flat=True).first()
    if last_position() <= (at or 0):
        return False
    if at is None:
        Horizon.objects.get_or_create(id=ONLY)
    with transaction.atomic():
        return _is_alone() and _advance(Horizon.objects.get(id=ONLY))


def reached() -> int:
    """How far the log is settled."""
    return Horizon.objects.filter(id=ONLY).values_list("position", flat=True).first() or 0


def is_waiting() -> bool:
    """Whether a gap is waiting to be settled."""
    return Horizon.objects.filter(id=ONLY, waiting_for__gt=0).exists()


def _is_alone() -> bool:
    """Keep others from advancing until this transaction ends; by a lock that costs no transaction id."""
    if not is_postgres():
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _advance(row: Horizon) -> bool:
    oldest, following = _snapshot()  # before the rows: what has ended by now is seen by the next statement
    found = positions_after(row.position, CHUNK)
    gap = Gap(row.waiting_below, row.waiting_for) if row.waiting_for else None
    if gap and gap.transaction > following:  # noted on another cluster, before this database was restored here
        gap = None
    settled = settle(row.position, [position for position, _ in found], gap, oldest)
    moved = settled.position > row.position
    if settled.has_gap and (gap is None or settled.position >= gap.below or oldest >= gap.transaction):
        gap = Gap(found[-1][0], _own_id())  # after the rows and before any write
    elif not settled.has_gap:
        gap = None
    if moved:
        _set_heads([(position, instance) for position, instance in found if position <= settled.position])
    row.position = settled.position
    row.waiting_below, row.waiting_for = (gap.below, gap.transaction) if gap else (0, 0)
    row.save()
    return moved


def _snapshot() -> tuple[int, int]:
    """The oldest open transaction's id, and one above the last that has ended. SQLite has one writer and no gaps."""
    if not is_postgres():
        return 0, 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint"
            " FROM pg_current_snapshot() AS now"
        )
        oldest, following = cursor.fetchone()
        return oldest, following


def _own_id() -> int:
    """This transaction's id; it gets one by being asked, the highest of all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])


def _set_heads(found: Sequence[tuple[int, str]]) -> None:
    """Note the last settled position of every instance that has new facts."""
    last = {instance: position for position, instance in found}
    Head.objects.bulk_create(
        [Head(instance_id=instance, position=position) for instance, position in sorted(last.items())],
        update_conflicts=True,
        unique_fields=["instance_id"],
        update_fields=["position"],
    )
