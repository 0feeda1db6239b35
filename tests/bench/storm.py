"""Three times as many sign-ins as can be hashed, and what introspection takes meanwhile."""

from collections import Counter
from collections.abc import Sequence

from tests.bench.clients import Answer, Clients
from tests.bench.rounds import percentile, say
from tests.bench.sides import Side
from tests.bench.wire import House

SECONDS = 8
TIMES = 3
CALLERS = 8
"""Clients of the closed loop that finds out how many sign-ins are hashed."""
CROWD = 160
"""Clients of the storm: enough for every call that is under way at once."""
PROBES, PROBERS = 25, 8
"""Introspections per second, and clients that send them."""
MOST_TIMES, MOST_SECONDS = 2.0, 1.0
DONE, REFUSED = 201, (429, 503)


def storm(side: Side, house: House) -> None:
    """Measure and print."""
    crowd, probers = Clients(), Clients()
    try:
        hashed = crowd.closed(side.port, house, "sign-in", clients=CALLERS, seconds=SECONDS).result()
        capacity = sum(one.status == DONE for one in hashed) / SECONDS
        idle = probers.by_clock(
            side.port, house, "introspection", rate=PROBES, clients=PROBERS, seconds=SECONDS
        ).result()
        rate = TIMES * capacity
        storming = crowd.by_clock(side.port, house, "sign-in", rate=rate, clients=CROWD, seconds=SECONDS + 2)
        probed = probers.by_clock(side.port, house, "introspection", rate=PROBES, clients=PROBERS, seconds=SECONDS)
        _tell(side.name, capacity, idle, probed.result(), storming.result())
    finally:
        crowd.end()
        probers.end()


def _tell(
    name: str, capacity: float, idle: Sequence[Answer], probed: Sequence[Answer], storming: Sequence[Answer]
) -> None:
    before, during = (percentile([one.late for one in found], 95) for found in (idle, probed))
    refused = [one for one in storming if one.status in REFUSED]
    slowest = max((one.seconds for one in refused), default=0.0)
    unsaid = sum(not one.retry_after for one in refused)
    statuses = ", ".join(
        f"{count} × {status}" for status, count in sorted(Counter(one.status for one in storming).items())
    )
    behind = max(one.sent - one.due for one in storming)
    say(f"  storm, {name}: {capacity:.0f} sign-ins per second are hashed, {TIMES * capacity:.0f} are sent: {statuses}")
    say(
        f"    introspection p95 {before * 1000:.1f} ms idle, {during * 1000:.1f} ms in the storm:"
        f" × {during / before:.2f}; the aim is at most {MOST_TIMES:.0f}: {_word(during <= MOST_TIMES * before)}"
    )
    say(
        f"    refused: {len(refused)}, the slowest within {slowest:.2f} s, {unsaid} without Retry-After;"
        f" the aim is {MOST_SECONDS:.0f} s and none: {_word(bool(refused) and slowest <= MOST_SECONDS and not unsaid)}"
    )
    done = [one.seconds for one in storming if one.status == DONE]
    waited = f"p95 {percentile(done, 95):.2f} s" if done else "none"
    say(
        f"    signed in: {len(done) / (SECONDS + 2):.0f} per second, {waited}; the clients were at most {behind:.2f} s behind"
    )


def _word(is_met: bool) -> str:
    return "met" if is_met else "MISSED"
