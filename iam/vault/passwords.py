"""Password hashing in a bounded pool: argon2id for new ones, known schemes verified and upgraded (DESIGN §9)."""

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import bcrypt
from argon2 import PasswordHasher as Argon2
from argon2 import Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from django.db import connections
from passlib.hash import bcrypt as _bcrypt_format
from passlib.hash import md5_crypt, pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt, sha256_crypt, sha512_crypt

from iam.kernel.errors import ResourceExhausted
from iam.kernel.ports import Verified
from iam.observe import meter

MOST_ARGON2_KIB = 1 << 20
MOST_ARGON2_PASSES = 20
MOST_BCRYPT_COST = 16
MOST_PBKDF2_ROUNDS = 2_000_000
MOST_SCRYPT_ROUNDS = 20
MOST_SHA_ROUNDS = 1_000_000
RETRY_AFTER = timedelta(seconds=2)
NICENESS = 10
R = TypeVar("R")


class PasswordPool:
    """Hashes and checks in `workers` threads that let others go first; of those who wait at once more than `most` are
    refused (429 with Retry-After)."""

    def __init__(self, *, workers: int, most: int, time_cost: int, memory_kib: int, threads: int) -> None:
        self._argon2 = Argon2(time_cost=time_cost, memory_cost=memory_kib, parallelism=threads, type=Type.ID)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="passwords", initializer=_go_last)
        self._most = most
        self._room = threading.BoundedSemaphore(self._most)
        self._mine = threading.local()
        self._nobody = self._argon2.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """A modular-crypt string."""
        return self._run(lambda: self._argon2.hash(password))

    def verify(self, encoded: str, password: str) -> Verified:
        """Check a password; without a stored hash a dummy is checked, so that it lasts as long (checklist P01)."""
        if not encoded:
            self._run(lambda: self._check(self._nobody, password))
            return Verified(False)
        return self._run(lambda: self._verified(encoded, password))

    def readings(self) -> Iterable[meter.Reading]:
        """How much of the room is taken."""
        return [
            ("gatehouse_hashing_waiting", {}, self._most - self._room._value),
            ("gatehouse_hashing_room", {}, self._most),
        ]

    def accepts(self, encoded: str) -> bool:
        """Whether an imported hash is of a known scheme with tolerable costs (checklist P11)."""
        try:
            return _tolerable(encoded)
        except (ValueError, TypeError, InvalidHashError):
            return False

    def _verified(self, encoded: str, password: str) -> Verified:
        if not self._check(encoded, password):
            return Verified(False)
        old = not encoded.startswith("$argon2") or self._argon2.check_needs_rehash(encoded)
        return Verified(True, self._argon2.hash(password) if old else "")

    def _check(self, encoded: str, password: str) -> bool:
        try:
            if encoded.startswith("$argon2"):
                return self._argon2.verify(encoded, password)
            if encoded.startswith("$2"):
                return bcrypt.checkpw(password.encode()[:72], encoded.encode())
            scheme = _scheme(encoded)
            return bool(scheme and scheme.verify(password, encoded))
        except (VerificationError, InvalidHashError, ValueError, TypeError):
            return False

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for what follows in this thread; raises ResourceExhausted when all are taken."""
        if not self._room.acquire(blocking=False):
            meter.add("gatehouse_hashing_refused_total")
            raise ResourceExhausted("password.too_busy", retry_after=RETRY_AFTER)
        self._mine.has_place = True
        try:
            yield
        finally:
            self._mine.has_place = False
            self._room.release()

    def _run(self, work: Callable[[], R]) -> R:
        if not getattr(self._mine, "has_place", False):
            with self.place():
                return self._run(work)
        _let_go()
        return self._pool.submit(work).result()


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


SCHEMES = (md5_crypt, sha256_crypt, sha512_crypt, pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt)


def _scheme(encoded: str):  # type: ignore[no-untyped-def]
    return next((scheme for scheme in SCHEMES if scheme.identify(encoded)), None)


def _tolerable(encoded: str) -> bool:
    if encoded.startswith("$argon2"):
        asked = extract_parameters(encoded)
        return asked.memory_cost <= MOST_ARGON2_KIB and asked.time_cost <= MOST_ARGON2_PASSES
    if encoded.startswith("$2"):
        return _bcrypt_format.from_string(encoded).rounds <= MOST_BCRYPT_COST
    scheme = _scheme(encoded)
    if scheme is None:
        return False
    rounds = getattr(scheme.from_string(encoded), "rounds", 0)
    if scheme is scrypt:
        return rounds <= MOST_SCRYPT_ROUNDS
    return rounds <= (MOST_PBKDF2_ROUNDS if "pbkdf2" in scheme.name else MOST_SHA_ROUNDS)
