"""Facts per hour, for the chart on the console's first page."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import connection

from eventstore.engines import time_value
from eventstore.events import Event
from eventstore.store import Recorded
from projections.models import HourRow
from projections.projection import CELERY, Projection, on


class Hours(Projection):
    """`projections_hours`."""

    name = "hours"
    tables = (HourRow,)
    mode = CELERY

    @on(Event)
    def count(self, at: Recorded, fact: Event) -> None:
        """One fact more in its hour."""
        self.apply_all([at])

    def apply_all(self, facts: Sequence[Recorded]) -> None:
        """One statement per hour and instance, not one per fact."""
        hours = Counter((fact.stream.instance, _hour(fact.at)) for fact in facts)
        table = HourRow._meta.db_table
        with connection.cursor() as cursor:
            for (instance, hour), count in sorted(hours.items()):
                cursor.execute(
                    f'INSERT INTO "{table}" (instance_id, hour, facts) VALUES (%s, %s, %s)'  # noqa: S608 - our table
                    f' ON CONFLICT (instance_id, hour) DO UPDATE SET facts = "{table}".facts + excluded.facts',
                    [instance, time_value(hour), count],
                )


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def facts_per_hour(instance: str, since: datetime) -> dict[datetime, int]:
    """Counts of the hours since a time; hours without facts are left out."""
    rows = HourRow.objects.filter(instance_id=instance, hour__gte=_hour(since))
    return dict(rows.values_list("hour", "facts"))
