"""From a target to a signed call: the whole way in one process, with a real receiver."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from eventstore.reading import last_position
from eventstore.store import IMPORTED, Origin
from iam.access.caller import system_context
from iam.actions import keeping, sending
from iam.actions.models import FAILED, QUEUED, SENT, Delivery, RouteRow, TargetRow
from iam.actions.signing import signature
from iam.instance import commands as instances
from iam.outgoing import Outgoing
from iam.vault import wiring
from projections import runner
from projections.follower import follow
from projections.models import Checkpoint
from projections.projection import projection
from tests.actions.conftest import TARGETS
from tests.actions.receiver import check
from users import commands as users
from users.commands import erase_user


def test_a_new_user_is_told_to_the_target_in_the_words_of_the_reference(house, receiver, target, on, post):
    on({"event": "user.human.added"}, target)
    id = house.person()
    post.deliver()
    assert receiver.wrong == []
    (body,) = receiver.bodies
    assert datetime.fromisoformat(body.pop("created_at")).tzinfo is UTC
    assert body == {
        "aggregateID": id,
        "aggregateType": "user",
        "resourceOwner": house.org,
        "instanceID": house.instance,
        "version": "v2",
        "sequence": 1,
        "event_type": "user.human.added",
        "userID": house.system.actor,
        "event_payload": {
            "organizationScoped": False,
            "withDomain": False,
        },  # beside the reference's: how the name is unique
    }
    assert post.states() == [SENT]


def test_a_follower_that_is_new_in_an_old_house_reads_from_the_first_execution_on(house, target, on):
    asked = []

    def read(position, head, instance):
        asked.append((position, head, instance))
        return []

    before = last_position()
    follow(read, projection("webhooks"), house.instance, before)
    assert (Checkpoint.objects.get().position, asked) == (before, [])
    on({"all": True}, target)
    house.person("later")
    Checkpoint.objects.all().delete()
    follow(read, projection("webhooks"), house.instance, last_position())
    assert asked == [(RouteRow.objects.get().since, last_position(), house.instance)]
    assert before < RouteRow.objects.get().since < last_position()


def test_t11_neither_secrets_nor_personal_data_leave(house, api, receiver, target, on, post):
    on({"all": True}, target)
    robot, _ = house.machine("robot")
    secret = api.post(f"/v2/users/{robot}/secret", {}).json()["clientSecret"]
    house.person("planted-name", password="Never-To-Be-Told-1")
    other = api.post(TARGETS, {"name": "other", "endpoint": receiver.url, "restAsync": {}}).json()
    on({"group": "org"}, target)
    post.deliver()
    told = {body["event_type"] for body in receiver.bodies}
    assert {"user.machine.secret.set", "user.human.added", "target.added", "execution.v2.set"} <= told
    text = json.dumps(receiver.bodies)
    for planted in ("planted-name", "Gigi", "Never-To-Be-Told-1", "argon2", secret, "hashedSecret", "signingKey"):
        assert planted not in text
    assert other["signingKey"] not in text and "v1.targets-" not in text


def test_what_waits_holds_nothing_of_an_erased_person(house, receiver, target, on, post):
    on({"group": "user"}, target)
    id = house.person("planted-name")
    post.note()
    erase_user(house.system, user_id=id)
    columns = {field.column for field in Delivery._meta.concrete_fields}
    assert columns == {"instance_id", "target_id", "position", "id", "state", "tries", "try_at", "noted_at"}
    post.deliver()
    assert receiver.wrong == [] and "planted-name" not in json.dumps(receiver.bodies)
    assert [body["event_type"] for body in receiver.bodies][-1].startswith("user.")


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ({"event": "user.locked"}, {"user.locked"}),
        ({"group": "user"}, {"user.locked", "user.unlocked"}),
        ({"group": "org"}, set()),
        ({"all": True}, {"user.locked", "user.unlocked"}),
    ],
)
def test_a_type_a_group_or_everything(house, receiver, target, on, post, condition, told):
    id = house.person()
    on(condition, target)
    users.lock_user(house.system, user_id=id)
    users.unlock_user(house.system, user_id=id)
    post.deliver()
    assert {body["event_type"] for body in receiver.bodies if body["aggregateID"] == id} == told
    assert receiver.wrong == []


def test_a_fact_that_meets_several_conditions_is_told_to_a_target_once(house, receiver, target, on, post):
    on({"event": "user.locked"}, target)
    on({"group": "user"}, target)
    id = house.person()
    users.lock_user(house.system, user_id=id)
    post.deliver()
    post.deliver()  # a follower that is fed everything again notes nothing twice
    assert [body["event_type"] for body in receiver.bodies].count("user.locked") == 1
    ids = [headers["Gatehouse-Delivery"] for headers in receiver.headers]
    assert len(set(ids)) == len(ids)


def test_facts_go_to_those_who_were_targets_when_they_happened(house, api, receiver, target, on, post):
    """The follower may come late: what was set meanwhile counts from its own place in the log on."""
    early, between, late = house.person("early"), None, None
    on({"event": "user.human.added"}, target)
    between = house.person("between")
    other = api.post(TARGETS, {"name": "other", "endpoint": receiver.url, "restAsync": {}}).json()
    receiver.keys.append(other["signingKey"])
    on({"event": "user.human.added"}, other["id"])
    late = house.person("late")
    on({"event": "user.human.added"})
    house.person("after")
    post.note()
    rows = Delivery.objects.filter(instance_id=house.instance).order_by("position").values_list("target_id", flat=True)
    assert list(rows) == [target, other["id"]]
    post.send()
    assert [body["aggregateID"] for body in receiver.bodies] == [between, late] and early


def test_what_came_out_of_an_archive_is_no_news(house, receiver, target, on, post):
    on({"all": True}, target)
    taken_in = replace(house.system, origin=Origin(on_behalf_of=f"{IMPORTED}1"))
    id = house.person()
    users.lock_user(taken_in, user_id=id)
    users.unlock_user(house.system, user_id=id)
    post.deliver()
    told = [body["event_type"] for body in receiver.bodies if body["aggregateID"] == id]
    assert "user.unlocked" in told and "user.locked" not in told


def test_being_told_of_everything_is_a_finite_story(house, api, receiver, target, on, post):
    """No call makes a fact, so the facts about targets and executions are told like others, and that is all."""
    on({"all": True}, target)
    api.put(f"{TARGETS}/none", {})
    assert api.post(f"{TARGETS}/{target}", {"name": "renamed"}).status_code == 200
    for _ in range(3):
        post.deliver()
    assert [body["event_type"] for body in receiver.bodies] == ["target.changed"]


def test_s07_both_keys_sign_until_the_overlap_is_over(house, api, receiver, target, on, post, settings):
    on({"event": "user.human.added"}, target)
    first = receiver.keys[0]
    second = api.post(f"{TARGETS}/{target}", {"expirationSigningKey": "0s"}).json()["signingKey"]
    assert second != first and len(second) == len(first) == 48
    house.person("a")
    post.deliver()
    receiver.keys[:] = [second]
    house.person("b")
    post.deliver()
    assert receiver.wrong == [] and len(receiver.bodies) == 2
    assert [one["ZITADEL-Signature"].count("v1=") for one in receiver.headers] == [2, 2]
    TargetRow.objects.update(previous_until=datetime.now(UTC) - timedelta(seconds=1))
    house.person("c")
    post.deliver()
    assert receiver.headers[-1]["ZITADEL-Signature"].count("v1=") == 1 and receiver.wrong == []
    settings.CONFIG = settings.CONFIG.model_copy(deep=True)
    settings.CONFIG.Executions.SigningKeyOverlap = timedelta(0)
    api.post(f"{TARGETS}/{target}", {"expirationSigningKey": "0s"})
    house.person("d")
    post.deliver()
    assert len(receiver.wrong) == 1, "without an overlap the key of before signs no more"


def test_s07_the_third_key_makes_the_first_one_silent(house, api, receiver, target, on, post):
    on({"event": "user.human.added"}, target)
    for _ in range(2):
        receiver.keys.append(api.post(f"{TARGETS}/{target}", {"expirationSigningKey": "0s"}).json()["signingKey"])
    house.person()
    receiver.keys[:] = receiver.keys[:1]
    post.deliver()
    assert len(receiver.wrong) == 1


def test_s07_a_signature_tells_its_time_and_fits_one_body_only():
    body, at = b'{"a":1}', datetime(2026, 1, 1, tzinfo=UTC)
    header = signature(["old", "new"], body, at)
    for key in ("old", "new"):
        check(header, body, [key], at.timestamp() + 299)
    for wrong in ((header, body + b" ", ["old"], at.timestamp()), (header, body, ["other"], at.timestamp())):
        with pytest.raises(AssertionError, match="no key"):
            check(*wrong)
    with pytest.raises(AssertionError, match="too old"):
        check(header, body, ["old"], at.timestamp() + 301)


def test_s07_a_receiver_that_fails_is_tried_again_with_the_same_id_and_body(house, receiver, target, on, post):
    receiver.statuses = [500, 302, 404]
    on({"event": "user.human.added"}, target)
    house.person()
    post.note()
    for tries in range(1, 5):
        post.due()
        post.send()
        row = Delivery.objects.get()
        assert row.tries == tries and row.state == (QUEUED if tries < 4 else SENT)
        assert len(receiver.bodies) == tries
        pause = row.try_at - datetime.now(UTC)
        assert row.state == SENT or timedelta(seconds=4 * 2**tries) < pause <= timedelta(seconds=5 * 2**tries)
    assert len({one["Gatehouse-Delivery"] for one in receiver.headers}) == 1
    assert all(body == receiver.bodies[0] for body in receiver.bodies)


def test_s07_the_others_wait_with_the_one_that_failed_and_go_as_soon_as_one_was_taken(
    house, receiver, target, on, post
):
    receiver.statuses = [503]
    on({"event": "user.human.added"}, target)
    for name in ("a", "b", "c"):
        house.person(name)
    post.deliver()
    assert len(receiver.bodies) == 1, "one call tells that the receiver is away"
    assert post.states() == [QUEUED] * 3
    row = Delivery.objects.order_by("position").first()
    Delivery.objects.filter(position=row.position).update(try_at=datetime.now(UTC))
    post.send()
    assert post.states() == [SENT] * 3 and len(receiver.bodies) == 4


def test_s07_tries_end_and_what_was_given_up_is_sent_again_by_hand(house, receiver, target, on, post, capsys):
    on({"event": "user.human.added"}, target)
    house.person()
    post.note()
    Delivery.objects.update(tries=sending.MOST_TRIES - 1)
    receiver.statuses = [500]
    post.send()
    assert post.states() == [FAILED]
    post.due()
    post.send()
    assert len(receiver.bodies) == 1
    call_command("redeliver", house.instance, target="none")
    assert "0 webhooks" in capsys.readouterr().out
    call_command("redeliver", house.instance)
    assert "1 webhooks" in capsys.readouterr().out
    post.send()
    assert post.states() == [SENT] and receiver.bodies[0] == receiver.bodies[1]
    assert receiver.headers[0]["Gatehouse-Delivery"] == receiver.headers[1]["Gatehouse-Delivery"]


def test_s07_a_receiver_that_is_gone_is_not_tried_again(house, receiver, target, on, post):
    receiver.statuses = [410]
    on({"event": "user.human.added"}, target)
    house.person()
    post.deliver()
    assert post.states() == [FAILED]


def test_s07_what_waited_for_days_is_given_up(house, receiver, target, on, post):
    on({"event": "user.human.added"}, target)
    house.person("a")
    house.person("b")
    post.note()
    Delivery.objects.update(noted_at=datetime.now(UTC) - sending.OLDEST - timedelta(seconds=1))
    receiver.statuses = [500]
    post.send()
    assert post.states() == [FAILED, FAILED] and len(receiver.bodies) == 1


def test_the_waits_together_outlast_a_day():
    pauses = [min(5 * 2**tries, runner.LONGEST_PAUSE) for tries in range(1, sending.MOST_TRIES)]
    assert timedelta(hours=24) < timedelta(seconds=sum(pauses)) < sending.OLDEST


def test_calls_are_leased_so_that_two_processes_do_not_make_them(house, receiver, target, on, post):
    on({"event": "user.human.added"}, target)
    for name in ("a", "b", "c"):
        house.person(name)
    post.note()
    rows = Delivery.objects.filter(instance_id=house.instance, target_id=target, state=QUEUED)
    mine = sending.leased(rows, timedelta(seconds=5))
    assert len(mine) == 3 and sending.leased(rows, timedelta(seconds=5)) == []
    post.send()
    assert receiver.bodies == [], "they are being called by whoever holds the lease"
    post.due()  # who died: the lease ends
    post.send()
    assert post.states() == [SENT] * 3


@pytest.mark.parametrize("broken", ["facts_at", "keys_of"])
def test_what_cannot_be_made_is_tried_again_like_what_is_not_taken(
    house, receiver, target, on, post, monkeypatch, broken
):
    on({"event": "user.human.added"}, target)
    house.person()
    post.note()

    def breaks(*_):
        raise LookupError("a fact of tomorrow")

    with monkeypatch.context() as patched:
        patched.setattr(sending, broken, breaks)
        post.send()
    row = Delivery.objects.get()
    assert (row.state, row.tries, receiver.bodies) == (QUEUED, 1, [])
    post.due()
    post.send()
    assert post.states() == [SENT] and receiver.wrong == []


def test_many_are_told_in_the_order_of_the_log(house, receiver, target, on, post):
    on({"group": "user"}, target)
    ids = [house.person(f"u{number}") for number in range(sending.AT_ONCE + 2)]
    post.deliver()
    added = [body["aggregateID"] for body in receiver.bodies if body["event_type"] == "user.human.added"]
    assert added == ids and receiver.wrong == []


def test_a_receiver_that_is_slow_lets_others_have_their_turn(house, api, receiver, target, on, post, monkeypatch):
    monkeypatch.setattr(sending, "SECONDS_IN_A_ROW", 0)
    on({"event": "user.human.added"}, target)
    for name in ("a", "b"):
        house.person(name)
    post.note()
    assert sending.send_next()
    assert post.states() == [SENT, QUEUED] and Delivery.objects.get(state=QUEUED).tries == 0
    assert sending.send_next() and post.states() == [SENT, SENT]


def test_a_removed_target_and_a_removed_instance_are_told_nothing(house, api, receiver, target, on, post):
    on({"all": True}, target)
    house.person()
    post.note()
    assert api.delete(f"{TARGETS}/{target}").status_code == 200
    post.deliver()
    assert receiver.bodies == [] and not Delivery.objects.exists()
    assert not RouteRow.objects.filter(until=None).exists()


def test_an_instance_that_is_removed_takes_its_targets_along(house, receiver, lets_in, api):
    ctx = system_context("999999999999999999", base_url="http://other.example")
    instances.add_instance(ctx, name="Other", domains=("other.example",))
    from iam.actions.commands import add_target, set_execution
    from iam.actions.domain.execution import Condition
    from iam.actions.domain.target import TargetValues

    made = add_target(ctx, values=TargetValues(name="crm", endpoint=receiver.url))
    set_execution(ctx, condition=Condition("all"), targets=(made.receipt.id,))
    instances.remove_instance(ctx, instance_id=ctx.instance)
    assert not TargetRow.objects.filter(instance_id=ctx.instance).exists()
    assert not RouteRow.objects.filter(instance_id=ctx.instance).exists()


def test_old_rows_are_cleared_out(house, receiver, target, on, post):
    on({"event": "user.human.added"}, target)
    for name in ("a", "b", "c"):
        house.person(name)
    post.note()
    one, two, _ = Delivery.objects.order_by("position").values_list("position", flat=True)
    Delivery.objects.filter(position=one).update(state=SENT)
    Delivery.objects.filter(position=two).update(state=FAILED)
    Delivery.objects.update(noted_at=datetime.now(UTC) - timedelta(days=2))
    keeping.forget_old_deliveries()
    assert post.states() == [FAILED, QUEUED]
    assert {labels["state"]: value for _, labels, value in keeping.waiting()} == {"queued": 1, "failed": 1}


def test_a_fact_costs_two_statements_and_none_of_them_grows_with_the_batch(
    house, receiver, target, on, django_assert_num_queries
):
    from eventstore.portable import facts_of_instance

    on({"all": True}, target)
    for name in ("a", "b", "c"):
        house.person(name)
    facts = list(facts_of_instance(wiring.store(), house.instance))
    with django_assert_num_queries(2):
        projection("webhooks").apply_all(facts)


def test_while_something_is_due_senders_are_at_work_beside_the_followers(
    house, receiver, target, on, post, monkeypatch
):
    """The followers start them and go on; without anything due there are none."""
    started = []

    class Sender:
        def __init__(self, **_):
            pass

        def start(self):
            started.append(self)

        def is_alive(self):
            return True

    monkeypatch.setattr(sending.threading, "Thread", Sender)
    monkeypatch.setattr(sending, "_senders", set())
    assert sending.send_what_waits in runner._beside
    assert sending.send_what_waits() is False and started == []
    on({"event": "user.human.added"}, target)
    house.person()
    post.note()
    for _ in range(5):
        sending.send_what_waits()
    assert len(started) == 2, "as many as are configured, no more"


@pytest.fixture
def lets_nobody_in(monkeypatch):
    """The product's own client, as it is configured without a word of the operator."""
    ports = replace(wiring.ports(), outside=Outgoing())
    monkeypatch.setattr(wiring, "ports", lambda: ports)


