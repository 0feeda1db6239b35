"""Who follows the log: a thread of this process, or Celery workers that this process wakes."""

import logging
import threading
from collections.abc import Callable, Iterable

from django.conf import settings

from iam.observe.meter import Reading, measures_database
from iam.vault import wiring
from projections import wake
from projections.lag import behind
from projections.runner import Runner, run_until_done

REST_SECONDS = 0.05
log = logging.getLogger(__name__)


class Messenger(threading.Thread):
    """Passes rings on to the workers: one message for all rings of a short while, never from inside a push."""

    def __init__(self, send: Callable[[], None]) -> None:
        super().__init__(name="messenger", daemon=True)
        self._send = send

    def run(self) -> None:
        """Pass on. A broker that is away costs nothing but the beat's delay."""
        rest = threading.Event()
        while True:
            wake.wait(None)
            try:
                self._send()
            except Exception as failure:
                log.warning("the broker does not answer: %s", type(failure).__name__)
                rest.wait(1)
            rest.wait(REST_SECONDS)


def start() -> threading.Thread:
    """Follow, or wake whoever follows; called once in every web process."""
    thread: threading.Thread
    if settings.CONFIG.Caches.Connectors.Redis.Enabled:
        from iam.celery import send_follow  # Celery is loaded only where it is used

        thread = Messenger(send_follow)
    else:
        thread = Runner(wiring.store())
    thread.start()
    return thread


def follow_now() -> None:
    """Feed all followers."""
    run_until_done(wiring.store())


@measures_database
def lag() -> Iterable[Reading]:
    """How far each projection is behind."""
    for name, found in behind().items():
        yield "gatehouse_projection_lag_facts", {"projection": name}, found.facts
        yield "gatehouse_projection_lag_seconds", {"projection": name}, found.seconds
        yield "gatehouse_projection_stopped", {"projection": name}, found.stopped
