"""Ends the keeping of old activity: whole months on PostgreSQL, rows by age on SQLite (DESIGN §4). Facts are kept."""

import re
from datetime import UTC, datetime

from django.db import connection, transaction

from eventstore.engines import is_postgres, time_value
from eventstore.partitions import PREFIX, month_after, partitions

REST = f"{PREFIX}rest"
TRIGGER = "eventstore_activity_append_only"


def forget_activity_before(before: datetime) -> None:
    """Remove what was used before a time. On PostgreSQL a month goes when its last day lies before."""
    if is_postgres():
        _drop_months(before)
    else:
        _delete_rows(before)


def _drop_months(before: datetime) -> None:
    for name in partitions():
        found = re.fullmatch(rf"{PREFIX}(\d{{4}})_(\d{{2}})", name)
        if found and month_after(datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC)) <= before:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE IF EXISTS {name}")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {REST} WHERE created_at < %s LIMIT 1", [before])  # noqa: S608 - a name of ours
        if cursor.fetchone():  # months before their partition was made
            cursor.execute(f"ALTER TABLE {REST} DISABLE TRIGGER {TRIGGER}")
            cursor.execute(f"DELETE FROM {REST} WHERE created_at < %s", [before])  # noqa: S608 - a name of ours
            cursor.execute(f"ALTER TABLE {REST} ENABLE TRIGGER {TRIGGER}")


def _delete_rows(before: datetime) -> None:
    """The trigger that refuses it is taken away and put back in the same transaction: nobody else sees it missing."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM eventstore_activity WHERE created_at < %s LIMIT 1", [time_value(before)])
        if not cursor.fetchone():
            return
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'eventstore_activity_no_delete'")
        trigger = cursor.fetchone()[0]
        cursor.execute("DROP TRIGGER eventstore_activity_no_delete")
        cursor.execute("DELETE FROM eventstore_activity WHERE created_at < %s", [time_value(before)])
        cursor.execute(trigger)
