"""zitadel.action.v2.ActionService over REST: targets, executions, and who may see a key."""

import json

import pytest

from eventstore.models import EventRow
from iam.access.caller import system_context
from iam.actions import commands, queries
from iam.actions.domain.execution import Condition
from iam.actions.models import TargetRow
from iam.instance import commands as instances
from iam.kernel.errors import NotFound
from iam.vault import wiring
from projections.projection import IMMEDIATE, projections
from projections.rebuild import rebuild
from tests.actions.conftest import EXECUTIONS, TARGETS
from tests.conftest import Api

URL = "https://hooks.example.com/a"
WEBHOOK = {"name": "crm", "endpoint": URL, "restWebhook": {"interruptOnError": True}, "timeout": "10s"}


@pytest.fixture
def targets(api):
    """Three of them, by name."""
    kinds = {"crm": {"restWebhook": {"interruptOnError": True}}, "erp": {"restCall": {}}, "log": {"restAsync": {}}}
    made = {}
    for number, (name, kind) in enumerate(kinds.items(), start=1):
        body = {"name": name, "endpoint": f"https://{name}.example.com", "timeout": f"{10 - number}s", **kind}
        made[name] = api.post(TARGETS, body).json()["id"]
    return made


def read(api, id):
    return api.get(f"{TARGETS}/{id}").json()["target"]


def names(api, **asked):
    return [one["name"] for one in api.post(f"{TARGETS}/search", asked).json().get("targets", [])]


def test_a_target_is_made_read_changed_and_removed(api):
    made = api.post(TARGETS, WEBHOOK).json()
    shown = read(api, made["id"])
    assert shown.pop("creationDate") == made["creationDate"] == shown.pop("changeDate")
    assert shown == {
        "id": made["id"],
        "name": "crm",
        "restWebhook": {"interruptOnError": True},
        "timeout": "10s",
        "endpoint": URL,
        "signingKey": made["signingKey"],
        "payloadType": "PAYLOAD_TYPE_JSON",
    }
    changed = api.post(f"{TARGETS}/{made['id']}", {"name": "erp", "restAsync": {}, "timeout": "1.5s"}).json()
    assert "signingKey" not in changed
    shown = read(api, made["id"])
    assert (shown["name"], shown["restAsync"], shown["timeout"], shown["endpoint"]) == ("erp", {}, "1.500s", URL)
    assert shown["signingKey"] == made["signingKey"] and shown["changeDate"] == changed["changeDate"]
    assert api.delete(f"{TARGETS}/{made['id']}").json()["deletionDate"]
    for answer in (
        api.get(f"{TARGETS}/{made['id']}"),
        api.post(f"{TARGETS}/{made['id']}", {"name": "x"}),
        api.delete(f"{TARGETS}/{made['id']}"),
    ):
        assert answer.status_code == 404 and "ACTION-t4rg0" in answer.json()["message"]


def test_a_name_exists_once(api, targets):
    assert api.post(TARGETS, {**WEBHOOK, "name": "CRM"}).status_code == 409
    assert api.post(f"{TARGETS}/{targets['erp']}", {"name": "crm"}).status_code == 409
    api.delete(f"{TARGETS}/{targets['crm']}")
    assert api.post(TARGETS, WEBHOOK).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "id"),
    [
        ({"endpoint": "http://hooks.example.com"}, 400, "ACTION-t4rg4"),
        ({"endpoint": "https://user:pw@hooks.example.com"}, 400, "ACTION-t4rg4"),
        ({"payloadType": "PAYLOAD_TYPE_JWT"}, 501, "ACTION-t4rg5"),
        ({"payloadType": "PAYLOAD_TYPE_JWE"}, 501, "ACTION-t4rg5"),
    ],
)
def test_s04_what_is_not_offered_is_refused_when_made_and_when_changed(api, targets, body, status, id):
    for answer in (
        api.post(TARGETS, {**WEBHOOK, "name": "new", **body}),
        api.post(f"{TARGETS}/{targets['crm']}", body),
    ):
        assert answer.status_code == status and id in answer.json()["message"]
    assert read(api, targets["crm"])["endpoint"] == "https://crm.example.com"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "[::1]",
        "0.0.0.0",
        "169.254.169.254",
        "[fd00::1]",
        "[fe80::1]",
        "10.1.2.3",
        "192.168.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "224.0.0.1",
    ],
)
def test_s01_an_endpoint_that_leads_inside_is_refused_when_saved(api, targets, host):
    url = f"https://{host}:8443/x"
    for answer in (
        api.post(TARGETS, {**WEBHOOK, "endpoint": url}),
        api.post(f"{TARGETS}/{targets['crm']}", {"endpoint": url}),
    ):
        assert answer.status_code == 400 and "ACTION-t4rg4" in answer.json()["message"]


