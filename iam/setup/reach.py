"""The first connection to PostgreSQL: waited for as configured, and refused with what is wrong and what to do."""

import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection

from iam.settings.tree import PostgresSection

PAUSE_SECONDS = 1.0
CONNECT_SECONDS = 10
LASTING = ("certificate", "authentication failed", "SSL")
"""Parts of messages that no waiting mends."""


def wait_for_database() -> None:
    """Connect once, beside the pool, whose own refusal would only say that time is up. Raises as `persist`."""
    if settings.CONFIG.embedded:
        return
    import psycopg  # only where PostgreSQL is used

    given = {"connect_timeout": CONNECT_SECONDS, **connection.get_connection_params()}
    persist(lambda: psycopg.connect(**given).close())


def persist(action: Callable[[], None]) -> None:
    """Do something with PostgreSQL, again and again for `Database.Postgres.AwaitInitialConn` while it cannot be reached.

    Raises psycopg.OperationalError with the reason.
    """
    import psycopg  # only where PostgreSQL is used

    end = time.monotonic() + settings.CONFIG.Database.Postgres.AwaitInitialConn.total_seconds()
    while True:
        try:
            action()
            return
        except psycopg.OperationalError as refused:
            if time.monotonic() >= end or any(part in str(refused) for part in LASTING):
                raise
            sys.stderr.write(f"waiting for the database: {str(refused).splitlines()[0]}\n")
        time.sleep(PAUSE_SECONDS)


def advice(text: str, postgres: PostgresSection) -> str:
    """What to look at, for refusals that have to do with TLS; empty for others."""
    tls = postgres.User.SSL
    authority = tls.RootCert or postgres.Admin.SSL.RootCert or "not set: the authorities of this system"
    key = "Database.Postgres.User.SSL"
    for part, meaning in (
        ("certificate verify failed", f"its certificate is not signed by {key}.RootCert ({authority})"),
        ("root certificate file", f"{key}.RootCert ({authority}) cannot be read"),
        (
            "does not match host name",
            f"Database.Postgres.Host must be a name that its certificate holds ({postgres.Host})",
        ),
        ("no encryption", f"it wants TLS: set {key}.Mode to verify-full ({tls.Mode} now)"),
        ("does not support SSL", f"it has no TLS, but {key}.Mode is {tls.Mode}"),
    ):
        if part in text:
            return f". {meaning}; for init the same keys under Database.Postgres.Admin.SSL count"
    return ""
