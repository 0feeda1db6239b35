"""How often somebody may call (checklist D03, H10, N07): by caller, by address, by guessed client.

Every request counts once: on its caller when its credentials are good, else on its address. While the bucket of an
address is empty, whoever shows no token, or one that this process has not seen accepted, waits before the database
is asked; callers behind the same address whose token is known go on. No statement of SQL is involved.
"""

import hashlib
import ipaddress
from collections import OrderedDict
from contextlib import suppress
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
KNOWN_BROWSER = RateSection(PerSecond=0.1, Burst=20)
"""Sign-ins that one browser may begin while its network has begun too many."""
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


def enter(meta: RequestMeta, secret: str = "") -> None:
    """Refuse a request whose address has to wait; looks only. Raises ResourceExhausted.

    `secret`: what it shows elsewhere than in its header.
    """
    limits = settings.CONFIG.RateLimits
    if limits.Enabled and meta.remote_addr and _digest(meta, secret) not in _known:
        _spend(_of_address(meta.remote_addr), limits.Address, 0)


def count_nobody(meta: RequestMeta) -> None:
    """Count a request without good credentials on its address. Raises ResourceExhausted."""
    limits = settings.CONFIG.RateLimits
    if limits.Enabled and meta.remote_addr:
        _spend(_of_address(meta.remote_addr), limits.Address)


def count_page(address: str, cost: int = 1) -> None:
    """Count a request for what anybody may ask for on its address; with `cost` 0 look only. Raises ResourceExhausted.

    Pages have a bucket of their own: people who sign in behind an address do not make its programs wait.
    """
    limits = settings.CONFIG.RateLimits
    if limits.Enabled and address:
        _spend(f"page:{source_of(address)}", limits.Address, cost)


def count_letter_asked(instance: str, address: str, name: str) -> None:
    """Count a form that asks for a letter: on its address, and there on the name in its bare form. Raises ResourceExhausted."""
    limits = settings.CONFIG.RateLimits
    if limits.Enabled and address:
        _spend(f"name:{instance}:{_short(name)}:{source_of(address)}", limits.Letters.Name)
        _spend(f"letter:{source_of(address)}", limits.Letters.Address)


def count_letter(instance: str) -> None:
    """Count a letter that an instance sends. Raises ResourceExhausted."""
    limits = settings.CONFIG.RateLimits
    if limits.Enabled:
        _spend(f"letters:{instance}", limits.Letters.Instance)


def count_known_browser(instance: str, device: str) -> None:
    """Count a sign-in that a browser begins on its own account. Raises ResourceExhausted."""
    _spend(f"browser:{instance}:{device}", KNOWN_BROWSER)


def may_try_code(instance: str, address: str) -> None:
    """Refuse another code from an address that has sent too many wrong ones. Raises ResourceExhausted."""
    limits = settings.CONFIG.RateLimits
    if limits.Enabled and address:
        _spend(f"code:{instance}:{source_of(address)}", limits.Code, 0)


def tried_wrong_code(instance: str, address: str) -> None:
    """Count a wrong code."""
    limits = settings.CONFIG.RateLimits
    if limits.Enabled and address:
        with suppress(ResourceExhausted):  # others guessed meanwhile; this answer is a refusal anyway
            _spend(f"code:{instance}:{source_of(address)}", limits.Code)


def note_accepted(meta: RequestMeta, secret: str = "") -> None:
    """Remember what a request showed and was accepted by; nothing of one that showed nothing."""
    if settings.CONFIG.RateLimits.Enabled and (secret or meta.headers.get("authorization")):
        _known.add(_digest(meta, secret))


def count_caller(meta: RequestMeta, instance: str, user_id: str) -> None:
    """Count a request on its caller. Raises ResourceExhausted."""
    limits = settings.CONFIG.RateLimits
    if limits.Enabled:
        note_accepted(meta)
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
        _spend(f"guess:{instance}:{_short(client_id)}:{source_of(address)}", limits.Client, cost)


def source_of(address: str) -> str:
    """Who is behind an address: itself, of IPv6 the /64 that one customer gets."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return _short(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))


def forget() -> None:
    """Every bucket of this process is full again (tests)."""
    _local.clear()
    _known.clear()


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _of_address(address: str) -> str:
    return f"address:{source_of(address)}"


def _digest(meta: RequestMeta, secret: str = "") -> bytes:
    shown = (meta.host, meta.headers.get("authorization", ""), *([secret] if secret else ()))
    return hashlib.sha256("\n".join(shown).encode()).digest()


def _spend(key: str, rate: RateSection, cost: int = 1) -> None:
    wait = _buckets().take(key, Rate(rate.PerSecond, rate.Burst), cost)
    if wait:
        raise ResourceExhausted("api.too_many_requests", retry_after=timedelta(seconds=wait))