def test_a_new_key_is_answered_once_it_is_asked_for(api, targets):
    before = read(api, targets["crm"])["signingKey"]
    answer = api.post(f"{TARGETS}/{targets['crm']}", {"expirationSigningKey": "0s"}).json()
    assert answer["signingKey"] not in ("", before) and read(api, targets["crm"])["signingKey"] == answer["signingKey"]
    assert api.post(f"{TARGETS}/{targets['crm']}", {"expirationSigningKey": "60s"}).status_code == 400


def test_t11_keys_are_sealed_wherever_they_are_kept(api, targets):
    key = read(api, targets["crm"])["signingKey"]
    facts = EventRow.objects.filter(aggregate_id=targets["crm"]).values_list("payload", flat=True)
    assert "v1.targets-" in str(list(facts)) and key not in str(list(facts))
    row = TargetRow.objects.get(id=targets["crm"])
    assert row.signing_key.startswith("v1.targets-") and key not in row.signing_key
    text = json.dumps(api.post("/admin/v1/events/_search", {"aggregateId": targets["crm"]}).json())
    assert "crm.example.com" in text and "signingKey" not in text and "v1.targets" not in text


@pytest.fixture
def viewer(house):
    """Who reads targets and may not write them."""
    id, token = house.machine("viewer")
    instances.add_member(house.system, user_id=id, roles=("IAM_OWNER_VIEWER",))
    return Api(token)


def test_t11_a_key_is_shown_to_who_may_write_targets_only(viewer, targets):
    assert "signingKey" not in read(viewer, targets["crm"])
    listed = viewer.post(f"{TARGETS}/search", {}).json()["targets"]
    assert len(listed) == 3 and not any("signingKey" in one for one in listed)
    assert viewer.post(f"{TARGETS}/{targets['crm']}", {"expirationSigningKey": "0s"}).status_code == 403
    assert viewer.put(EXECUTIONS, {"condition": {"event": {"all": True}}}).status_code == 403


def test_t01_an_organizations_owner_has_no_say_in_what_is_told_of_all(house, targets):
    from orgs import commands as orgs

    id, token = house.machine("owner")
    orgs.add_org_member(house.system, org_id=house.org, user_id=id, roles=("ORG_OWNER",))
    owner = Api(token)
    for answer in (
        owner.post(TARGETS, WEBHOOK),
        owner.get(f"{TARGETS}/{targets['crm']}"),
        owner.post(f"{TARGETS}/search", {}),
        owner.put(EXECUTIONS, {"condition": {"event": {"all": True}}, "targets": [targets["crm"]]}),
        owner.post(f"{EXECUTIONS}/search", {}),
    ):
        assert answer.status_code in (403, 404), answer.content


def test_t02_another_instances_owner_finds_no_target_of_ours(house, targets):
    foreign = system_context("999999999999999999", base_url="http://other.example")
    instances.add_instance(foreign, name="Other", domains=("other.example",))
    for found in (
        lambda: queries.get_target(foreign, target_id=targets["crm"]),
        lambda: commands.change_target(foreign, target_id=targets["crm"], changes={"name": "mine"}),
        lambda: commands.remove_target(foreign, target_id=targets["crm"]),
        lambda: commands.set_execution(foreign, condition=Condition("all"), targets=(targets["crm"],)),
    ):
        with pytest.raises(NotFound, match=r"target\.not_found"):
            found()
    assert not queries.list_targets(foreign).exists() and queries.list_targets(house.system).count() == 3


def test_targets_are_listed_by_name_and_id_and_sorted_by_every_column(api, targets):
    asked = {"targetNameFilter": {"targetName": "r", "method": "TEXT_FILTER_METHOD_CONTAINS"}}
    assert sorted(names(api, filters=[asked])) == ["crm", "erp"]
    ids = {"inTargetIdsFilter": {"targetIds": [targets["log"], targets["crm"]]}}
    assert names(api, filters=[ids, asked]) == ["crm"]
    asc = {"asc": True}
    for column in ("ID", "CREATED_DATE", "CHANGED_DATE", "NAME", "TARGET_TYPE", "URL"):
        assert names(api, pagination=asc, sortingColumn=f"TARGET_FIELD_NAME_{column}") == ["crm", "erp", "log"], column
    assert names(api, pagination=asc, sortingColumn="TARGET_FIELD_NAME_TIMEOUT") == ["log", "erp", "crm"]
    assert names(api, pagination=asc, sortingColumn="TARGET_FIELD_NAME_INTERRUPT_ON_ERROR")[-1] == "crm"
    assert names(api, sortingColumn="TARGET_FIELD_NAME_NAME") == ["log", "erp", "crm"]
    answer = api.post(f"{TARGETS}/search", {"pagination": {"limit": 1, "offset": 1, "asc": True}}).json()
    assert [one["name"] for one in answer["targets"]] == ["erp"]
    assert answer["pagination"] == {"totalResult": "3", "appliedLimit": "1"}


def listed(api, **asked):
    return api.post(f"{EXECUTIONS}/search", asked).json().get("executions", [])


