"""The log over the API: facts of the instance without secrets, followers, and the fact that stops one."""

import json
from datetime import UTC, datetime

import pytest

from iam.access.caller import system_context
from iam.instance import commands as instances
from iam.instance import log_queries
from iam.kernel.errors import PermissionDenied
from orgs import commands as orgs
from projections.models import Checkpoint
from users import commands as users

EVENTS = "/admin/v1/events/_search"
FAILED = "/admin/v1/failedevents"


@pytest.fixture
def other(house):
    """The Context of another instance's system."""
    made = system_context("999999999999999999", base_url="http://other.example")
    instances.add_instance(made, name="Other", domains=("other.example",))
    return made


def names(answer):
    return [one["type"]["type"] for one in answer.json()["events"]]


def test_facts_are_told_newest_first_with_who_did_what_to_which(api, house):
    user = house.person("nora")
    users.lock_user(house.owner, user_id=user)
    found = api.post(EVENTS, {"aggregateId": user}).json()["events"]
    told = names(api.post(EVENTS, {"aggregateId": user}))
    assert told[0] == "user.locked" and told[-1] == "user.human.added"
    assert [int(one["sequence"]) for one in found] == list(range(len(found), 0, -1))
    assert found[0]["editor"]["userId"] == house.owner.actor and found[0]["editor"]["displayName"]
    assert found[0]["aggregate"] == {
        "id": user,
        "type": {"type": "user", "localized": {"key": "AggregateTypes.user", "localizedMessage": "user"}},
        "resourceOwner": house.org,
    }
    assert found[-1]["payload"]["email"] == "nora@example.com"


def test_h10_no_secret_is_told_sealed_or_hashed(api, house):
    user, _ = house.machine("robot")
    made = api.post(f"/v2/users/{user}/secret", {}).json()["clientSecret"]
    house.person("nora", password="Never-To-Be-Told-1")
    text = json.dumps(api.post(EVENTS, {"limit": 1000}).json())
    assert "user.machine.secret.set" in text
    for secret in (made, "argon2", "Never-To-Be-Told-1", "encodedHash", "hashedSecret", "privateKey"):
        assert secret not in text


def test_filters_narrow_and_pages_go_on(api, house):
    user = house.person("nora")
    users.lock_user(house.owner, user_id=user)
    users.unlock_user(house.system, user_id=user)
    assert names(api.post(EVENTS, {"eventTypes": ["user.locked", "user.unlocked"], "asc": True})) == [
        "user.locked",
        "user.unlocked",
    ]
    assert names(api.post(EVENTS, {"eventTypes": ["user.locked"], "editorUserId": house.owner.actor})) == [
        "user.locked"
    ]
    assert set(names(api.post(EVENTS, {"aggregateTypes": ["org"]}))) <= {
        n for n in names(api.post(EVENTS, {})) if n[:3] == "org"
    }
    everything = names(api.post(EVENTS, {"aggregateId": user, "asc": True}))
    first = api.post(EVENTS, {"aggregateId": user, "asc": True, "limit": 2}).json()["events"]
    rest = api.post(EVENTS, {"aggregateId": user, "asc": True, "sequence": first[-1]["sequence"]})
    assert [one["type"]["type"] for one in first] + names(rest) == everything


def test_moments_bound_what_is_told(api, house):
    before = datetime.now(UTC).isoformat()
    user = house.person("nora")
    after = datetime.now(UTC).isoformat()
    mine = {"aggregateId": user}
    made = len(names(api.post(EVENTS, mine)))
    assert len(names(api.post(EVENTS, mine | {"range": {"since": before, "until": after}}))) == made
    assert not api.post(EVENTS, mine | {"range": {"until": before}}).json().get("events")
    assert not api.post(EVENTS, mine | {"asc": True, "from": after}).json().get("events")
    assert len(names(api.post(EVENTS, mine | {"from": after}))) == made
    assert len(names(api.post(EVENTS, mine | {"asc": True, "creationDate": before}))) == made


def test_only_this_instances_facts_and_only_for_who_may_read_them(api, house, other):
    orgs.add_org(other, name="Foreign")
    assert "Foreign" not in json.dumps(api.post(EVENTS, {"limit": 1000}).json())
    _, token = house.machine("robot")
    with pytest.raises(PermissionDenied):
        log_queries.list_followers(house.as_token(token))


def test_types_are_those_that_the_log_can_hold(api):
    types = api.post("/admin/v1/events/types/_search", {}).json()["eventTypes"]
    assert {"user.human.added", "org.added", "user.grant.added"} <= {one["type"] for one in types}
    kinds = api.post("/admin/v1/aggregates/types/_search", {}).json()["aggregateTypes"]
    assert {"user", "org", "project", "usergrant"} <= {one["type"] for one in kinds}


def stopped(instance, position=7):
    Checkpoint.objects.create(
        instance_id=instance,
        projection="hours",
        position=position - 1,
        changed_at=datetime.now(UTC),
        failed_position=position,
        failed_fact="user.locked",
        error="ValueError: no",
        failures=3,
        retry_at=datetime.max.replace(tzinfo=UTC),
    )


def test_row_47_followers_and_the_fact_that_stops_one_are_told(api, house, other):
    assert "hours" in {one["viewName"] for one in api.post("/admin/v1/views/_search", {}).json()["result"]}
    assert not api.post(f"{FAILED}/_search", {}).json().get("result")
    stopped(house.instance)
    stopped(other.instance, 9)
    assert api.post(f"{FAILED}/_search", {}).json()["result"] == [
        {
            "database": "projections",
            "viewName": "hours",
            "failedSequence": "7",
            "failureCount": "3",
            "errorMessage": "ValueError: no",
        }
    ]


def test_a_failure_is_forgotten_and_the_fact_tried_again_not_skipped(api, house):
    stopped(house.instance)
    assert api.delete(f"{FAILED}/projections/hours/8").status_code == 404
    assert api.delete(f"{FAILED}/projections/hours/7").status_code == 200
    row = Checkpoint.objects.get(instance_id=house.instance, projection="hours")
    assert (row.position, row.error, row.retry_at) == (6, "", None)
    assert api.delete(f"{FAILED}/projections/hours/7").status_code == 404
