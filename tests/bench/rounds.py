"""Blocks of calls in turn, and how figures are printed."""

import contextlib
import fcntl
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

WARM = 10
Block = Callable[[int], list[float]]
"""(number of calls) → how long each took, in seconds."""


def say(line: str = "") -> None:
    """Print."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def measuring() -> Iterator[None]:
    """Hold QUIET exclusively: nobody else loads the machine."""
    with _locked(fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def working() -> Iterator[None]:
    """Hold QUIET together with others: nobody measures."""
    with _locked(fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def _locked(how: int) -> Iterator[None]:
    if not (name := os.environ.get("QUIET")):
        yield
        return
    with Path(name).open("a") as file:
        fcntl.flock(file, how)
        yield


def timed(work: Callable[[], object]) -> Block:
    """A block that makes the calls one after the other."""

    def block(calls: int) -> list[float]:
        times = []
        for _ in range(calls):
            begun = time.perf_counter()
            work()
            times.append(time.perf_counter() - begun)
        return times

    return block


def in_turn(blocks: Mapping[str, Block], calls: int, size: int) -> dict[str, list[float]]:
    """The times of `calls` calls on every side, in blocks of `size`: A B, B A, A B …; the first calls do not count."""
    found: dict[str, list[float]] = {side: [] for side in blocks}
    for block in blocks.values():
        block(WARM)
    order = list(blocks)
    for _ in range(-(-calls // size)):
        for side in order:
            found[side] += blocks[side](size)
        order.reverse()
    return found


def medians(found: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of every side."""
    return {side: statistics.median(times) for side, times in found.items()}


def percentile(times: Sequence[float], percent: int) -> float:
    """The smallest time that so many percent do not exceed."""
    ordered = sorted(times)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def compared(by_side: Mapping[str, float], *, more_is_better: bool = False) -> str:
    """`; full : empty 1.02`, where there are two sides; more is worse either way."""
    if len(by_side) < 2:
        return ""
    first, second = by_side
    ratio = by_side[first] / by_side[second] if more_is_better else by_side[second] / by_side[first]
    return f"; {first} : {second} {ratio:.2f}" if more_is_better else f"; {second} : {first} {ratio:.2f}"