def test_executions_are_set_listed_and_ended(api, targets):
    conditions = [{"event": "user.human.added"}, {"group": "user.human"}, {"all": True}]
    for condition in conditions:
        body = {"condition": {"event": condition}, "targets": [targets["erp"], targets["crm"]]}
        answer = api.put(EXECUTIONS, body)
        assert answer.json()["setDate"] and api.put(EXECUTIONS, body).json() == answer.json()
    asc = {"asc": True}
    found = listed(api, pagination=asc, sortingColumn="EXECUTION_FIELD_NAME_CREATED_DATE")
    assert [one["condition"]["event"] for one in found] == conditions
    assert all(one["targets"] == [targets["erp"], targets["crm"]] for one in found)
    api.put(EXECUTIONS, {"condition": {"event": conditions[1]}, "targets": [targets["log"], targets["erp"]]})
    asked = [{"inConditionsFilter": {"conditions": [{"event": conditions[1]}, {"request": {"all": True}}]}}]
    (one,) = listed(api, filters=asked)
    assert one["targets"] == [targets["log"], targets["erp"]] and one["changeDate"] != one["creationDate"]
    assert [
        one["condition"]["event"] for one in listed(api, filters=[{"targetFilter": {"targetId": targets["log"]}}])
    ] == [conditions[1]]
    of_type = lambda name: [{"executionTypeFilter": {"executionType": f"EXECUTION_TYPE_{name}"}}]
    assert len(listed(api, filters=of_type("EVENT"))) == 3 and listed(api, filters=of_type("REQUEST")) == []
    assert api.put(EXECUTIONS, {"condition": {"event": conditions[0]}}).json()["setDate"]
    assert api.put(EXECUTIONS, {"condition": {"event": conditions[0]}}).status_code == 200, "it is ended already"
    assert len(listed(api)) == 2


def test_a_removed_target_leaves_its_executions_and_the_last_one_ends_them(api, targets):
    for condition, ids in (({"all": True}, ["crm", "erp"]), ({"group": "org"}, ["crm"])):
        api.put(EXECUTIONS, {"condition": {"event": condition}, "targets": [targets[id] for id in ids]})
    api.delete(f"{TARGETS}/{targets['crm']}")
    (left,) = listed(api)
    assert (left["condition"]["event"], left["targets"]) == ({"all": True}, [targets["erp"]])
    answer = api.put(EXECUTIONS, {"condition": {"event": {"all": True}}, "targets": [targets["crm"]]})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("condition", "status", "id"),
    [
        ({"event": {"event": "user.humam.added"}}, 404, "ACTION-ex3c1"),
        ({"event": {"event": "user.human.password.check.succeeded"}}, 404, "ACTION-ex3c1"),
        ({"event": {"group": "usr"}}, 404, "ACTION-ex3c2"),
        ({"request": {"all": True}}, 501, "ACTION-ex3c4"),
        ({"response": {"service": "zitadel.user.v2.UserService"}}, 501, "ACTION-ex3c4"),
        ({"function": {"name": "preuserinfo"}}, 501, "ACTION-ex3c4"),
    ],
)
def test_conditions_that_nothing_meets_are_refused(api, targets, condition, status, id):
    answer = api.put(EXECUTIONS, {"condition": condition, "targets": [targets["crm"]]})
    assert answer.status_code == status and id in answer.json()["message"]
    assert listed(api) == []


def test_replays_make_the_same_tables(api, targets):
    for ids in (["crm", "erp"], ["erp", "log"], ["log", "erp"], ["crm"]):
        api.put(EXECUTIONS, {"condition": {"event": {"all": True}}, "targets": [targets[id] for id in ids]})
    for _ in range(2):
        api.post(f"{TARGETS}/{targets['crm']}", {"expirationSigningKey": "0s"})
    api.delete(f"{TARGETS}/{targets['erp']}")
    for one in projections(IMMEDIATE):
        assert rebuild(wiring.store(), one, swap=False).different == ()


def test_the_older_spelling_of_the_service_answers_as_well(api):
    """v2beta: the same methods under another path."""
    beta = {old.replace("/v2/", "/v2beta/"): old for old in (TARGETS, EXECUTIONS)}
    targets, executions = beta
    made = api.post(targets, WEBHOOK).json()
    assert api.get(f"{targets}/{made['id']}").json()["target"]["signingKey"] == made["signingKey"]
    assert api.post(f"{targets}/{made['id']}", {"expirationSigningKey": "0s"}).json()["signingKey"]
    on = {"event": {"event": "user.human.added"}}
    assert api.put(executions, {"condition": on, "targets": [made["id"]]}).json()["setDate"]
    (one,) = api.post(f"{executions}/search", {}).json()["executions"]
    assert (one["condition"], one["targets"]) == (on, [made["id"]])
    assert api.delete(f"{targets}/{made['id']}").status_code == 200
    assert api.get(f"{targets}/{made['id']}").status_code == 404
