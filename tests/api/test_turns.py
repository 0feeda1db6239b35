"""All web processes of a server have no more sign-ins at work than its processors can hash beside everything else, and
serve them in the order in which they came (checklist P12)."""

import asyncio
import itertools
import multiprocessing
import os
import random
import signal

import pytest

from iam.api import admission, turns
from iam.api.turns import FullError, SharedTurns
from iam.settings.tree import Config

fork = multiprocessing.get_context("fork")


class Process:
    """A web process: it takes and leaves places as it is told, and says when it has its turn."""

    def __init__(self, shared):
        self.orders, self.said = fork.SimpleQueue(), fork.SimpleQueue()
        self.process = fork.Process(target=self.work, args=(shared,))
        self.process.start()

    def work(self, shared):
        asyncio.run(self.serve(shared))

    async def serve(self, shared):
        loop, waiting, seats = asyncio.get_running_loop(), {}, {}

        async def wait(name):
            await shared.served(seats[name])
            self.said.put(name)

        while order := await loop.run_in_executor(None, self.orders.get):
            what, name = order
            if what == "enter":
                try:
                    seats[name] = shared.enter()
                except FullError:
                    self.said.put("full")
                    continue
                waiting[name] = asyncio.create_task(wait(name))
                self.said.put("waits")
            elif what == "leave":
                shared.leave(seats[name])
                self.said.put("left")
            elif what == "cancel":
                waiting[name].cancel()
                await asyncio.gather(waiting[name], return_exceptions=True)
                shared.leave(seats[name])
                self.said.put("left")

    def enter(self, name):
        self.orders.put(("enter", name))
        return self.said.get()

    def leave(self, name, how="leave"):
        self.orders.put((how, name))
        assert self.said.get() == "left"

    def hears(self):
        """The next who has their turn; waits for it."""
        return self.said.get()

    @property
    def is_silent(self):
        return self.said.empty()

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()

    def end(self):
        self.orders.put(None)
        self.process.join(5)
        if self.process.is_alive():
            self.kill()


@pytest.fixture
def server():
    """Makes turns and as many processes as are wanted."""
    made = []

    def make(count, waiting=10, processes=3):
        shared = SharedTurns(count, waiting, processes)
        made.extend(Process(shared) for _ in range(processes))
        return shared, *made

    yield make
    for one in made:
        one.end()


def test_p12_turns_are_given_in_the_order_of_arrival_whichever_the_process(server):
    _, a, b, c = server(1)
    order = [(a, "a1"), (b, "b1"), (a, "a2"), (c, "c1"), (b, "b2"), (a, "a3"), (a, "a4"), (c, "c2")]
    for process, name in order:
        assert process.enter(name) == "waits"
        if name == "a1":
            assert a.hears() == "a1"
    for (process, name), (following, then) in itertools.pairwise(order):
        assert all(one.is_silent for one in (a, b, c)), "nobody but the first"
        process.leave(name)
        assert following.hears() == then


def test_p12_as_many_are_at_work_as_there_are_turns(server):
    _, a, b, c = server(2)
    for process, name in ((a, "a1"), (b, "b1")):
        assert (process.enter(name), process.hears()) == ("waits", name)
    for process, name in ((c, "c1"), (a, "a2"), (b, "b2")):
        assert process.enter(name) == "waits" and process.is_silent
    b.leave("b1")
    assert c.hears() == "c1"
    a.leave("a1")
    assert a.hears() == "a2" and b.is_silent
    c.leave("c1")
    assert b.hears() == "b2"


def test_p12_the_room_is_that_of_all_processes_together(server):
    _, a, b, c = server(1, waiting=2)
    assert a.enter("a1") == "waits" and a.hears() == "a1"
    assert [b.enter("b1"), c.enter("c1"), a.enter("a2"), b.enter("b2")] == ["waits", "waits", "full", "full"]
    a.leave("a1")
    assert b.hears() == "b1"
    assert [c.enter("c2"), a.enter("a3")] == ["waits", "full"]


@pytest.mark.parametrize("victim", [0, 1], ids=["who holds a turn", "who waits for one"])
def test_p12_what_a_killed_process_had_is_given_to_the_next(server, victim):
    shared, a, b, c = server(1)
    assert a.enter("a1") == "waits" and a.hears() == "a1"
    assert (b.enter("b1"), c.enter("c1"), a.enter("a2")) == ("waits",) * 3
    gone = (a, b)[victim]
    gone.kill()
    shared.process_ended(gone.process.pid)
    if gone is b:
        a.leave("a1")
        assert c.hears() == "c1"
        c.leave("c1")
        assert a.hears() == "a2"
    else:
        assert b.hears() == "b1"
        b.leave("b1")
        assert c.hears() == "c1"


def test_p12_a_turn_that_was_given_to_a_process_that_ended_is_not_lost(server):
    shared, a, b, c = server(1)
    assert a.enter("a1") == "waits" and a.hears() == "a1"
    assert (b.enter("b1"), c.enter("c1")) == ("waits", "waits")
    b.kill()
    a.leave("a1")  # to b, which is gone already
    assert c.is_silent
    shared.process_ended(b.process.pid)
    assert c.hears() == "c1"


def test_p12_a_new_process_has_the_desk_of_one_that_ended(server):
    shared, a, *_ = server(1)
    for _ in range(3 * turns.SPARE):
        assert a.enter("x") == "waits" and a.hears() == "x"
        a.kill()
        shared.process_ended(a.process.pid)
        a = Process(shared)
    assert a.enter("y") == "waits" and a.hears() == "y"
    a.end()


