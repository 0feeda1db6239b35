"""Runs the followers: in a thread of the web process (embedded), or called by a Celery task."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import connection

from eventstore.database import DatabaseStore
from iam.precedence import giving_way
from projections import horizon, wake
from projections.follower import follow_all
from projections.periodic import EVERY_SECONDS, do_hourly

BACKSTOP_SECONDS = 5.0
GAP_SECONDS = 0.05
GATHER_SECONDS = 0.05
"""After a ring: pushes that follow each other closely are fed together."""
REST = 4
"""Times that a look took, before the next one: the interpreter belongs to requests (measured: without a rest the
followers made a sign-in last twice as long, and a token check in a storm of sign-ins twice as long as well)."""
LONGEST_REST_SECONDS = 1.0
LONGEST_PAUSE = 3600
"""Seconds between two tries of what is sent beside the followers."""
log = logging.getLogger(__name__)


Beside = Callable[[], bool]
_beside: list[Beside] = []


def beside_followers(work: Beside) -> Beside:
    """Declare work that is looked for whenever the followers run; it answers whether it did something."""
    _beside.append(work)
    return work


def pause_after(tries: int) -> timedelta:
    """How long something that is sent beside the followers waits after so many tries in vain."""
    return timedelta(seconds=min(5 * 2**tries, LONGEST_PAUSE))


def run_until_done(store: DatabaseStore, goes_on: Callable[[float], bool] = lambda took: True) -> None:
    """Feed all there is to feed, and do what came of it, or until it is not to go on after so many seconds of work."""
    is_more = True
    while horizon.advance() or is_more:
        begun = time.monotonic()
        did = [follow_all(store), *(work() for work in _beside)]
        is_more = any(did)
        if is_more and not goes_on(time.monotonic() - begun):
            return


class Runner(threading.Thread):
    """Follows until it is told to stop; rings by `wake`, and looks by itself every few seconds."""

    def __init__(self, store: DatabaseStore, *, backstop: float = BACKSTOP_SECONDS) -> None:
        super().__init__(name="followers", daemon=True)
        self._store = store
        self._backstop = backstop
        self._stopped = threading.Event()

    def run(self) -> None:
        """Follow."""
        with giving_way():
            self._run()

    def _run(self) -> None:
        tidied = -EVERY_SECONDS
        while not self._stopped.is_set():
            begun = time.monotonic()
            pause = self._follow()
            self._stopped.wait(min(REST * (time.monotonic() - begun), LONGEST_REST_SECONDS))
            wake.wait(pause)
            self._stopped.wait(GATHER_SECONDS)
            if time.monotonic() - tidied > EVERY_SECONDS and not self._stopped.is_set():
                do_hourly()
                tidied = time.monotonic()

    def _follow(self) -> float:
        """Feed what there is; answers how many seconds to rest unless something rings."""
        try:
            run_until_done(self._store, self._rest)
            return GAP_SECONDS if horizon.is_waiting() else self._backstop
        except Exception:  # whatever it was, the thread lives on: nobody would start another
            log.exception("followers could not work; they try again")
            connection.close()
            return self._backstop

    def _rest(self, took: float) -> bool:
        """After a part of much: so that requests are answered meanwhile; answers whether to go on."""
        return not self._stopped.wait(min(took, LONGEST_REST_SECONDS))

    def stop(self) -> None:
        """Finish the batch and end."""
        self._stopped.set()
        wake.wake()
        self.join()
