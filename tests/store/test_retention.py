"""Old activity is removed when its time is over; facts never are."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from eventstore.engines import is_postgres
from eventstore.models import ActivityRow, EventRow
from eventstore.partitions import PREFIX, partitions
from eventstore.retention import forget_activity_before
from eventstore.store import Stream, Use
from iam.management.cleaning import forget_old_activity
from tests.store.test_contract import Named

NOW = datetime.now(UTC)


def use(house, at):
    house.system.store.note([Use(Stream(house.instance, "user", "7"), Named(colour="red"), "org", "7", at)])


def kept(house):
    return sorted(ActivityRow.objects.filter(instance_id=house.instance).values_list("created_at", flat=True))


def test_use_older_than_asked_for_is_removed(house):
    facts = EventRow.objects.count()
    old, young = NOW - timedelta(days=500), NOW - timedelta(days=1)
    before = kept(house)
    use(house, old)
    use(house, young)
    forget_activity_before(NOW - timedelta(days=400))
    assert kept(house) == sorted([*before, young])
    assert EventRow.objects.count() == facts


def test_it_cannot_be_removed_by_hand_afterwards_either(house):
    use(house, NOW - timedelta(days=500))
    forget_activity_before(NOW - timedelta(days=400))
    use(house, NOW)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM eventstore_activity")


@pytest.mark.skipif(not is_postgres(), reason="partitions are PostgreSQL's")
def test_whole_months_are_dropped_on_postgresql(house):
    old = f"{PREFIX}2020_01"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {old} PARTITION OF eventstore_activity FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')"
        )
    use(house, datetime(2020, 1, 31, 23, 59, tzinfo=UTC))
    forget_activity_before(datetime(2020, 1, 31, 23, 59, 30, tzinfo=UTC))
    assert old in partitions()
    forget_activity_before(datetime(2020, 2, 1, tzinfo=UTC))
    assert old not in partitions() and not [at for at in kept(house) if at.year == 2020]


@pytest.mark.parametrize(("keep", "stays"), [(timedelta(0), True), (timedelta(days=30), False)])
def test_the_configuration_says_how_long(house, monkeypatch, keep, stays):
    monkeypatch.setattr(settings.CONFIG.Activity, "KeepFor", keep)
    at = NOW - timedelta(days=40)
    use(house, at)
    forget_old_activity()
    assert (at in kept(house)) is stays
