"""Ids: those that are drawn here (18 decimal digits, ordered by time, unique across processes), and those that callers choose."""

import re
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache

from eventstore.store import Drawn
from iam.kernel.errors import InvalidInput

EPOCH_MS = 1_577_836_800_000  # 2020-01-01T00:00:00Z; twelve digits of milliseconds last until 2051
SLOTS = 1000
PER_MILLISECOND = 1000

CHOSEN = re.compile(r"[A-Za-z0-9._~@|-]{1,200}", re.ASCII)
"""What a path, a scope, a header and a key of several parts can hold without quoting: no slash, colon, space, comma."""
DRAWN = re.compile(r"[0-9]{18}", re.ASCII)
OF_REQUESTS = "v2_"
"""How the ids of sign-in and device requests begin, which are rows that come and go."""
SOON_MS = 60_000
"""The ids of the next minute are about to be drawn, by some process whose clock is a little off."""

RESERVED = {
    "system",  # who acts where the product itself does, and whose the system's features are
    "nobody",  # who is shown as having acted where nobody was signed in
    "anonymous",
    "zitadel",  # the API itself, in scopes that name a project
    "me",  # the caller, in addresses
    ".",
    "..",
}
Words = Callable[[], Iterable[str]]
_sources: list[Words] = []


class Ids:
    """Milliseconds (12 digits), process slot (3), counter (3). Two processes need different slots."""

    def __init__(self, slot: int) -> None:
        self._slot = slot % SLOTS
        self._lock = threading.Lock()
        self._last = 0
        self._count = 0

    def __call__(self) -> str:
        """The next id."""
        with self._lock:
            now = max(_now(), self._last)
            if now == self._last:
                self._count += 1
                if self._count == PER_MILLISECOND:
                    now, self._count = now + 1, 0  # borrow from the next millisecond: order and uniqueness stay
            else:
                self._count = 0
            self._last = now
            return Drawn(f"{now:012d}{self._slot:03d}{self._count:03d}")


def reserves(words: Words) -> Words:
    """Register words that nothing may have as its id: those that stand in an address where an id may stand."""
    _sources.append(words)
    return words


@cache
def reserved() -> frozenset[str]:
    """Every word that is no id, in any case."""
    return frozenset(word.casefold() for source in (lambda: RESERVED, *_sources) for word in source())


def must_be_allowed(id: str) -> None:
    """Raises InvalidInput for an id that was chosen and that nothing may have: malformed, reserved, or about to be drawn."""
    must_be_well_formed(id)
    if DRAWN.fullmatch(id) and 0 <= int(id[:12]) - _now() < SOON_MS:
        raise InvalidInput("id.reserved", field="id", reason=id)


def must_be_well_formed(id: str) -> None:
    """Raises InvalidInput for an id that is malformed or reserved."""
    if not CHOSEN.fullmatch(id):
        raise InvalidInput("id.invalid", field="id", reason=repr(id[:50]))
    folded = id.casefold()
    if folded in reserved() or folded.startswith(OF_REQUESTS):
        raise InvalidInput("id.reserved", field="id", reason=id)


def _now() -> int:
    return int(time.time() * 1000) - EPOCH_MS
