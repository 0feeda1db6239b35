"""Throughput and latency with 1, 2 and 4 web processes on one port, and the storm."""

import os
from collections.abc import Mapping

from tests.bench.clients import BARE, Clients
from tests.bench.loading import get_ready
from tests.bench.rounds import compared, measuring, percentile, say
from tests.bench.sides import Bench, started
from tests.bench.storm import storm

PROCESSES = tuple(int(number) for number in os.environ.get("PROCESSES", "1 2 4").split())
CLIENTS = 8
SECONDS = 4
BLOCKS = 2
CALLS = (BARE, "introspection", "client-credentials token", "CreateUser")
"""The first is the calibration of the others."""


def load(bench: Bench) -> None:
    """Prepare, fill when rows are asked for, measure, print."""
    get_ready(bench)
    say(f"{CLIENTS} clients in a process beside {os.cpu_count()} processors' worth of servers and PostgreSQL")
    for processes in PROCESSES:
        with measuring():
            bench.tidy()
            started(bench.sides, processes)
            say(f"\n{processes} web process{'es' if processes > 1 else ''}")
            _throughput(bench)
            for side in bench.sides:
                storm(side, bench.house)
            for side in bench.sides:
                side.stop()


def _throughput(bench: Bench) -> None:
    """Every call in a closed loop, the sides in turn."""
    clients = Clients()
    try:
        times = {name: _times(bench, clients, name) for name in CALLS}
        for name, found in times.items():
            _tell(name, found, _rates(times[BARE]))
    finally:
        clients.end()


def _times(bench: Bench, clients: Clients, name: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {side.name: [] for side in bench.sides}
    order = list(bench.sides)
    for side in order:
        clients.closed(side.port, bench.house, name, clients=CLIENTS, seconds=1).result()
    for _ in range(BLOCKS):
        for side in order:
            answers = clients.closed(side.port, bench.house, name, clients=CLIENTS, seconds=SECONDS).result()
            found[side.name] += [one.seconds for one in answers]
        order.reverse()
    return found


def _rates(times: Mapping[str, list[float]]) -> dict[str, float]:
    """Calls per second, by side."""
    return {side: len(found) / (SECONDS * BLOCKS) for side, found in times.items()}


def _tell(name: str, times: Mapping[str, list[float]], bare: Mapping[str, float]) -> None:
    rates = _rates(times)
    told = []
    for side, found in times.items():
        parts = " / ".join(f"{percentile(found, percent) * 1000:.1f}" for percent in (50, 95, 99))
        told.append(
            f"{side} {rates[side]:.0f} per second = {rates[side] / bare[side]:.2f} of bare (p50 / p95 / p99 {parts} ms)"
        )
    say(f"  {name:26}{', '.join(told)}{compared(rates, more_is_better=True)}")
