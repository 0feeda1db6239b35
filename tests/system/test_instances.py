"""What operators of the system do with instances: zitadel.system.v1, and the methods of instance v2 that need them."""

import base64
import json

import pytest

from eventstore.models import ClaimRow, EventRow
from iam.access.caller import RequestMeta, context_for
from iam.access.models import MembershipRow
from iam.instance.models import InstanceDomainRow, InstanceRow
from iam.kernel.errors import AlreadyExists, InvalidInput, NotFound, PermissionDenied
from iam.kernel.levels import Level, Resource
from iam.outbox.models import Message
from orgs.models import OrgRow
from projects.models import AppRow, ProjectRow
from tests.system.conftest import origin
from tests.system.support import pair, token
from tests.users.support import Rpc
from users.models import UserRow

SYSTEM, INSTANCES = "zitadel.system.v1.SystemService", "zitadel.instance.v2.InstanceService"
FEATURES = "zitadel.feature.v2.FeatureService"
PERSON = {
    "userName": "ada",
    "email": {"email": "ada@example.com", "isEmailVerified": True},
    "profile": {"firstName": "Ada", "lastName": "Lovelace", "preferredLanguage": "de"},
    "password": {"password": "Correct-Horse-9", "passwordChangeRequired": True},
}
NEW = {
    "instanceName": "Second Floor",
    "firstOrgName": "Acme",
    "customDomain": "second.example",
    "defaultLanguage": "de",
    "human": PERSON,
}


@pytest.fixture
def system(operator):
    return operator(SYSTEM)


def test_an_instance_is_made_with_its_first_person(system, house):
    id = system("CreateInstance", NEW)["instanceId"]
    row = InstanceRow.objects.get(instance_id=id)
    org = OrgRow.objects.get(instance_id=id)
    assert (row.name, row.default_language, row.default_org_id) == ("Second Floor", "de", org.id)
    assert (org.name, row.primary_domain) == ("Acme", "second.example")
    person = UserRow.objects.get(instance_id=id)
    assert (person.user_name, person.email, person.first_name) == ("ada", "ada@example.com", "Ada")
    assert MembershipRow.objects.get(instance_id=id).roles == ["IAM_OWNER"]
    assert ProjectRow.objects.filter(instance_id=id).count() == AppRow.objects.filter(instance_id=id).count() == 1
    made = EventRow.objects.filter(instance_id=id)
    assert {fact.actor for fact in made} == {"superuser"}
    hosts = [one["domain"] for one in system("ListDomains", {"instanceId": id, "query": {"asc": True}})["result"]]
    assert "second.example" in hosts and any(one.startswith("second-floor-") for one in hosts)


def test_an_instance_is_made_with_a_service_user_that_reaches_it(system, house, web):
    machine = {
        "userName": "robot",
        "name": "Robot",
        "personalAccessToken": {"expirationDate": "2050-01-01T00:00:00Z"},
        "machineKey": {"type": "KEY_TYPE_JSON"},
    }
    made = system("CreateInstance", {"instanceName": "Third", "customDomain": "third.example", "machine": machine})
    key = json.loads(base64.b64decode(made["machineKey"]))
    assert key["type"] == "serviceaccount" and key["userId"]
    ctx = context_for(RequestMeta(host="third.example", headers={"authorization": f"Bearer {made['pat']}"}))
    assert ctx.instance == made["instanceId"] and ctx.rights.allow("iam.write", Resource(Level.INSTANCE, ctx.instance))
    answer = web.get("/.well-known/openid-configuration", headers={"host": "third.example"})
    assert answer.status_code == 200 and answer.json()["issuer"] == "http://third.example"


def test_a_person_without_a_password_is_invited(system, house):
    human = {**PERSON, "password": {}}
    id = system("CreateInstance", {**NEW, "human": human})["instanceId"]
    assert [one.topic for one in Message.objects.filter(instance_id=id)] == ["invite"]


def test_the_older_method_makes_an_instance_too(system, house):
    older = {
        "instanceName": "Old",
        "customDomain": "old.example",
        "ownerUserName": "ada",
        "ownerEmail": PERSON["email"],
        "ownerProfile": {"firstName": "Ada", "lastName": "Lovelace"},
        "ownerPassword": PERSON["password"],
    }
    id = system("AddInstance", older)["instanceId"]
    assert UserRow.objects.get(instance_id=id).user_name == "ada"


REFUSED = {
    "a host that is taken": {"customDomain": "localhost"},
    "a host that is none": {"customDomain": "no host"},
    "a password that is too simple": {"human": {**PERSON, "password": {"password": "x"}}},
    "a language that is not spoken": {"defaultLanguage": "xx"},
}


