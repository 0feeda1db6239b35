"""Clients in a process of their own: as many calls as they get answered, or as many as a clock says."""

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from tests.bench.wire import House, Wire, with_token


@dataclass(frozen=True)
class Answer:
    """One call: when it was due and when it was sent (seconds of the clients' clock), how long it took, what it got."""

    due: float
    sent: float
    seconds: float
    status: int
    retry_after: str = ""

    @property
    def late(self) -> float:
        """From when it was due to its answer: what a caller waits who does not wait for other callers."""
        return self.sent - self.due + self.seconds


Call = Callable[[Wire, int], tuple[int, str]]


def _quietly(work: Callable[[Wire], object]) -> Call:
    def call(wire: Wire, number: int) -> tuple[int, str]:
        work(wire)
        return 200, ""

    return call


BARE = "bare Django request"
CALLS: dict[str, Call] = {
    BARE: _quietly(Wire.bare),
    "introspection": _quietly(Wire.introspect),
    "client-credentials token": _quietly(Wire.new_token),
    "CreateUser": _quietly(Wire.create_user),
    "sign-in": lambda wire, number: wire.sign_in(wire.house.persons[number % len(wire.house.persons)]),
}


class Clients:
    """A process of clients; several of them do not wait for each other."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, get_context("spawn"))
        self._pool.submit(int).result()  # it has started

    def closed(self, port: int, house: House, name: str, *, clients: int, seconds: float) -> "Future[list[Answer]]":
        """Each client calls again as soon as it is answered."""
        return self._pool.submit(_closed, port, house, name, clients, seconds)

    def by_clock(
        self, port: int, house: House, name: str, *, rate: float, clients: int, seconds: float
    ) -> "Future[list[Answer]]":
        """So many calls per second, whatever the answers: an open loop, as long as a client is free."""
        return self._pool.submit(_by_clock, port, house, name, rate, clients, seconds)

    def end(self) -> None:
        """End the process."""
        self._pool.shutdown()


def _closed(port: int, house: House, name: str, clients: int, seconds: float) -> list[Answer]:
    house = with_token(port, house)
    end, numbers = time.perf_counter() + seconds, itertools.count()

    def client(wire: Wire) -> list[Answer]:
        found = []
        while (now := time.perf_counter()) < end:
            found.append(_answer(wire, name, next(numbers), now, now))
        return found

    return _all(port, house, clients, client)


def _by_clock(port: int, house: House, name: str, rate: float, clients: int, seconds: float) -> list[Answer]:
    house = with_token(port, house)
    begun, numbers, lock = time.perf_counter(), itertools.count(), threading.Lock()

    def client(wire: Wire) -> list[Answer]:
        found = []
        while True:
            with lock:
                number = next(numbers)
            due = begun + number / rate
            if due > begun + seconds:
                return found
            time.sleep(max(0.0, due - time.perf_counter()))
            found.append(_answer(wire, name, number, due, time.perf_counter()))

    return _all(port, house, clients, client)


def _all(port: int, house: House, clients: int, client: Callable[[Wire], list[Answer]]) -> list[Answer]:
    with ThreadPoolExecutor(clients) as pool:
        work = [pool.submit(client, Wire(port, house)) for _ in range(clients)]
        return [one for done in work for one in done.result()]


def _answer(wire: Wire, name: str, number: int, due: float, sent: float) -> Answer:
    status, retry_after = CALLS[name](wire, number)
    return Answer(due, sent, time.perf_counter() - sent, status, retry_after)
