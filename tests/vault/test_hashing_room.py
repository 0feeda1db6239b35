"""Places for those whose passwords are hashed: taken first, given back always; who waits holds nothing else (checklist P12)."""

import contextlib
import os
import sys
import threading

import pytest

from iam.kernel.errors import ResourceExhausted
from iam.vault import passwords
from iam.vault.hashes import Wish
from iam.vault.passwords import PasswordPool
from users.commands.sessions import must_know_password
from users.models import AttemptRow

GOOD = "Correct-Horse-9"


@pytest.fixture
def pool():
    return PasswordPool(workers=1, most=2, wish=Wish(passes=1, memory=8192))


def test_p12_a_place_is_for_one_and_the_surplus_is_refused_at_once(pool):
    with pool.place(), contextlib.ExitStack() as others:
        pool.hash(GOOD)  # in the place that is held
        refused = []

        def another():
            try:
                others.enter_context(pool.place())
            except ResourceExhausted as full:
                refused.append(full.retry_after.total_seconds())

        for _ in range(2):
            thread = threading.Thread(target=another)
            thread.start()
            thread.join()
        assert refused == [2.0]
    with pytest.raises(ZeroDivisionError), pool.place():
        raise ZeroDivisionError
    for _ in range(3):
        pool.hash(GOOD)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux only")
def test_p12_hashing_threads_let_others_go_first(pool):
    pool.hash(GOOD)
    hashing = next(
        one for one in threading.enumerate() if one.name.startswith("passwords") and one in pool._pool._threads
    )
    mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert os.getpriority(os.PRIO_PROCESS, hashing.native_id) > mine


def test_p12_who_is_refused_is_not_counted_as_having_guessed(house, monkeypatch):
    pool, id = house.system.ports.passwords, house.person()
    monkeypatch.setattr(pool, "_room", threading.BoundedSemaphore(1))
    with pool.place(), pytest.raises(ResourceExhausted) as full:
        must_know_password(house.system, user_id=id, password=GOOD)
    assert full.value.code == "password.too_busy"
    assert not AttemptRow.objects.exists()
    must_know_password(house.system, user_id=id, password=GOOD)


@pytest.mark.parametrize(("pool_of", "in_transaction", "closed"), [("a", False, 1), ("a", True, 0), (None, False, 0)])
def test_p12_who_waits_for_a_processor_holds_no_pooled_connection(pool, monkeypatch, pool_of, in_transaction, closed):
    class Held:
        pool, in_atomic_block, closed = pool_of, in_transaction, 0

        def close(self):
            self.closed += 1

    one = Held()
    monkeypatch.setattr(passwords.connections, "all", lambda initialized_only: [one])
    assert pool._run(lambda: one.closed, None) == closed, "closed before the wait begins"