@pytest.mark.parametrize("changed", REFUSED.values(), ids=REFUSED)
def test_of_an_instance_that_is_refused_nothing_is_left(system, house, changed):
    counts = [table.objects.count() for table in (EventRow, ClaimRow, InstanceRow, UserRow, InstanceDomainRow)]
    with pytest.raises((AlreadyExists, InvalidInput)):
        system("CreateInstance", {**NEW, **changed})
    assert counts == [table.objects.count() for table in (EventRow, ClaimRow, InstanceRow, UserRow, InstanceDomainRow)]
    assert system("CreateInstance", NEW)["instanceId"]


@pytest.fixture
def second(system):
    return system("CreateInstance", NEW)["instanceId"]


def test_instances_are_listed_shown_renamed_and_removed(system, house, second):
    listed = system("ListInstances", {"queries": [{"domainQuery": {"domains": ["second.example"]}}]})
    assert [one["id"] for one in listed["result"]] == [second]
    assert {one["id"] for one in system("ListInstances")["result"]} == {house.instance, second}
    assert system("GetInstance", {"instanceId": second})["instance"]["name"] == "Second Floor"
    system("UpdateInstance", {"instanceId": second, "instanceName": "Renamed"})
    assert system("GetInstance", {"instanceId": second})["instance"]["name"] == "Renamed"
    system("RemoveInstance", {"instanceId": second})
    with pytest.raises(NotFound):
        system("GetInstance", {"instanceId": second})
    with pytest.raises(NotFound):
        context_for(RequestMeta(host="second.example"))
    assert InstanceRow.objects.filter(instance_id=house.instance).exists()


def test_hosts_come_and_go(system, house, second):
    assert system("ExistsDomain", {"domain": "third.example"}) == {}
    system("AddDomain", {"instanceId": second, "domain": "third.example"})
    assert system("ExistsDomain", {"domain": "Third.example"}) == {"exists": True}
    with pytest.raises(AlreadyExists):
        system("AddDomain", {"instanceId": house.instance, "domain": "third.example"})
    system("SetPrimaryDomain", {"instanceId": second, "domain": "third.example"})
    assert InstanceRow.objects.get(instance_id=second).primary_domain == "third.example"
    system("RemoveDomain", {"instanceId": second, "domain": "second.example"})
    assert system("ExistsDomain", {"domain": "second.example"}) == {}


def test_administrators_of_an_instance_are_listed(system, house, second):
    members = system("ListIAMMembers", {"instanceId": second})["result"]
    assert [(one["roles"], one["firstName"], one.get("email")) for one in members] == [
        (["IAM_OWNER"], "Ada", None)  # addresses are for who may read users
    ]


def test_a_feature_of_an_instance_is_switched(system, operator, house, second):
    system("SetInstanceFeature", {"instanceId": second, "featureId": 1, "bool": True})
    there = Rpc(FEATURES, token("superuser", origin(), pair()[0]))
    assert "loginV2" in there("GetInstanceFeatures")  # the instance that was called: there nobody has set any
    assert EventRow.objects.filter(instance_id=second, event_type__contains="login_default_org").count() == 1


def test_instance_v2_takes_operators(operator, house, second):
    rpc = operator(INSTANCES)
    rpc("AddCustomDomain", {"instanceId": second, "customDomain": "fourth.example"})
    assert context_for(RequestMeta(host="fourth.example")).instance == second
    rpc("RemoveCustomDomain", {"instanceId": second, "customDomain": "fourth.example"})
    rpc("UpdateInstance", {"instanceId": second, "instanceName": "By v2"})
    rpc("AddTrustedDomain", {"instanceId": second, "trustedDomain": "login.example"})
    assert [one["id"] for one in rpc("ListInstances")["instances"]]
    assert rpc("GetInstance", {"instanceId": second})["instance"]["name"] == "By v2"
    rpc("DeleteInstance", {"instanceId": second})
    assert not InstanceRow.objects.filter(instance_id=second).exists()


def test_features_of_the_system_are_an_operators(operator, house):
    operator(FEATURES)("SetSystemFeatures", {"loginDefaultOrg": False})
    with pytest.raises(PermissionDenied):
        Rpc(FEATURES, house.pat)("SetSystemFeatures", {"loginDefaultOrg": True})


VIEWER = [{"MemberType": "System", "Roles": ["SYSTEM_OWNER_VIEWER"]}]


def test_t01_a_viewer_of_the_system_changes_nothing(house, system_users):
    system_users(viewer=VIEWER)
    rpc = Rpc(SYSTEM, token("viewer", origin(), pair()[0]))
    assert rpc("ListInstances")["result"]
    for name, body in {
        "AddDomain": {"instanceId": house.instance, "domain": "x.example"},
        "RemoveDomain": {"instanceId": house.instance, "domain": "localhost"},
        "UpdateInstance": {"instanceId": house.instance, "instanceName": "x"},
        "RemoveInstance": {"instanceId": house.instance},
        "CreateInstance": NEW,
        "SetInstanceFeature": {"instanceId": house.instance, "featureId": 1, "bool": True},
    }.items():
        with pytest.raises(PermissionDenied):
            rpc(name, body)
