"""Token buckets: in this process, or in Redis for all processes together. A bucket that nobody used is full."""

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol

MOST_BUCKETS = 50_000
AWAY_SECONDS = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rate:
    """Refilled with `per_second`, holds at most `burst`."""

    per_second: float
    burst: int


class Buckets(Protocol):
    """Where buckets are kept."""

    def take(self, key: str, rate: Rate, cost: int = 1) -> float:
        """Take tokens; answers 0, or for how many seconds to wait when there is not one (then nothing is taken).

        With `cost` 0 it only looks.
        """
        ...


class LocalBuckets:
    """Buckets of this process; the ones that were used longest ago are forgotten beyond MOST_BUCKETS (N07, H10)."""

    def __init__(self, most: int = MOST_BUCKETS) -> None:
        self._most = most
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, key: str, rate: Rate, cost: int = 1) -> float:
        """See Buckets."""
        now = time.monotonic()
        with self._lock:
            held, at = self._kept.get(key, (float(rate.burst), now))
            held = min(held + (now - at) * rate.per_second, rate.burst)
            if held < 1:
                return (1 - held) / rate.per_second
            if cost:
                self._kept[key] = (held - cost, now)
                self._kept.move_to_end(key)
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return 0.0

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()


SCRIPT = """
local now = redis.call('TIME')
local at = now[1] + now[2] / 1000000
local per_second, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'held', 'at')
local held = burst
if kept[1] then held = math.min(tonumber(kept[1]) + (at - tonumber(kept[2])) * per_second, burst) end
if held < 1 then return tostring((1 - held) / per_second) end
if cost > 0 then
  redis.call('HSET', KEYS[1], 'held', tostring(held - cost), 'at', string.format('%.6f', at))
  redis.call('PEXPIRE', KEYS[1], math.ceil((burst - held + cost) / per_second * 1000) + 1000)
end
return '0'
"""
"""One bucket, read and written in one step by the server's own clock. It expires when it would be full again."""


class RedisBuckets:
    """Buckets of all processes. While Redis is away each process counts for itself: limits get looser, nobody is kept out."""

    def __init__(self, url: str, local: LocalBuckets) -> None:
        import redis  # loaded only where it is used

        self._local = local
        self._failure: type[Exception] = redis.RedisError
        client: Any = redis.Redis.from_url(url, socket_timeout=0.25, socket_connect_timeout=0.25)
        self._script = client.register_script(SCRIPT)
        self._away_until = 0.0

    def take(self, key: str, rate: Rate, cost: int = 1) -> float:
        """See Buckets."""
        if time.monotonic() >= self._away_until:
            try:
                return float(self._script(keys=[f"gatehouse:rate:{key}"], args=[rate.per_second, rate.burst, cost]))
            except self._failure as failure:
                self._away_until = time.monotonic() + AWAY_SECONDS
                log.warning("Redis does not answer, requests are counted per process: %s", type(failure).__name__)
        return self._local.take(key, rate, cost)
