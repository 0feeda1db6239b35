"""All web processes of a server have no more sign-ins at work than its processors can hash beside everything else (checklist P12)."""

import asyncio
import multiprocessing
import os
import signal

import pytest

from iam.api import admission
from iam.api.turns import SharedTurns
from iam.settings.tree import Config

fork = multiprocessing.get_context("fork")


def elsewhere(work):
    """What a function answers in a process that was forked just now; None if it was killed."""
    answers = fork.SimpleQueue()
    process = fork.Process(target=lambda: answers.put(work()))
    process.start()
    process.join()
    return answers.get() if process.exitcode == 0 else None


@pytest.fixture
def held():
    """A process that holds a turn of two until it is killed."""
    turns, has_it = SharedTurns(2), fork.Event()

    def hold():
        assert turns.take() == 0
        has_it.set()
        signal.pause()

    process = fork.Process(target=hold)
    process.start()
    assert has_it.wait(10)
    yield turns, process
    process.kill()
    process.join()


def test_p12_processes_take_different_turns_and_none_when_all_are_taken(held):
    turns, _ = held
    assert turns.take() == 1
    assert turns.take() is None and elsewhere(turns.take) is None
    turns.give_back(1)
    assert elsewhere(turns.take) == 1


def test_the_turn_of_a_killed_process_is_free_again(held):
    turns, process = held
    assert (turns.take(), turns.take()) == (1, None)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert turns.take() == 0


def test_a_sign_in_waits_for_the_turn_of_another_process(held):
    turns, process = held
    assert turns.take() == 1

    async def story():
        room, begun = admission.Room(1, 1, turns), asyncio.Event()

        async def sign_in():
            async with room.turn():
                begun.set()

        asking = asyncio.create_task(sign_in())
        await asyncio.sleep(3 * admission.LOOK_SECONDS)
        assert not begun.is_set()
        process.kill()
        async with asyncio.timeout(10):
            await asking
        assert begun.is_set()
        assert turns.take() == 0, "it was given back"

    asyncio.run(story())


@pytest.mark.parametrize(("workers", "hashing", "turns"), [(1, 8, None), (4, 8, 4), (4, 1, 1)])
def test_the_turns_are_those_of_one_process_whatever_the_number_of_processes(monkeypatch, workers, hashing, turns):
    monkeypatch.setattr(admission._Server, "turns", None)
    config = Config(Workers=workers, SystemDefaults={"PasswordHasher": {"Workers": hashing}})
    admission.share(config)
    made = admission._Server.turns
    assert (made and sum(made.take() is not None for _ in range(9))) == turns


@pytest.mark.parametrize(("workers", "queue", "waiting"), [(1, 32, 32), (4, 32, 8), (8, 4, 1)])
def test_those_who_wait_are_shared_out_to_the_processes(settings, workers, queue, waiting):
    settings.CONFIG = Config(Workers=workers, SystemDefaults={"PasswordHasher": {"Queue": queue}})
    assert admission.room.__wrapped__()._free == waiting
