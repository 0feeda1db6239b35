"""Facts by position, for whoever replays or follows the log."""

from collections.abc import Iterator

from django.db import connection

from eventstore.database import DatabaseStore
from eventstore.models import EventRow
from eventstore.store import Recorded

CHUNK = 500


def facts_after(store: DatabaseStore, position: int) -> Iterator[Recorded]:
    """Every fact after a position, in order."""
    while True:
        found = store.open(EventRow.objects.filter(position__gt=position).order_by("position")[:CHUNK])
        if not found:
            return
        yield from found
        position = found[-1].position


def hold_still() -> None:
    """Keep others from appending until this transaction ends; SQLite's immediate transaction does so anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE eventstore_events IN SHARE MODE")
