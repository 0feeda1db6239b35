"""The phases as the commands call them."""

import sys

from django.conf import settings
from django.db import connections

from iam.setup import phases
from iam.vault import wiring


def init() -> None:
    """Create user and database on PostgreSQL; nothing to do for SQLite."""
    if settings.CONFIG.embedded or settings.CONFIG.Database.Postgres.DSN:
        return
    from iam.setup.provision import provision

    provision(settings.CONFIG.Database.Postgres)


def setup() -> None:
    """Migrate and make the first instance."""
    phases.setup()


def serve() -> None:
    """Serve, unless the database is not ready for this program."""
    from iam.server import serve as run

    settings.MASTER_KEYS()
    if problem := phases.problem_before_start():
        sys.stderr.write(problem + "\n")
        raise SystemExit(1)
    let_go()
    run(settings.CONFIG)


def let_go() -> None:
    """Close what must not cross the fork into web processes: connections, and threads that would be missing there."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    for made in (wiring.store, wiring.ports, wiring.envelope):
        made.cache_clear()
