"""Processes that write and follow at once, started as `python -m tests.store.crowd <role> …` on a database of their own."""

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NoReturn

import django

django.setup()

from django.db import OperationalError, connection, transaction  # noqa: E402 - the apps must be ready first

from eventstore.database import DatabaseStore  # noqa: E402
from eventstore.events import Event, event  # noqa: E402
from eventstore.models import EventRow  # noqa: E402
from eventstore.store import Conflict, Recorded, Stream, Write  # noqa: E402
from projections import immediate, wake  # noqa: E402
from projections.projection import CELERY, Projection, on  # noqa: E402
from projections.runner import Runner  # noqa: E402

STREAMS = 40
FACTS_AT_ONCE = 15
ROLLED_BACK = 0.05
DELAY, LONG_DELAY = (0.005, 0.25) if connection.vendor == "postgresql" else (0.0005, 0.0005)
LONG = 0.03
RUNNERS_LIVE = 600


@event("test.counted")
class Counted(Event):
    """A number."""

    number: int = 0


class Seen(Projection):
    """Every fact that the follower was fed, in the order of feeding."""

    name = "seen"
    tables = ()
    mode = CELERY

    @on(Counted)
    def see(self, at: Recorded, fact: Counted) -> None:
        """One line."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO seen (position, stream, version) VALUES (%s, %s, %s)",
                [at.position, f"{at.stream.instance}/{at.stream.id}", at.version],
            )


class NoKeys:
    """Nothing personal is written here."""

    def wrap(self, instance: str, plain: bytes) -> str:
        return plain.hex()

    def unwrap(self, instance: str, wrapped: str) -> bytes:
        return bytes.fromhex(wrapped)

    def forget(self) -> None:
        """There is nothing in memory."""


def the_store() -> DatabaseStore:
    """As the product's, without a vault."""
    return DatabaseStore(apply=immediate.apply, keys=NoKeys(), on_commit=(wake.wake,))


class RolledBack(Exception):
    """Thrown away on purpose."""


def write(wanted: int, seed: int, *, dies: bool) -> None:
    """Push until `wanted` facts are acknowledged. Who `dies` is killed inside a push after that."""
    store, chance, made = the_store(), random.Random(seed), 0
    while made < wanted:
        stream = Stream(f"tenant-{chance.randrange(3)}", "user", str(chance.randrange(STREAMS)))
        try:
            with transaction.atomic():
                made += _push(store, stream, chance)
        except (Conflict, RolledBack):
            continue
        except OperationalError as busy:  # SQLite's one lock went to others for 20 s: nothing is acknowledged
            if "locked" not in str(busy):
                raise
    if dies:
        with transaction.atomic():
            _push(store, Stream("tenant-0", "user", f"dying-{seed}"), random.Random(1))
            os.kill(os.getpid(), signal.SIGKILL)


def _push(store: DatabaseStore, stream: Stream, chance: random.Random) -> int:
    version, digest = _end(stream)
    facts = tuple(Counted(number=number) for number in range(chance.randint(1, FACTS_AT_ONCE)))
    store.push([Write(stream, version, facts, "org", "7", datetime.now(UTC), digest)])
    time.sleep(chance.random() * (LONG_DELAY if chance.random() < LONG else DELAY))
    if chance.random() < ROLLED_BACK:
        raise RolledBack
    return len(facts)


def _end(stream: Stream) -> tuple[int, bytes]:
    """Version and digest of a stream's last fact. To read all of it for each push would take longer than the pushes."""
    rows = EventRow.objects.filter(
        instance_id=stream.instance, aggregate_type=stream.kind, aggregate_id=stream.id
    ).order_by("-version")
    version, digest = rows.values_list("version", "digest").first() or (0, b"")
    return version, bytes(digest)


def follow() -> None:
    """Follow until killed, close on the writers' heels: they are other processes and do not ring."""
    Runner(the_store(), backstop=0.001).start()
    time.sleep(RUNNERS_LIVE)


def at_once(work: Callable[[int], None], seeds: list[str]) -> list[int]:
    """A process for each seed; how they ended. They are forked: to load the program takes longer than what they do."""
    children = [os.fork() or _end_after(work, int(seed)) for seed in seeds]
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def _end_after(work: Callable[[int], None], seed: int) -> NoReturn:
    try:
        work(seed)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", wanted, *seeds]:
            sys.stdout.write(json.dumps(at_once(lambda seed: write(int(wanted), seed, dies=False), seeds)))
        case ["die", wanted, *seeds]:
            sys.stdout.write(json.dumps(at_once(lambda seed: write(int(wanted), seed, dies=True), seeds)))
        case ["follow"]:
            follow()
