"""The phases as the commands call them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError, connections

from iam.setup import lock, phases, reach
from iam.vault import wiring


@contextmanager
def readable() -> Iterator[None]:
    """A database that cannot be reached ends the process with one line that names it, not with a traceback."""
    try:
        yield
    except (OperationalError, *_driver_errors()) as failure:
        postgres = settings.CONFIG.Database.Postgres
        where = "Database.Postgres.DSN" if postgres.DSN else f"{postgres.Host}:{postgres.Port}"
        where = str(settings.DATABASES["default"]["NAME"]) if settings.CONFIG.embedded else where
        lines = "; ".join(str(failure).splitlines())
        sys.stderr.write(f"the database at {where} does not do it: {lines}{reach.advice(lines, postgres)}\n")
        raise SystemExit(1) from failure


def _driver_errors() -> tuple[type[Exception], ...]:
    """What the driver raises where Django is not between."""
    if settings.CONFIG.embedded:
        return ()
    from psycopg import OperationalError as Unreachable  # only where PostgreSQL is used

    return (Unreachable,)


@readable()
def init(*parts: str) -> None:
    """Create user and database on PostgreSQL, or only some parts of that; nothing to do for SQLite."""
    if settings.CONFIG.embedded:
        return
    from iam.setup.provision import PARTS, provision  # the driver is there only where PostgreSQL is used

    reach.persist(lambda: provision(settings.CONFIG.Database.Postgres, parts or PARTS))


@readable()
def setup() -> None:
    """Migrate and make the first instance."""
    reach.wait_for_database()
    phases.setup()


@readable()
def plan() -> list[str]:
    """What `setup` would do."""
    return phases.plan()


@readable()
def release_lock() -> str:
    """Free the lock of a dead set-up."""
    return lock.release()


def serve() -> None:
    """Serve, unless the database is not ready for this program."""
    from iam.server import serve as run

    settings.MASTER_KEYS()
    check_tls()
    with readable():
        reach.wait_for_database()
        problem = phases.problem_before_start()
    phases.refuse_if(problem)
    let_go()
    run(settings.CONFIG)


def check_tls() -> None:
    """End with one line when TLS of the process is asked for and cannot be served."""
    if not settings.CONFIG.TLS.Enabled:
        return
    from iam import tls  # what only serving needs

    try:
        tls.pem_files(settings.CONFIG.TLS)
    except tls.BadTLS as wrong:
        sys.stderr.write(f"TLS: {wrong}\n")
        raise SystemExit(1) from wrong


def need_broker() -> None:
    """Workers and their clock talk through Redis; raises CommandError without it."""
    if not settings.CONFIG.Caches.Connectors.Redis.Enabled:
        raise CommandError("workers need Caches.Connectors.Redis.Enabled; without it web processes follow the log")


def let_go() -> None:
    """Close what must not cross the fork into web processes: connections, and threads that would be missing there."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    for made in (wiring.store, wiring.ports, wiring.envelope):
        made.cache_clear()
