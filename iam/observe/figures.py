"""Gauges of the process and of the database that need no other room."""

from collections.abc import Iterable
from pathlib import Path

from django.db import DatabaseError, connection

from eventstore import replica
from iam.observe import meter
from iam.observe.meter import Reading, measures_database, measures_process

SERVER = "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity WHERE backend_type = 'client backend'"


@measures_process
def process() -> Iterable[Reading]:
    """Memory and threads, as Linux tells them."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    told = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    yield "gatehouse_process_resident_bytes", {}, float(told["VmRSS"].split()[0]) * 1024
    yield "gatehouse_process_threads", {}, float(told["Threads"])


def web_process() -> Iterable[Reading]:
    """One more; declared by web processes only."""
    yield "gatehouse_web_processes", {}, 1


def list_read(went: str) -> None:
    """A list, and where it was read."""
    meter.add("gatehouse_replica_lists_total", went=went)


replica.watchers.append(list_read)


@measures_process
def pool() -> Iterable[Reading]:
    """The connections of this process."""
    pool = getattr(connection, "pool", None)
    if pool is not None:
        stats = pool.get_stats()
        yield "gatehouse_postgres_connections_in_use", {}, stats["pool_size"] - stats["pool_available"]
        yield "gatehouse_postgres_connections_max", {}, stats["pool_max"]


@measures_database
def server() -> Iterable[Reading]:
    """Whether the database answers, and how many connections everybody has to it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(SERVER if connection.vendor == "postgresql" else "SELECT 0, 0")
            used, most = cursor.fetchone()
    except DatabaseError:
        return [("gatehouse_database_up", {}, 0)]
    if connection.vendor != "postgresql":
        return [("gatehouse_database_up", {}, 1)]
    return [
        ("gatehouse_database_up", {}, 1),
        ("gatehouse_postgres_server_connections", {}, used),
        ("gatehouse_postgres_server_connections_max", {}, most),
    ]
