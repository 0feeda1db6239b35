"""Ids: 18 decimal digits, ordered by time, unique across processes."""

import threading
import time

EPOCH_MS = 1_577_836_800_000  # 2020-01-01T00:00:00Z; twelve digits of milliseconds last until 2051
SLOTS = 1000
PER_MILLISECOND = 1000


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
            now = max(int(time.time() * 1000) - EPOCH_MS, self._last)
            if now == self._last:
                self._count += 1
                if self._count == PER_MILLISECOND:
                    now, self._count = now + 1, 0  # borrow from the next millisecond: order and uniqueness stay
            else:
                self._count = 0
            self._last = now
            return f"{now:012d}{self._slot:03d}{self._count:03d}"
