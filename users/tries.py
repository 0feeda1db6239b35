"""How often one code may be tried: a few times from one network, some more from everywhere (checklist P05, O03).

After that only the browser that asked for the code may still use it, with as many tries as a network has: whoever sends
wrong codes from elsewhere does not take the owner's away. A try is counted before it is compared, so that tries at the
same time are counted, too.
"""

from django.db.models import QuerySet

from iam.kernel.context import Context
from users import attempts
from users.models import CodeRow

ASKER = "device"
NEVER = -1
"""No row has been changed so often: what is asked of the database where there is no code to count a try of."""


def is_spared(row: CodeRow, device: str) -> bool:
    """Whether this is the browser that asked for the code, and has tries of its own left."""
    return bool(device) and row.device == device and row.tries_from.get(ASKER, 0) < attempts.limits().CodeTries


def is_right(ctx: Context, rows: "QuerySet[CodeRow]", row: CodeRow | None, given: str, device: str) -> bool:
    """Whether a code may be tried from here and has the digest `given`; a wrong try stays counted.

    `rows` hold the code, `row` is it as it was read. Without one as much is asked of the database.
    """
    for _ in range(attempts.RACES):
        place = _place(ctx, row, device)
        if _add(rows, row if place else None, place, 1):
            break
        if not place:
            return False
        row = rows.first()
    else:
        return False
    assert row is not None
    if row.digest != given:
        return False
    _take_back(rows, place)
    return True


def _place(ctx: Context, row: CodeRow | None, device: str) -> str:
    """Where a try of a code is counted; empty when it may not be tried from here any more."""
    if row is None or row.expires_at <= ctx.now():
        return ""
    if is_spared(row, device):
        return ASKER
    limits, network = attempts.limits(), f"network {attempts.network_of(ctx.origin.ip)}"
    in_all = sum(count for place, count in row.tries_from.items() if place != ASKER)
    is_free = in_all < limits.CodeTriesInAll and row.tries_from.get(network, 0) < limits.CodeTries
    return network if is_free else ""


def _add(rows: "QuerySet[CodeRow]", row: CodeRow | None, place: str, step: int) -> bool:
    """Count for a place; False when somebody else changed the code meanwhile, or there is none."""
    held, changes = (row.tries_from, row.tries) if row else ({}, NEVER)
    same = rows.filter(digest=row.digest if row else "", tries=changes)
    return bool(same.update(tries=changes + 1, tries_from={**held, place: held.get(place, 0) + step}))


def _take_back(rows: "QuerySet[CodeRow]", place: str) -> None:
    """A right one does not count."""
    for _ in range(attempts.RACES):
        row = rows.first()
        if row is None or _add(rows, row, place, -1):
            return