def test_p12_who_goes_away_leaves_the_order_as_it_is(server):
    _, a, b, c = server(1)
    assert a.enter("a1") == "waits" and a.hears() == "a1"
    assert (b.enter("b1"), c.enter("c1"), b.enter("b2")) == ("waits",) * 3
    b.leave("b1", "cancel")
    a.leave("a1")
    assert c.hears() == "c1" and b.is_silent
    c.leave("c1")
    assert b.hears() == "b2"


def test_p12_a_process_that_dies_in_the_middle_of_a_change_changes_nothing_and_holds_up_nobody():
    shared = SharedTurns(1, 5, 2)
    first = shared.enter()

    def dies():
        with shared._changing() as queue:
            queue.seats.clear()
            queue.seats.append(turns.Seat(1, 99, True))
            os.kill(os.getpid(), signal.SIGKILL)

    process = fork.Process(target=dies)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with shared._changing() as queue:
        assert [(one.number, one.is_served) for one in queue.seats] == [(first.number, True)]


def test_p12_a_change_counts_with_its_last_byte_only(monkeypatch):
    shared = SharedTurns(1, 5)
    shared.enter()
    before = shared._memory[0]

    class Stopped(Exception):
        pass

    real = turns.SEAT

    class Torn:
        size = real.size
        unpack_from = staticmethod(real.unpack_from)

        @staticmethod
        def pack_into(*_):
            raise Stopped

    monkeypatch.setattr(turns, "SEAT", Torn)
    with pytest.raises(Stopped):
        shared.enter()
    assert shared._memory[0] == before
    with shared._changing() as queue:
        assert len(queue.seats) == 1


def test_p12_who_waits_does_not_look_again_and_again(monkeypatch):
    shared, looks = SharedTurns(1, 5), []
    read = shared._read
    monkeypatch.setattr(shared, "_read", lambda: (looks.append(1), read())[1])

    async def story():
        first = shared.enter()
        await shared.served(first)
        second = shared.enter()
        waiting = asyncio.create_task(shared.served(second))
        await asyncio.sleep(0)
        seen = len(looks)
        await asyncio.sleep(0.1)
        assert len(looks) == seen and not waiting.done()
        shared.leave(first)
        await asyncio.wait_for(waiting, 5)
        assert len(looks) <= seen + 2, "one to give it, one when it was woken"
        shared.leave(second)

    asyncio.run(story())


@pytest.mark.parametrize("seed", range(20))
def test_p12_nobody_waits_for_more_than_the_queue_before_them(seed):
    """Random arrivals, ends and departures: whoever is served has nobody before them who waits."""
    chance, count = random.Random(seed), random.Random(seed).randint(1, 3)
    shared = SharedTurns(count, 8)

    async def story():
        inside = []
        for _ in range(200):
            if inside and chance.random() < 0.5:
                gone = chance.choice(inside)
                inside.remove(gone)
                shared.leave(gone)
            else:
                try:
                    inside.append(shared.enter())
                except FullError:
                    assert len(inside) == count + 8
            served = [shared._is_served(one) for one in inside]
            assert served == [True] * min(count, len(inside)) + [False] * max(0, len(inside) - count)

    asyncio.run(story())


@pytest.mark.parametrize(("workers", "hashing", "most"), [(1, 8, None), (4, 8, 4), (4, 1, 1)])
def test_the_turns_are_those_of_one_process_whatever_the_number_of_processes(monkeypatch, workers, hashing, most):
    monkeypatch.setattr(admission._Server, "turns", None)
    config = Config(Workers=workers, SystemDefaults={"PasswordHasher": {"Workers": hashing, "Queue": 5}})
    admission.share(config)
    made = admission._Server.turns
    assert (made and made._turns) == most
    assert made is None or made._waiting == 5, "all together, not each process"


def test_a_process_that_ends_is_told_to_the_turns(monkeypatch):
    monkeypatch.setattr(admission._Server, "turns", SharedTurns(1, 5, 2))
    shared = admission._Server.turns
    shared.enter()
    admission.process_ended(os.getpid())
    with shared._changing() as queue:
        assert queue.seats == [] and set(queue.processes) == {0}


def test_without_turns_to_share_a_process_has_those_of_the_configuration(settings, monkeypatch):
    monkeypatch.setattr(admission._Server, "turns", None)
    settings.CONFIG = Config(SystemDefaults={"PasswordHasher": {"Workers": 8, "Queue": 7}})
    room = admission.room.__wrapped__()
    assert (room._turns._turns, room._turns._waiting) == (4, 7)


def test_p12_a_turn_that_was_given_reaches_who_waits_though_the_giver_died_before_saying_so(monkeypatch):
    """kill -9 between the change and the bell: nobody else rings it."""

    async def story():
        shared = SharedTurns(1, 4, 2)
        gone, stays = shared.enter(), shared.enter()
        waiting = asyncio.create_task(shared.served(stays))
        await asyncio.sleep(0.01)
        write, monkeypatched = os.write, []
        with monkeypatch.context() as patched:
            patched.setattr(turns.os, "write", lambda *_: monkeypatched.append(1))
            shared.leave(gone)
        assert monkeypatched and not waiting.done() and os.write is write
        shared.process_ended(1)  # whoever it was
        await asyncio.wait_for(waiting, 2)

    asyncio.run(story())
