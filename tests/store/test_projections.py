"""Followers one step at a time: the gap rule, stop-not-skip, checkpoints per instance, lag, waking."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from eventstore.engines import is_postgres
from eventstore.partitions import PREFIX, make_partitions, partitions
from eventstore.store import Stream, Write
from iam.followers import Messenger
from iam.vault import wiring
from projections import wake
from projections.follower import BATCH, follow_all
from projections.horizon import Gap, Settled, advance, settle
from projections.lag import lag_of
from projections.models import Checkpoint, Horizon, HourRow
from projections.projection import CELERY, Projection, _registered, listeners_for, on, projections
from projections.runner import run_until_done
from tests.store.test_contract import Named

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("found", "gap", "oldest", "expected"),
    [
        ([], None, 0, Settled(4, False)),
        ([5, 6, 7], None, 0, Settled(7, False)),
        ([5, 7], None, 0, Settled(5, True)),
        ([5, 7], Gap(7, 100), 99, Settled(5, True)),
        ([5, 7], Gap(7, 100), 100, Settled(7, False)),
        ([5, 7, 9], Gap(7, 100), 100, Settled(7, True)),
        ([5, 8], Gap(7, 100), 100, Settled(5, True)),
    ],
    ids=["nothing", "no gap", "new gap", "open gap", "settled gap", "gap behind it", "row behind what was noted"],
)
def test_the_horizon_passes_a_gap_when_all_who_could_fill_it_have_ended(found, gap, oldest, expected):
    assert settle(4, found, gap, oldest) == expected


@pytest.fixture
def fragile():
    """A follower that cannot handle facts with the colour red."""

    class Fragile(Projection):
        name = "fragile"
        tables = ()
        mode = CELERY
        fed: list[str] = []  # noqa: RUF012 - emptied below
        heals = False

        @on(Named)
        def feed(self, at, fact):
            if fact.colour == "red" and not Fragile.heals:
                raise ValueError("cannot see red\nDETAIL: something personal")
            Fragile.fed.append(f"{at.stream.instance}/{fact.colour}")

    Fragile.fed.clear()
    yield Fragile
    del _registered["fragile"]
    listeners_for.cache_clear()


def push(*colours, instance="tenant", id="1"):
    store, stream = wiring.store(), Stream(instance, "user", id)
    past = store.read(stream)
    facts = tuple(Named(colour=colour) for colour in colours)
    store.push([Write(stream, len(past), facts, "org", "7", NOW, past[-1].digest if past else b"")])


def settle_all():
    """Rolled-back tests leave holes in the sequence: start behind them."""
    from eventstore.reading import last_position

    Horizon.objects.update_or_create(id=1, defaults={"position": last_position(), "waiting_for": 0})


@pytest.fixture
def settled(db):
    wiring.store().persons._kept.clear()
    wiring.envelope().forget()
    push("first", instance="before")
    settle_all()


def checkpoint(instance="tenant"):
    return Checkpoint.objects.get(instance_id=instance, projection="fragile")


def test_a_fact_that_fails_stops_its_instance_and_is_not_skipped(settled, fragile):
    push("blue", "red", "green")
    push("white", instance="other")
    run_until_done(wiring.store())
    assert set(fragile.fed) == {"other/white", "tenant/blue"}
    stopped = checkpoint()
    assert (stopped.failed_fact, stopped.error, stopped.failures) == ("test.named", "ValueError: cannot see red", 1)
    assert stopped.failed_position == stopped.position + 1
    assert stopped.retry_at > datetime.now(UTC)


def test_the_pause_before_the_next_try_doubles_and_a_repaired_follower_goes_on(settled, fragile):
    push("red", "green")
    for failures in (1, 2, 3):
        Checkpoint.objects.update(retry_at=datetime.now(UTC) - timedelta(seconds=1))
        run_until_done(wiring.store())
        assert checkpoint().failures == failures
        pause = (checkpoint().retry_at - datetime.now(UTC)).total_seconds()
        assert 2**failures - 1 < pause <= 2**failures
    fragile.heals = True
    run_until_done(wiring.store())
    assert fragile.fed == []  # not before its time
    Checkpoint.objects.update(retry_at=datetime.now(UTC) - timedelta(seconds=1))
    run_until_done(wiring.store())
    assert fragile.fed == ["tenant/red", "tenant/green"]
    assert (checkpoint().error, checkpoint().failures, checkpoint().retry_at) == ("", 0, None)


def test_lag_counts_facts_and_seconds_and_tells_the_error(settled, fragile):
    push("red", "green")
    run_until_done(wiring.store())
    lag = {one.projection: one for one in lag_of(["tenant"])}
    assert (lag["hours"].facts, lag["hours"].seconds) == (0, 0)
    assert (lag["fragile"].facts, lag["fragile"].is_stopped) == (2, True)
    assert lag["fragile"].seconds == pytest.approx((datetime.now(UTC) - NOW).total_seconds(), abs=5)


def test_facts_are_fed_in_batches_with_few_statements(settled, django_assert_max_num_queries):
    push(*["blue"] * BATCH)
    advance()
    with django_assert_max_num_queries(1 + 7 * len(projections(CELERY))) as asked:
        assert follow_all(wiring.store())
    reads = [one for one in asked.captured_queries if 'FROM "eventstore_events"' in one["sql"]]
    assert len(reads) == 1, "all followers get the facts that were read for the first"
    assert HourRow.objects.get(instance_id="tenant").facts == BATCH


def test_an_idle_follower_reads_and_writes_nothing_else(settled, django_assert_max_num_queries):
    """The horizon, who has news, and what is due: messages, webhooks and letters asked for without a token, one statement each."""
    run_until_done(wiring.store())
    with django_assert_max_num_queries(8) as asked:
        run_until_done(wiring.store())
    assert not [one for one in asked.captured_queries if not one["sql"].startswith(("SELECT", "(SELECT"))]


def test_a_push_rings_after_its_commit(settled, django_capture_on_commit_callbacks):
    wake.wait(0)
    with django_capture_on_commit_callbacks(execute=True):
        push("blue")
        assert not wake.wait(0)
    assert wake.wait(0)


def test_a_broker_that_is_away_does_not_end_the_messenger():
    import threading

    tries, done = [], threading.Event()

    def send():
        tries.append(1)
        if len(tries) == 1:
            wake.wake()
            raise ConnectionError
        done.set()

    Messenger(send).start()
    wake.wake()
    assert done.wait(10)


def test_the_months_ahead_have_partitions_on_postgresql(db):
    make_partitions()
    names = partitions()
    assert names == [] if not is_postgres() else f"{PREFIX}{datetime.now(UTC):%Y_%m}" in names
    make_partitions()
    assert partitions() == names


def test_the_runner_lives_on_after_any_failure(monkeypatch):
    from projections import runner

    tries, done = [], threading.Event()

    def fail(store, goes_on):
        tries.append(1)
        if len(tries) > 2:
            done.set()
        raise RuntimeError("the vault does not answer")

    monkeypatch.setattr(runner, "run_until_done", fail)
    monkeypatch.setattr(runner, "do_hourly", lambda: None)
    thread = runner.Runner(None, backstop=0.01)
    thread.start()
    assert done.wait(10)
    thread.stop()
    assert not thread.is_alive()


def test_a_follower_that_is_far_behind_stops_between_two_batches(monkeypatch):
    from projections import runner

    looks, some = [], threading.Event()

    def endless(store):
        looks.append(1)
        if len(looks) > 2:
            some.set()
        return True

    monkeypatch.setattr(runner, "follow_all", endless)
    monkeypatch.setattr(runner.horizon, "advance", lambda: False)
    monkeypatch.setattr(runner, "_beside", [])
    monkeypatch.setattr(runner, "do_hourly", lambda: None)
    thread = runner.Runner(None)
    thread.start()
    assert some.wait(10)
    thread.stop()
    assert not thread.is_alive()
