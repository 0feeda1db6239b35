"""What one request asks for happens whole or not at all, however many commands it takes."""

import pytest

from eventstore.models import ClaimRow, EventRow, PersonKey
from iam.kernel.change import together
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound, Refusal
from iam.outbox.models import Message
from iam.vault import wiring
from orgs.models import OrgRow
from projects.models import AppRow
from tests.users.support import OLDER, USERS, Rpc
from users import commands as users
from users.models import AttemptRow, CodeRow, UserRow

ORGS, ADMIN = "zitadel.org.v2.OrganizationService", "zitadel.admin.v1.AdminService"
APPS = "zitadel.application.v2.ApplicationService"


def person(name, **more):
    return {
        "username": name,
        "profile": {"givenName": "Ada", "familyName": "Lovelace"},
        "email": {"email": f"{name}@example.com", "isVerified": True},
        **more,
    }


def older_person(name, **more):
    return {
        "userName": name,
        "profile": {"firstName": "Ada", "lastName": "Lovelace"},
        "email": {"email": f"{name}@example.com", "isEmailVerified": True},
        "password": "Correct-Horse-9",
        **more,
    }


@pytest.fixture
def untouched(house):
    """Fails when anything at all is left behind: facts, claims, rows, keys, codes, letters."""

    def everything():
        tables = (EventRow, ClaimRow, OrgRow, UserRow, PersonKey, CodeRow, Message)
        return {table.__name__: table.objects.count() for table in tables}

    before = everything()
    yield
    assert everything() == before


BAD_LINK = {"sendCode": {"urlTemplate": "javascript:alert(1)"}}
NEW_ORGS = {
    "an administrator that is not there": [{"userId": "123"}],
    "roles of another level": [{"human": person("ada"), "roles": ["IAM_OWNER"]}],
    "the second of two of the same name": [{"human": person("ada")}, {"human": person("ada")}],
    "a password that is too simple": [{"human": person("ada", password={"password": "x"})}],
    "a page of the code that is no address": [
        {"human": {**person("ada"), "email": {"email": "ada@example.com", **BAD_LINK}}}
    ],
}


@pytest.mark.parametrize("admins", NEW_ORGS.values(), ids=NEW_ORGS)
def test_an_organization_without_its_administrators_is_not_created(house, untouched, admins):
    with pytest.raises((NotFound, InvalidInput, AlreadyExists)):
        Rpc(ORGS, house.pat)("AddOrganization", {"name": "Acme", "admins": admins})


def test_what_was_refused_can_be_created_under_the_same_names(house):
    rpc = Rpc(ORGS, house.pat)
    refused = {"name": "Acme", "admins": [{"human": person("ada"), "roles": ["IAM_OWNER"]}]}
    with pytest.raises(InvalidInput):
        rpc("AddOrganization", refused)
    made = rpc("AddOrganization", {"name": "Acme", "admins": [{"human": person("ada")}]})
    row = UserRow.objects.get(id=made["createdAdmins"][0]["userId"])
    assert (row.org_id, row.email) == (made["organizationId"], "ada@example.com")
    assert users.add_machine(house.system, org_id=made["organizationId"], user_name="robot", name="r").id


def test_an_organization_tells_whom_it_created_with_the_codes_that_were_asked_back(house):
    profile, phone = person("ada")["profile"], {"phone": "+41791234567", "returnCode": {}}
    asked = {
        "userId": "ada",
        "profile": profile,
        "email": {"email": "ada@example.com", "returnCode": {}},
        "phone": phone,
    }
    sent = {"profile": profile, "email": {"email": "bob@example.com"}}
    admins = [{"userId": house.admin}, {"human": asked}, {"human": sent}]
    made = Rpc(ORGS, house.pat)("AddOrganization", {"name": "Acme", "admins": admins})
    ada, bob = made["createdAdmins"]
    assert ada["userId"] == "ada"
    assert set(bob) == {"userId"}
    rpc = Rpc(USERS, house.pat)
    assert rpc("VerifyEmail", {"userId": "ada", "verificationCode": ada["emailCode"]})["details"]
    assert rpc("VerifyPhone", {"userId": "ada", "verificationCode": ada["phoneCode"]})["details"]
    beta = Rpc("zitadel.org.v2beta.OrganizationService", house.pat)
    asked = {"userId": "eve", "profile": profile, "email": {"email": "eve@example.com", "returnCode": {}}}
    made = beta("CreateOrganization", {"name": "Beta", "admins": [{"userId": house.admin}, {"human": asked}]})
    (eve,) = made["organizationAdmins"]
    assert eve["createdAdmin"]["userId"] == "eve"
    assert eve["createdAdmin"]["emailCode"]


