"""Figures as Prometheus reads them. The library is loaded when the first web process starts counting, not before.

Several web processes share a folder in which each keeps its figures (the library's multi-process mode), so that whichever
process is scraped tells the sum of all.
"""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from iam.observe import meter
from iam.observe.catalog import COUNTER, HISTOGRAM, METRICS, Metric

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
REFRESH_SECONDS = 1.0


class Registry:
    """A sink that keeps every metric of the catalog."""

    def __init__(self) -> None:
        import prometheus_client as library  # chooses its mode by FOLDER when it is loaded

        library.disable_created_metrics()
        self._library = library
        self._registry = library.CollectorRegistry()
        self._kept = {name: self._made(metric) for name, metric in METRICS.items()}
        self._refreshed = 0.0
        self._lock = threading.Lock()

    def _made(self, metric: Metric) -> Any:
        labels, registry = tuple(metric.labels), self._registry
        if metric.kind == COUNTER:
            return self._library.Counter(metric.name, metric.help, labels, registry=registry)
        if metric.kind == HISTOGRAM:
            return self._library.Histogram(metric.name, metric.help, labels, registry=registry, buckets=metric.buckets)
        return self._library.Gauge(metric.name, metric.help, labels, registry=registry, multiprocess_mode=metric.across)

    def add(self, metric: Metric, labels: Mapping[str, str], amount: float) -> None:
        """Count or observe."""
        kept = self._kept[metric.name].labels(**labels) if labels else self._kept[metric.name]
        (kept.observe if metric.kind == HISTOGRAM else kept.inc)(amount)

    def set(self, readings: Iterable[meter.Reading]) -> None:
        """Take the values of gauges."""
        for name, labels, value in readings:
            metric = METRICS[name]
            closed = metric.closed(labels)
            (self._kept[name].labels(**closed) if closed else self._kept[name]).set(value)

    def refresh(self, *, now: bool = False) -> None:
        """Take the gauges of this process, at most once a second: another process may be the one that is scraped."""
        at = time.monotonic()
        with self._lock:
            if not now and at - self._refreshed < REFRESH_SECONDS:
                return
            self._refreshed = at
        self.set(meter.process_readings())

    def text(self) -> bytes:
        """Everything, of every process."""
        self.refresh(now=True)
        self.set(meter.database_readings())
        shown = self._registry
        if FOLDER in os.environ:
            from prometheus_client.multiprocess import MultiProcessCollector

            shown = self._library.CollectorRegistry()
            MultiProcessCollector(shown)
        return bytes(self._library.generate_latest(shown))


_registry: list[Registry] = []


def start() -> Registry:
    """Count in this process."""
    if not _registry:
        _registry.append(Registry())
        meter.listen(_registry[0])
    return _registry[0]


def running() -> Registry | None:
    """The registry of this process, once it counts."""
    return _registry[0] if _registry else None


def stop() -> None:
    """Count no more (tests)."""
    _registry.clear()
    meter.deafen()


def refresh(**_: object) -> None:
    """Called at the end of a request."""
    if _registry:
        _registry[0].refresh()


def share_between_processes() -> None:
    """Called before web processes are made: give them a folder."""
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="gatehouse-metrics-")


def process_ended(pid: int) -> None:
    """A web process is gone: its gauges count no more, what it counted stays."""
    if FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)


def end_sharing() -> None:
    """Remove the folder."""
    if folder := os.environ.pop(FOLDER, ""):
        shutil.rmtree(folder, ignore_errors=True)
