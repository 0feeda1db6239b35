"""Password hashing in a bounded pool: one active scheme for new ones, known schemes verified and upgraded (DESIGN §9)."""

import logging
import os
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from django.db import connections

from iam.kernel.errors import ResourceExhausted
from iam.kernel.ports import Verified
from iam.observe import meter
from iam.vault.hashes import Hasher, Limits, Wish, hashers_of, scheme_of

log = logging.getLogger(__name__)
RETRY_AFTER = timedelta(seconds=2)
NICENESS = 10
LONGEST_PASSWORD = 1024
"""What is longer is nobody's password: some schemes work on all of it in every round."""
R = TypeVar("R")


class PasswordPool:
    """Hashes and checks in `workers` threads that let others go first; of those who wait at once more than `most` are
    refused (429 with Retry-After). A check that takes longer than `longest` answers like a wrong password."""

    def __init__(
        self,
        *,
        workers: int,
        most: int,
        wish: Wish = Wish(),  # noqa: B008 - frozen
        limits: Limits = Limits(),  # noqa: B008 - frozen
        longest: timedelta = timedelta(seconds=10),
    ) -> None:
        self._hashers: tuple[Hasher, ...] = tuple(hashers_of(wish))
        self._limits, self._longest = limits, longest
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="passwords", initializer=_go_last)
        self._most = most
        self._room = threading.BoundedSemaphore(self._most)
        self._mine = threading.local()

    def hash(self, password: str) -> str:
        """A modular-crypt string."""
        return self._run(lambda: self._hashed(normal(password)), None)

    def verify(self, encoded: str, password: str) -> Verified:
        """Check a password; without a stored hash, or with one that costs too much, a dummy is checked, so that it lasts
        as long (checklist P01, P11)."""
        check = self._check_of(encoded)
        if check is None or len(password) > LONGEST_PASSWORD:
            check, encoded = _never(self._hashers[0].check), self._hashers[0].blank
        try:
            return self._run(lambda: self._verified(check, encoded, password), self._longest)
        except TimeoutError:
            log.warning("a password check was given up after %s", self._longest)
            return Verified(False)

    def readings(self) -> Iterable[meter.Reading]:
        """How much of the room is taken."""
        return [
            ("gatehouse_hashing_waiting", {}, self._most - self._room._value),
            ("gatehouse_hashing_room", {}, self._most),
        ]

    def accepts(self, encoded: str) -> bool:
        """Whether an imported hash is of a known scheme with tolerable costs (checklist P11)."""
        return self._check_of(encoded) is not None

    def _check_of(self, encoded: str) -> Callable[[str, str], bool] | None:
        """What checks a stored hash; None for one that is not understood, or costs more than is allowed and than what
        this server makes itself."""
        scheme = scheme_of(encoded, self._limits, tuple(one.beginning for one in self._hashers))
        return scheme.check if scheme else None

    def _hasher(self, password: str) -> Hasher:
        return next(one for one in self._hashers if one.reads(password))

    def _hashed(self, password: str) -> str:
        return self._hasher(password).make(password)

    def _verified(self, check: Callable[[str, str], bool], encoded: str, password: str) -> Verified:
        right = next((one for one in _spellings(password) if _is_right(check, encoded, one)), None)
        if right is None:
            return Verified(False)
        wanted = normal(password)
        if right == wanted and encoded.startswith(self._hasher(wanted).beginning):
            return Verified(True)
        return Verified(True, self._hashed(wanted))

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for what follows in this thread; raises ResourceExhausted when all are taken."""
        if not self._room.acquire(blocking=False):
            meter.add("gatehouse_hashing_refused_total")
            raise ResourceExhausted("password.too_busy", retry_after=RETRY_AFTER)
        self._mine.has_place, self._mine.left = True, None
        try:
            yield
        finally:
            left: Future[object] | None = self._mine.left
            self._mine.has_place, self._mine.left = False, None
            if left is None:
                self._room.release()
            else:  # still at work: its place is taken until it ends
                left.add_done_callback(lambda _: self._room.release())

    def _run(self, work: Callable[[], R], longest: timedelta | None) -> R:
        """What work answers; raises TimeoutError when it takes too long, not counting the time before it begins."""
        if not getattr(self._mine, "has_place", False):
            with self.place():
                return self._run(work, longest)
        _let_go()
        begun = threading.Event()

        def beginning() -> R:
            begun.set()
            return work()

        future = self._pool.submit(beginning)
        begun.wait()
        try:
            return future.result(longest and longest.total_seconds())
        except TimeoutError:
            self._mine.left = future
            raise


def normal(password: str) -> str:
    """The form in which passwords are compared (NIST SP 800-63B §5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _spellings(password: str) -> tuple[str, ...]:
    """What a stored password may have been made of: today's form, and what was typed, which older ones were made of."""
    typed = password[:LONGEST_PASSWORD]
    return tuple(dict.fromkeys((normal(typed)[:LONGEST_PASSWORD], typed)))


def _never(check: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    """The same work, and the answer is no."""
    return lambda encoded, password: check(encoded, password) and False


def _is_right(check: Callable[[str, str], bool], encoded: str, password: str) -> bool:
    """A hasher that fails, whatever the reason, has not said that it is right (checklist P11)."""
    try:
        return check(encoded, password)
    except Exception as failure:
        log.debug("a password was not checked: %s", type(failure).__name__)
        return False


def _go_last() -> None:
    """Whoever answers requests goes first where processors are short; Linux has a niceness for every thread."""
    if sys.platform == "linux":
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(19, nice + NICENESS))


def _let_go() -> None:
    """Give connections back to their pool: who waits for a processor needs none. In a transaction they stay."""
    for one in connections.all(initialized_only=True):
        if getattr(one, "pool", None) and not one.in_atomic_block:
            one.close()