SET_UPS = {
    "a person without a name": {"human": older_person("ada", profile={"firstName": "", "lastName": "L"})},
    "a password that is too simple": {"human": older_person("ada", password="x")},
    "roles of another level": {"human": older_person("ada"), "roles": ["PROJECT_OWNER"]},
    "a domain that is none": {"org": {"name": "Acme", "domain": "no domain"}, "human": older_person("ada")},
}


@pytest.mark.parametrize("parts", SET_UPS.values(), ids=SET_UPS)
def test_an_organization_is_set_up_whole_or_not(house, untouched, parts):
    with pytest.raises(Refusal):
        Rpc(ADMIN, house.pat)("SetUpOrg", {"org": {"name": "Acme"}, **parts})


def test_a_user_without_the_code_that_was_asked_for_is_not_created(house, untouched):
    human = {"profile": person("ada")["profile"], "email": {"email": "ada@example.com", **BAD_LINK}}
    with pytest.raises(InvalidInput):
        Rpc(USERS, house.pat)("CreateUser", {"organizationId": house.org, "username": "ada", "human": human})


CHANGES = {
    "SetEmail": {"email": "other@example.com", **BAD_LINK},
    "UpdateUser": {"human": {"email": {"email": "other@example.com", **BAD_LINK}}},
    "UpdateHumanUser": {"email": {"email": "other@example.com", **BAD_LINK}},
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_address_is_not_changed_without_its_code(house, name):
    id = house.person()
    facts = EventRow.objects.count()
    with pytest.raises(InvalidInput):
        Rpc(USERS, house.pat)(name, {"userId": id, **CHANGES[name]})
    assert UserRow.objects.get(id=id).email == "gigi@example.com"
    assert EventRow.objects.count() == facts


def test_the_older_invitation_keeps_the_address_of_who_has_a_password(house):
    id = house.person()
    with pytest.raises(FailedPrecondition):
        Rpc(OLDER, house.pat)("ResendHumanInitialization", {"userId": id, "email": "other@example.com"})
    assert UserRow.objects.get(id=id).email == "gigi@example.com"


def test_p03_a_wrong_password_counts_although_nothing_is_changed(house):
    id = house.person()
    new = {"password": {"password": "Correct-Horse-10"}, "currentPassword": "wrong"}
    with pytest.raises(InvalidInput):
        Rpc(USERS, house.pat)("UpdateUser", {"userId": id, "human": {"password": new}})
    assert AttemptRow.objects.filter(failures__gte=1).exists()


def test_an_application_is_not_renamed_when_its_settings_are_refused(house, api):
    from projects import commands as projects

    project = projects.add_project(house.system, org_id=house.org, name="p").id
    app = projects.add_api_app(house.system, project_id=project, name="before").id
    wrong = {"projectId": project, "applicationId": app, "name": "after", "oidcConfiguration": {"redirectUris": ["x"]}}
    with pytest.raises(Refusal):
        Rpc(APPS, house.pat)("UpdateApplication", wrong)
    assert AppRow.objects.get(id=app).name == "before"


def test_commands_together_leave_no_key_of_a_person_in_memory_that_is_gone(house):
    """Otherwise the next facts of the same person would be sealed under a key that nobody has."""
    with pytest.raises(RuntimeError), together(house.system):
        first = house.person("ada")
        raise RuntimeError
    assert not PersonKey.objects.filter(id=first).exists()
    assert wiring.store().persons._remembered(house.instance, {first}) == {}
    assert UserRow.objects.get(id=house.person("ada")).first_name == "Gigi"


def test_commands_together_see_each_other_and_stay(house):
    with together(house.system):
        org = house.system.ports.new_id()
        from orgs import commands as orgs

        orgs.add_org(house.system, name="Acme", org_id=org)
        id = house.person("ada", org)
    assert UserRow.objects.get(id=id).org_id == org
