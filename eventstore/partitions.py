"""The activity table by month, on PostgreSQL: partitions are made ahead, so retention is dropping one (DESIGN §4)."""

import itertools
import logging
from datetime import UTC, datetime

from django.db import DatabaseError, connection, transaction

from eventstore.engines import is_postgres

AHEAD = 3
PREFIX = "eventstore_activity_"
log = logging.getLogger(__name__)


def make_partitions() -> None:
    """Make the partitions of this month and the next ones. SQLite has one table."""
    if not is_postgres():
        return
    now = datetime.now(UTC)
    months = [_month(now, ahead) for ahead in range(AHEAD + 1)]
    there = set(partitions())
    for start, end in itertools.pairwise(months):
        if (name := f"{PREFIX}{start:%Y_%m}") not in there:
            _make(name, start, end)


def partitions() -> list[str]:
    """The names of all partitions, oldest first, and the one for all other months."""
    if not is_postgres():
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT relid::text FROM pg_partition_tree('eventstore_activity') WHERE isleaf ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def _month(now: datetime, ahead: int) -> datetime:
    number = now.year * 12 + now.month - 1 + ahead
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def month_after(start: datetime) -> datetime:
    """The first moment after a month."""
    return _month(start, 1)


def _make(name: str, start: datetime, end: datetime) -> None:
    """One partition. Rows that already lie in the partition for all other months keep the month there."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF eventstore_activity"
                f" FOR VALUES FROM ('{start:%Y-%m-%d}') TO ('{end:%Y-%m-%d}')"
            )
    except DatabaseError as refused:
        log.warning("%s is not made: %s", name, str(refused).splitlines()[0])
