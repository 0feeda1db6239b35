"""How often somebody may call (checklist D03, H10, N07): by caller, by address, by guessed client.

Every request counts once: on its caller when its credentials are good, else on its address. While the bucket of an
address is empty, whoever shows no token, or one that this process has not seen accepted, waits before the database
is asked; callers behind the same address whose token is known go on. No statement of SQL is involved.
"""

import hashlib
import ipaddress
from collections import OrderedDict
from datetime import timedelta
from functools import cache
from threading import Lock

from django.conf import settings

from iam.access.caller import RequestMeta
from iam.api.buckets import Buckets, LocalBuckets, Rate, RedisBuckets
from iam.kernel.errors import ResourceExhausted
from iam.settings.tree import RateSection

MOST_KNOWN = 20_000
IPV6_PREFIX = 64
_local = LocalBuckets()


class _Known:
    """Digests of headers that were accepted lately; being in here gives no right, only the way to the check."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, None] = OrderedDict()
        self._lock = Lock()

    def add(self, digest: bytes) -> None:
        """Remember one, forget the oldest."""
        with self._lock:
            self._kept[digest] = None
            self._kept.move_to_end(digest)
            if len(self._kept) > MOST_KNOWN:
                self._kept.popitem(last=False)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._kept

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()


_known = _Known()


@cache
def _buckets() -> Buckets:
    redis = settings.CONFIG.Caches.Connectors.Redis
    return RedisBuckets(redis.broker, _local) if redis.Enabled else _local


def enter(meta: RequestMeta) -> None:
    """Refuse a request whose address has to wait; looks only. Raises ResourceExhausted."""
    limits = settings.CONFIG.RateLimits
    if limits.Enabled and meta.remote_addr and _digest(meta) not in _known:
        _spend(_of_address(meta.remote_addr), limits.Address, 0)


def count_nobody(meta: RequestMeta) -> None:
    """Count a request without good credentials on its address. Raises ResourceExhausted."""
    limits = settings.CONFIG.RateLimits
    if limits.Enabled and meta.remote_addr:
        _spend(_of_address(meta.remote_addr), limits.Address)


def count_caller(meta: RequestMeta, instance: str, user_id: str) -> None:
    """Count a request on its caller. Raises ResourceExhausted."""
    limits = settings.CONFIG.RateLimits
    if limits.Enabled:
        _known.add(_digest(meta))
        _spend(f"caller:{instance}:{user_id}", limits.Caller)


def may_guess(instance: str, client_id: str, address: str) -> None:
    """Refuse another secret of a client from an address that has guessed too often. Raises ResourceExhausted."""
    _guess(instance, client_id, address, 0)


def guessed_wrong(instance: str, client_id: str, address: str) -> None:
    """Count a refused secret."""
    try:
        _guess(instance, client_id, address, 1)
    except ResourceExhausted:
        return  # others guessed meanwhile; this answer is a refusal anyway


def _guess(instance: str, client_id: str, address: str, cost: int) -> None:
    limits = settings.CONFIG.RateLimits
    if limits.Enabled and address:
        named = hashlib.sha256(client_id.encode()).hexdigest()[:32]
        _spend(f"guess:{instance}:{named}:{source_of(address)}", limits.Client, cost)


def source_of(address: str) -> str:
    """Who is behind an address: itself, of IPv6 the /64 that one customer gets."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return hashlib.sha256(address.encode()).hexdigest()[:32]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))


def forget() -> None:
    """Every bucket of this process is full again (tests)."""
    _local.clear()
    _known.clear()


def _of_address(address: str) -> str:
    return f"address:{source_of(address)}"


def _digest(meta: RequestMeta) -> bytes:
    return hashlib.sha256(f"{meta.host}\n{meta.headers.get('authorization', '')}".encode()).digest()


def _spend(key: str, rate: RateSection, cost: int = 1) -> None:
    wait = _buckets().take(key, Rate(rate.PerSecond, rate.Burst), cost)
    if wait:
        raise ResourceExhausted("api.too_many_requests", retry_after=timedelta(seconds=wait))
