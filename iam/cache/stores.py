"""Where kept answers lie: the memory of this process, or Redis behind a circuit breaker. A store that fails is a miss."""

import hashlib
import hmac
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from iam.observe import meter
from iam.observe.meter import Reading, measures_process
from iam.settings.watching import RedisSection

MOST_ENTRIES = 10_000
LONGEST_ENTRY = 100_000
SEAL = 32
log = logging.getLogger(__name__)


class Store(Protocol):
    """Bytes under a key, for a while."""

    def get(self, key: str) -> bytes | None:
        """What is kept, or None."""
        ...

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Keep."""
        ...


class MemoryStore:
    """Of this process; the entry that was used longest ago goes first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """What is kept, or None."""
        with self._lock:
            ends, value = self._kept.get(key, (0.0, b""))
            if ends <= self._clock():
                self._kept.pop(key, None)
                return None
            self._kept.move_to_end(key)
            return value

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Keep."""
        with self._lock:
            self._kept[key] = (self._clock() + seconds, value)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_ENTRIES:
                self._kept.popitem(last=False)


class Breaker:
    """After some failures in a row nothing is tried for a while; then one request tries, and its luck decides."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._failures = 0
        self._next_try = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether nothing is tried now."""
        return self._failures >= self._most

    def may_try(self) -> bool:
        """Whether this request may ask."""
        with self._lock:
            if self._failures < self._most:
                return True
            if self._clock() < self._next_try:
                return False
            self._next_try = self._clock() + self._seconds  # this one tries; the others go on without
            return True

    def succeeded(self) -> None:
        """It answers."""
        self._failures = 0

    def failed(self) -> bool:
        """It does not; answers whether the breaker has opened by this."""
        with self._lock:
            self._failures += 1
            self._next_try = self._clock() + self._seconds
            return self._failures == self._most


class RedisStore:
    """Shared by all processes. An entry carries a seal made from its key and value: whoever else writes to this Redis cannot
    make us believe anything."""

    def __init__(self, asked: RedisSection, secret: bytes, client: Any = None) -> None:
        self._redis = client or _client(asked)
        self._secret = secret
        self.breaker = Breaker(
            asked.CircuitBreaker.MaxConsecutiveFailures, asked.CircuitBreaker.Timeout.total_seconds()
        )

    def get(self, key: str) -> bytes | None:
        """What is kept and ours, or None."""
        found = self._tried(lambda: self._redis.get(key))
        if not isinstance(found, bytes):
            return None
        seal, value = found[:SEAL], found[SEAL:]
        return value if hmac.compare_digest(seal, self._seal(key, value)) else None

    def put(self, key: str, value: bytes, seconds: float) -> None:
        """Keep."""
        if len(value) <= LONGEST_ENTRY:
            self._tried(lambda: self._redis.set(key, self._seal(key, value) + value, px=max(1, int(seconds * 1000))))

    def _seal(self, key: str, value: bytes) -> bytes:
        return hmac.digest(self._secret, key.encode() + b"\0" + value, hashlib.sha256)

    def _tried(self, ask: Callable[[], Any]) -> Any:
        if not self.breaker.may_try():
            return None
        try:
            answer = ask()
        except Exception as failure:  # whatever Redis or the way to it does: the database knows the answer
            meter.add("gatehouse_cache_errors_total")
            if self.breaker.failed():
                log.warning("redis does not answer (%s): the caches do without it for now", type(failure).__name__)
            return None
        self.breaker.succeeded()
        return answer


def _client(asked: RedisSection) -> Any:
    import redis  # only where it is used
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        asked.broker,
        socket_connect_timeout=asked.DialTimeout.total_seconds(),
        socket_timeout=asked.ReadTimeout.total_seconds(),
        max_connections=asked.PoolSize,
        retry=Retry(NoBackoff(), 0),
        client_name="gatehouse-cache",
    )


_opened: list[RedisStore] = []


def opened(store: RedisStore) -> RedisStore:
    """Show a store's breaker among the figures."""
    _opened[:] = [store]
    return store


@measures_process
def breaker() -> Iterable[Reading]:
    """Whether this process does without Redis."""
    return [("gatehouse_cache_breaker_open", {}, float(store.breaker.is_open)) for store in _opened]
