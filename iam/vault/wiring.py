"""The real store and ports of this process, made once from the settings."""

import os
import secrets
import socket
import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import IntegrityError, transaction

from eventstore.database import DatabaseStore
from eventstore.store import Recorded
from iam.addresses import Denied
from iam.cache import epochs
from iam.kernel.ids import SLOTS, Ids
from iam.kernel.ports import Ports
from iam.observe import meter, spans
from iam.outgoing import Outgoing
from iam.settings.hashing import PasswordHasherSection
from iam.vault.envelope import Envelope
from iam.vault.hashes import Limits, Wish
from iam.vault.models import Slot
from iam.vault.passwords import PasswordPool
from projections import immediate, wake

LEASE = timedelta(hours=12)
LETTERS = string.ascii_letters + string.digits


class VaultSecrets:
    """Random secrets and the envelope."""

    def __init__(self, envelope: Envelope) -> None:
        self.seal, self.open = envelope.seal, envelope.open

    def random(self, length: int) -> str:
        """Letters and digits, unguessable."""
        return "".join(secrets.choice(LETTERS) for _ in range(length))

    def digits(self, length: int, alphabet: str = string.digits) -> str:
        """A code drawn from an alphabet."""
        return "".join(secrets.choice(alphabet) for _ in range(length))


class LeasedIds:
    """Ids under a leased slot; a new slot is leased when half of the lease is over."""

    def __init__(self) -> None:
        self._ids: Ids | None = None
        self._renew_at = datetime.min.replace(tzinfo=UTC)
        self._process = 0

    def __call__(self) -> str:
        """The next id."""
        now = datetime.now(UTC)
        if self._ids is None or now > self._renew_at or self._process != os.getpid():
            self._ids = Ids(lease_slot(now))
            self._renew_at, self._process = now + LEASE / 2, os.getpid()
        return self._ids()


def lease_slot(now: datetime) -> int:
    """A slot that no other process holds, chosen at random among the free ones."""
    holder = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
    taken = set(Slot.objects.filter(leased_until__gt=now).values_list("number", flat=True))
    free = [number for number in range(SLOTS) if number not in taken]
    while free:
        number = secrets.choice(free)
        try:
            with transaction.atomic():
                Slot.objects.filter(number=number, leased_until__lte=now).delete()
                Slot.objects.create(number=number, holder=holder, leased_until=now + LEASE)
        except IntegrityError:
            free.remove(number)
            continue
        return number
    raise RuntimeError(f"all {SLOTS} slots for ids are leased")


@cache
def envelope() -> Envelope:
    """Seals under data keys; master keys come from the settings, new one first."""
    return Envelope(settings.MASTER_KEYS)


@cache
def store() -> DatabaseStore:
    """The store of facts."""
    return DatabaseStore(apply=_apply, keys=envelope(), on_commit=(wake.wake,), around=_observed)


def _apply(recorded: Sequence[Recorded]) -> None:
    """Change the read tables; from here on this request reads them itself."""
    epochs.forget()
    immediate.apply(recorded)


@contextmanager
def _observed(facts: int) -> Iterator[None]:
    """Around each push."""
    with spans.pushing(facts), meter.timed("gatehouse_push_duration_seconds"):
        yield
    meter.add("gatehouse_pushed_facts_total", facts)


@cache
def ports() -> Ports:
    """Clock, ids, hashing and secrets."""
    pool = _password_pool(settings.CONFIG.SystemDefaults.PasswordHasher)
    meter.measures_process(pool.readings)
    denied = Denied.of(settings.CONFIG.HTTPClient.DenyList)
    outside = Outgoing(allows=denied.allows, refuses=denied.names)
    return Ports(lambda: datetime.now(UTC), LeasedIds(), pool, VaultSecrets(envelope()), outside)


def _password_pool(config: PasswordHasherSection) -> PasswordPool:
    workers = config.Workers or os.cpu_count() or 1
    hasher, limits = config.Hasher, config.Limits
    return PasswordPool(
        workers=workers,
        most=min(workers + config.Queue, max(1, settings.CONFIG.Threads // 2)),
        wish=Wish(
            hasher.Algorithm,
            passes=hasher.Time,
            memory=hasher.Memory,
            lanes=hasher.Threads,
            cost=hasher.Cost,
            rounds=hasher.Rounds,
            hash=hasher.Hash,
        ),
        limits=Limits(
            argon2_memory=limits.Argon2.MaxMemory,
            argon2_passes=limits.Argon2.MaxTime,
            argon2_lanes=limits.Argon2.MaxThreads,
            argon2_work=limits.Argon2.MaxWork,
            bcrypt_cost=limits.Bcrypt.MaxCost,
            scrypt_memory=limits.Scrypt.MaxMemory,
            scrypt_work=limits.Scrypt.MaxWork,
            pbkdf2_rounds=limits.PBKDF2.MaxRounds,
            sha2_rounds=limits.Sha2.MaxRounds,
        ),
        longest=limits.CheckDuration,
    )