def test_s01_an_address_that_became_an_inner_one_is_not_called(house, receiver, target, on, post, lets_nobody_in):
    on({"event": "user.human.added"}, target)
    house.person()
    post.deliver()
    assert post.states() == [QUEUED] and (receiver.bodies, receiver.wrong) == ([], [])


def test_s01_s04_an_endpoint_that_came_into_the_table_otherwise_is_looked_at_again(house, receiver, target, on, post):
    on({"event": "user.human.added"}, target)
    house.person()
    TargetRow.objects.update(endpoint=receiver.url.replace("https://", "http://"))
    post.deliver()
    assert post.states() == [QUEUED] and (receiver.bodies, receiver.wrong) == ([], [])


def test_s05_a_receiver_that_is_slow_is_left_when_the_targets_time_is_over(house, api, receiver, target, on, post):
    assert api.post(f"{TARGETS}/{target}", {"timeout": "0.2s"}).status_code == 200
    receiver.seconds = 1.0
    on({"event": "user.human.added"}, target)
    house.person()
    post.deliver()
    assert post.states() == [QUEUED]


def test_s05_the_servers_own_time_counts_where_the_target_asks_for_more(house, receiver, target, on, post, settings):
    settings.CONFIG = settings.CONFIG.model_copy(deep=True)
    settings.CONFIG.HTTPClient.Timeout = timedelta(milliseconds=200)
    receiver.seconds = 1.0
    on({"event": "user.human.added"}, target)
    house.person()
    post.deliver()
    assert post.states() == [QUEUED]


def test_s03_redirects_of_a_receiver_are_not_followed(house, receiver, target, on, post):
    receiver.statuses, receiver.redirect = [307], receiver.url
    on({"event": "user.human.added"}, target)
    house.person()
    post.deliver()
    assert len(receiver.bodies) == 1 and post.states() == [QUEUED]


def test_s06_nobody_is_told_what_a_receiver_answered(house, api, receiver, target, on, post):
    receiver.statuses = [500]
    on({"all": True}, target)
    house.person()
    post.deliver()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM actions_deliveries")
        kept = repr(cursor.fetchall())
    assert "inner service" not in kept  # nor has the table a column for a status
    told = api.get(f"{TARGETS}/{target}").json()["target"]
    assert set(told) == {
        "id",
        "creationDate",
        "changeDate",
        "name",
        "restWebhook",
        "timeout",
        "endpoint",
        "signingKey",
        "payloadType",
    }


def test_s09_proxies_of_the_environment_are_not_asked(house, receiver, target, on, post, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    on({"event": "user.human.added"}, target)
    house.person()
    post.deliver()
    assert post.states() == [SENT]
