"""Turns that all web processes of a server share, given in the order in which they were asked for.

The queue lies in memory that the processes inherit. Whoever changes it holds a record lock, which the system takes back
when a process ends, however it ends. Whoever gives a turn back hands it to the first who waits and wakes that process
through a pipe: nobody looks again and again, and nobody who came later is served before. What a process that has ended
held or waited for is taken out of the queue by the one that had started it.
"""

import asyncio
import fcntl
import itertools
import mmap
import os
import struct
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

SEAT = struct.Struct("<HQ?")
COUNT = struct.Struct("<I")
SPARE = 8
"""Desks beyond those of the processes that are meant to run: while a server loads itself anew there are twice as many."""


class FullError(Exception):
    """As many wait as may."""


@dataclass(frozen=True)
class Seat:
    """A place in the queue: the desk of its process, its number there, whether it has its turn."""

    desk: int
    number: int
    is_served: bool = False


@dataclass
class _Queue:
    """Everybody in the order of arrival, and the process at each desk (0 for none)."""

    processes: list[int]
    seats: list[Seat]

    def serve(self, most: int) -> list[Seat]:
        """Give the turns that are free to the first who wait; answers who they were."""
        free = most - sum(seat.is_served for seat in self.seats)
        waiting = [place for place, seat in enumerate(self.seats) if not seat.is_served][: max(0, free)]
        served = [self.seats[place] for place in waiting]
        for place in waiting:
            self.seats[place] = replace(self.seats[place], is_served=True)
        return served

    def desk_of(self, process: int) -> int | None:
        """The desk of a process, a free one if it has none yet; None when there is none."""
        for wanted in (process, 0):
            if wanted in self.processes:
                desk = self.processes.index(wanted)
                self.processes[desk] = process
                return desk
        return None

    def leave(self, process: int) -> None:
        """Take everything of a process out."""
        gone = {desk for desk, one in enumerate(self.processes) if one == process}
        self.processes = [0 if one == process else one for one in self.processes]
        self.seats = [seat for seat in self.seats if seat.desk not in gone]


class SharedTurns:
    """So many turns, and so many who wait for one, of all processes that are forked after this was made."""

    def __init__(self, turns: int, waiting: int, processes: int = 1) -> None:
        self._turns, self._waiting = turns, waiting
        self._processes = struct.Struct(f"<{2 * processes + SPARE}i")
        self._half = self._processes.size + COUNT.size + SEAT.size * (turns + waiting)
        self._memory = mmap.mmap(-1, 1 + 2 * self._half)  # two halves, so that a change that is cut off never counts
        self._lock = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self._bells = [os.pipe() for _ in range(2 * processes + SPARE)]
        for end in itertools.chain(*self._bells):
            os.set_blocking(end, False)
        self._numbers = itertools.count(1)
        self._mine: dict[Seat, asyncio.Future[None]] = {}
        self._listening: asyncio.AbstractEventLoop | None = None

    def enter(self) -> Seat:
        """Take a place at the end of the queue, with a turn if one is free; raises FullError."""
        with self._changing() as queue:
            desk = queue.desk_of(os.getpid())
            waiting = [seat for seat in queue.seats if not seat.is_served]
            if desk is None or (len(waiting) >= self._waiting and len(queue.seats) >= self._turns):
                raise FullError
            seat = Seat(desk, next(self._numbers))
            queue.seats.append(seat)
        return seat

    async def served(self, seat: Seat) -> None:
        """Wait until a place has its turn."""
        if self._is_served(seat):
            return
        self._listen(seat.desk)
        self._mine[seat] = asyncio.get_running_loop().create_future()
        try:
            await self._mine[seat]
        finally:
            del self._mine[seat]

    def leave(self, seat: Seat) -> None:
        """Give a place back, with its turn or while it waits for one."""
        with self._changing() as queue:
            queue.seats = [one for one in queue.seats if (one.desk, one.number) != (seat.desk, seat.number)]

    def process_ended(self, process: int) -> None:
        """Give back what a process held and waited for; who got a turn by its last change may not have been woken."""
        with self._changing() as queue:
            queue.leave(process)
        self._ring(desk for desk, one in enumerate(queue.processes) if one)

    def _is_served(self, seat: Seat) -> bool:
        with self._changing() as queue:
            return replace(seat, is_served=True) in queue.seats

    def _listen(self, desk: int) -> None:
        loop = asyncio.get_running_loop()
        if self._listening is not loop:
            loop.add_reader(self._bells[desk][0], self._rung, desk)
            self._listening = loop

    def _rung(self, desk: int) -> None:
        """Somebody gave a turn to a place of this process."""
        with suppress(BlockingIOError):
            while os.read(self._bells[desk][0], 4096):
                pass
        with self._changing() as queue:
            served = set(queue.seats)
        for seat, future in self._mine.items():
            if replace(seat, is_served=True) in served and not future.done():
                future.set_result(None)

    @contextmanager
    def _changing(self) -> Iterator[_Queue]:
        """The queue, alone; what is changed counts at the end, and those who got their turn by it are woken."""
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            queue = self._read()
            before = (list(queue.processes), list(queue.seats))
            yield queue
            served = queue.serve(self._turns)
            if before != (queue.processes, queue.seats):
                self._write(queue)
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)
        self._ring({seat.desk for seat in served if seat in before[1]})  # who came just now looks for themselves

    def _ring(self, desks: Iterable[int]) -> None:
        for desk in desks:
            with suppress(BlockingIOError):  # full: it is rung already
                os.write(self._bells[desk][1], b"\0")

    def _read(self) -> _Queue:
        start = 1 + self._memory[0] * self._half
        processes = self._processes.unpack_from(self._memory, start)
        (length,) = COUNT.unpack_from(self._memory, start + self._processes.size)
        first = start + self._processes.size + COUNT.size
        seats = [Seat(*SEAT.unpack_from(self._memory, first + place * SEAT.size)) for place in range(length)]
        return _Queue(list(processes), seats)

    def _write(self, queue: _Queue) -> None:
        other = 1 - self._memory[0]
        start = 1 + other * self._half
        self._processes.pack_into(self._memory, start, *queue.processes)
        COUNT.pack_into(self._memory, start + self._processes.size, len(queue.seats))
        first = start + self._processes.size + COUNT.size
        for place, seat in enumerate(queue.seats):
            SEAT.pack_into(self._memory, first + place * SEAT.size, seat.desk, seat.number, seat.is_served)
        self._memory[0] = other
