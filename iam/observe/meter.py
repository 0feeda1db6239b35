"""Counting and timing. Where nobody listens (commands, metrics switched off) it costs one look at an empty list."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from iam.observe.catalog import METRICS, Metric

Reading = tuple[str, Mapping[str, str], float]
"""Name of a gauge, labels, value."""
Read = Callable[[], Iterable[Reading]]

MOST_SERIES = 5000
"""Of one metric; more can only be a mistake of ours, and go into none."""

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Takes figures: Prometheus' registry, or the exporter of OpenTelemetry."""

    def add(self, metric: Metric, labels: Mapping[str, str], amount: float) -> None:
        """Count or observe."""
        ...


_sinks: list[Sink] = []
_of_process: list[Read] = []
_of_database: list[Read] = []
_seen: dict[str, set[tuple[str, ...]]] = {}


def listen(sink: Sink) -> None:
    """Send figures to a sink as well."""
    _sinks.append(sink)


def deafen() -> None:
    """Send figures to nobody."""
    _sinks.clear()
    _seen.clear()


def add(name: str, amount: float = 1, **labels: str) -> None:
    """Count, or observe a duration in seconds."""
    if not _sinks:
        return
    metric = METRICS[name]
    closed = metric.closed(labels)
    seen, values = _seen.setdefault(name, set()), tuple(closed.values())
    if values not in seen:
        if len(seen) >= MOST_SERIES:
            return
        seen.add(values)
    for sink in _sinks:
        sink.add(metric, closed, amount)


@contextmanager
def timed(name: str, **labels: str) -> Iterator[None]:
    """Observe how long something takes, also when it fails."""
    started = time.perf_counter()
    try:
        yield
    finally:
        add(name, time.perf_counter() - started, **labels)


def measures_process(read: Read) -> Read:
    """Declare gauges of this process."""
    _of_process.append(read)
    return read


def measures_database(read: Read) -> Read:
    """Declare gauges that are asked of the database, by the process that is scraped."""
    _of_database.append(read)
    return read


def process_readings() -> list[Reading]:
    """The gauges of this process."""
    return _all(_of_process)


def database_readings() -> list[Reading]:
    """The gauges of the database; none of what does not answer."""
    return _all(_of_database)


def _all(reads: Iterable[Read]) -> list[Reading]:
    found: list[Reading] = []
    for read in reads:
        try:
            found += read()
        except Exception as failure:  # a figure that cannot be had must not cost the others
            log.warning("a figure cannot be had: %s", type(failure).__name__)
    return found
