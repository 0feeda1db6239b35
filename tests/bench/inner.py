"""What is measured without the web, in a process of its own for every database: the log, hashing, the database itself."""

import os
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

from tests.bench.rounds import Block, timed
from tests.bench.sides import Side
from tests.bench.wire import PASSWORD

WRITERS = 8
INSTANCE = "bench"
_LINE = f"('{INSTANCE}','user',%s,{{n}},nextval('eventstore_position_seq'),'user.locked',2,'org','','{{{{}}}}','',now(),'{{{{}}}}',%s)"


class Inner:
    """A process that has one database."""

    def __init__(self, side: Side) -> None:
        environment = {name: side.server.environment[name] for name in side.server.environment if "ZITADEL_" in name}
        folder = str(side.server.var)
        self.pool = ProcessPoolExecutor(1, get_context("spawn"), _begin, ({**environment, "GATEHOUSE_VAR": folder},))

    def block(self, work: str) -> Block:
        """Calls of one of WORK, one after the other."""
        return lambda calls: self.pool.submit(_timed, work, calls).result()

    def crowd(self, work: str) -> Block:
        """Calls of one of WORK by several writers at once; the time of each is its share of the whole."""
        return lambda calls: self.pool.submit(_crowded, work, calls).result()

    def end(self) -> None:
        """End the process."""
        self.pool.submit(_end).result()
        self.pool.shutdown()


def _begin(environment: dict[str, str]) -> None:
    import django

    os.environ |= {**environment, "DJANGO_SETTINGS_MODULE": "iam.settings.prod"}
    django.setup()


def _end() -> None:
    from django.db import connection

    connection.close_pool()


def _timed(work: str, calls: int) -> list[float]:
    return timed(WORK[work]())(calls)


def _crowded(work: str, calls: int) -> list[float]:
    from django.db import connection

    one, each = WORK[work](), max(1, calls // WRITERS)

    def many() -> None:
        for _ in range(each):
            one()
        connection.close()  # back to the pool

    begun = time.perf_counter()
    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(many) for _ in range(WRITERS)]:
            done.result()
    return [(time.perf_counter() - begun) / (each * WRITERS)]


def _select() -> Callable[[], object]:
    """One row by its key; the driver prepares it."""
    from django.db import connection

    from iam.instance.models import InstanceRow

    instance = InstanceRow.objects.get().instance_id

    def select() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM instance_instances WHERE instance_id = %s", [instance])
            cursor.fetchone()

    return select


def _hash() -> Callable[[], object]:
    """The hash alone, as configured."""
    from iam.vault import wiring

    return lambda: wiring.ports().passwords.hash(PASSWORD)


def _push() -> Callable[[], object]:
    """Two facts of a new stream through the store."""
    from datetime import UTC, datetime

    from eventstore.database import DatabaseStore
    from eventstore.store import Stream, Write
    from iam.vault import wiring
    from users.domain.events import UserLocked, UserUnlocked

    store: Any = DatabaseStore(apply=lambda new: None, keys=wiring.envelope())

    def push() -> None:
        stream = Stream(INSTANCE, "user", secrets.token_hex(9))
        store.push([Write(stream, 0, (UserLocked(), UserUnlocked()), "org", "", datetime.now(UTC))])

    return push


def _bare_push() -> Callable[[], object]:
    """The same two rows in one INSERT and one transaction, without any of our code, as pgbench would do it."""
    from django.db import connection, transaction

    statement = (
        "INSERT INTO eventstore_events (instance_id, aggregate_type, aggregate_id, version, position, event_type, revision,"
        f" owner, subject, payload, actor, created_at, context, digest) VALUES {_LINE.format(n=1)}, {_LINE.format(n=2)}"
    ).replace("{{}}", "{}")

    def push() -> None:
        id = secrets.token_hex(9)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [id, b"0" * 32, id, b"0" * 32])

    return push


WORK: dict[str, Callable[[], Callable[[], object]]] = {
    "select": _select,
    "hash": _hash,
    "push": _push,
    "bare push": _bare_push,
}
