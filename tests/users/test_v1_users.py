"""The older API for users: every method once with what it answers, and the sequences that Terraform sends."""

import base64
import json
from urllib.parse import quote

import pytest

from iam.instance import commands as instance
from iam.kernel.errors import FailedPrecondition, InvalidInput, NotFound, PermissionDenied, Unimplemented
from iam.outbox.models import Message
from iam.outbox.post import opened
from orgs import commands as orgs
from projects import commands as projects
from tests.oidc.support import make_flow
from tests.users.support import MINE, OLDER, USERS, Rpc
from users import commands as users

API = "openid urn:zitadel:iam:org:project:id:zitadel:aud"
PROFILE = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "nickName": "al",
    "displayName": "Ada L.",
    "preferredLanguage": "und",
    "gender": "GENDER_FEMALE",
}
PERSON = {
    "userName": "ada@acme.example",
    "profile": PROFILE,
    "email": {"email": "ada@acme.example", "isEmailVerified": True},
    "phone": {"phone": "+41791234567", "isPhoneVerified": True},
    "password": "Correct-Horse-9",
}
NEVER = "9999-12-31T23:59:59Z"
ONE_DAY = "2050-01-01T00:00:00Z"


@pytest.fixture
def rpc(house):
    """As Terraform calls: the organization's header is there and empty."""
    return Rpc(OLDER, house.pat, "")


def letters(house, user_id):
    return [opened(house.system, one).body for one in Message.objects.filter(user_id=user_id).order_by("id")]


def test_terraform_human_user(rpc):
    id = rpc("ImportHumanUser", PERSON)["userId"]
    assert len(id) == 18 and id.isdigit()
    user = rpc("GetUserByID", {"id": id})["user"]
    assert (user["userName"], user["state"]) == (PERSON["userName"], "USER_STATE_ACTIVE")
    assert user["human"]["profile"] == PROFILE
    assert (user["human"]["email"], user["human"]["phone"]) == (PERSON["email"], PERSON["phone"])
    changed = {**PROFILE, "firstName": "Augusta", "displayName": "Augusta", "gender": "GENDER_DIVERSE"}
    rpc("UpdateUserName", {"userId": id, "userName": "augusta"})
    rpc("UpdateHumanProfile", {"userId": id, **changed})
    rpc("UpdateHumanEmail", {"userId": id, "email": "new@acme.example", "isEmailVerified": True})
    rpc("UpdateHumanPhone", {"userId": id, "phone": "+41797654321", "isPhoneVerified": True})
    user = rpc("GetUserByID", {"id": id})["user"]
    assert (user["userName"], user["human"]["profile"]) == ("augusta", changed)
    assert user["human"]["email"] == {"email": "new@acme.example", "isEmailVerified": True}
    assert user["human"]["phone"] == {"phone": "+41797654321", "isPhoneVerified": True}
    rpc("RemoveUser", {"id": id})
    with pytest.raises(NotFound):
        rpc("GetUserByID", {"id": id})


def test_terraform_machine_user_key_token_and_secret(rpc):
    machine = {"name": "Robot", "description": "does things", "accessTokenType": "ACCESS_TOKEN_TYPE_JWT"}
    id = rpc("AddMachineUser", {"userName": "robot", **machine})["userId"]
    assert rpc("GetUserByID", {"id": id})["user"]["machine"] == machine
    rpc("UpdateMachine", {"userId": id, "name": "Robot 2"})
    assert rpc("GetUserByID", {"id": id})["user"]["machine"] == {"name": "Robot 2"}
    secret = rpc("GenerateMachineSecret", {"userId": id})
    assert secret["clientId"] == "robot" and secret["clientSecret"].isalnum()
    assert rpc("GetUserByID", {"id": id})["user"]["machine"]["hasSecret"]
    rpc("RemoveMachineSecret", {"userId": id})
    assert "hasSecret" not in rpc("GetUserByID", {"id": id})["user"]["machine"]

    key = rpc("AddMachineKey", {"userId": id, "type": "KEY_TYPE_JSON", "expirationDate": ONE_DAY})
    file = json.loads(base64.b64decode(key["keyDetails"]))
    assert file["key"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    del file["key"]
    assert file == {"type": "serviceaccount", "keyId": key["keyId"], "userId": id, "expirationDate": ONE_DAY}
    got = rpc("GetMachineKeyByIDs", {"userId": id, "keyId": key["keyId"]})["key"]
    assert (got["id"], got["type"], got["expirationDate"]) == (key["keyId"], "KEY_TYPE_JSON", ONE_DAY)
    assert [one["id"] for one in rpc("ListMachineKeys", {"userId": id})["result"]] == [key["keyId"]]
    rpc("RemoveMachineKey", {"userId": id, "keyId": key["keyId"]})
    with pytest.raises(NotFound):
        rpc("GetMachineKeyByIDs", {"userId": id, "keyId": key["keyId"]})
    own = rpc("AddMachineKey", {"userId": id, "type": 1, "publicKey": public_key()})
    assert "keyDetails" not in own
    assert rpc("GetMachineKeyByIDs", {"userId": id, "keyId": own["keyId"]})["key"]["expirationDate"] == NEVER

    pat = rpc("AddPersonalAccessToken", {"userId": id})
    got = rpc("GetPersonalAccessTokenByIDs", {"userId": id, "tokenId": pat["tokenId"]})["token"]
    assert (got["id"], got["expirationDate"]) == (pat["tokenId"], NEVER)
    assert Rpc(MINE, pat["token"])("GetMyUser")["user"]["id"] == id
    assert [one["id"] for one in rpc("ListPersonalAccessTokens", {"userId": id})["result"]] == [pat["tokenId"]]
    rpc("RemovePersonalAccessToken", {"userId": id, "tokenId": pat["tokenId"]})
    with pytest.raises(NotFound):
        rpc("GetPersonalAccessTokenByIDs", {"userId": id, "tokenId": pat["tokenId"]})


def public_key():
    return base64.b64encode(users.credentials.new_key_pair()[1]).decode()


def test_terraform_user_metadata(rpc, house):
    id = house.person()
    value = base64.b64encode(b"\x00\xff any bytes").decode()
    rpc("SetUserMetadata", {"id": id, "key": "a/b", "value": value})
    assert rpc("GetUserMetadata", {"id": id, "key": "a/b"})["metadata"]["value"] == value
    rpc("BulkSetUserMetadata", {"id": id, "metadata": [{"key": "c", "value": value}, {"key": "d", "value": value}]})
    asked = {"id": id, "query": {"asc": True}, "queries": [{"keyQuery": {"key": "c"}}]}
    assert [one["key"] for one in rpc("ListUserMetadata", asked)["result"]] == ["c"]
    listed = rpc("ListUserMetadata", {"id": id, "query": {"asc": True}})
    assert [one["key"] for one in listed["result"]] == ["a/b", "c", "d"]
    assert listed["details"]["totalResult"] == "3" and listed["details"]["viewTimestamp"]
    rpc("RemoveUserMetadata", {"id": id, "key": "a/b"})
    rpc("BulkRemoveUserMetadata", {"id": id, "keys": ["c", "d"]})
    with pytest.raises(NotFound):
        rpc("GetUserMetadata", {"id": id, "key": "a/b"})


def test_states_parts_and_passwords_of_a_person(rpc, house):
    id = house.person()
    for method, state in (
        ("DeactivateUser", "USER_STATE_INACTIVE"),
        ("ReactivateUser", "USER_STATE_ACTIVE"),
        ("LockUser", "USER_STATE_LOCKED"),
        ("UnlockUser", "USER_STATE_ACTIVE"),
    ):
        assert rpc(method, {"id": id})["details"]["resourceOwner"] == house.org
        assert rpc("GetUserByID", {"id": id})["user"]["state"] == state
    assert rpc("GetHumanProfile", {"userId": id})["profile"]["firstName"] == "Gigi"
    assert rpc("GetHumanEmail", {"userId": id})["email"]["isEmailVerified"]
    rpc("UpdateHumanPhone", {"userId": id, "phone": "+41791234567"})
    assert rpc("GetHumanPhone", {"userId": id})["phone"] == {"phone": "+41791234567"}
    rpc("ResendHumanPhoneVerification", {"userId": id})
    rpc("UpdateHumanEmail", {"userId": id, "email": "new@example.com"})
    rpc("ResendHumanEmailVerification", {"userId": id})
    rpc("SendHumanResetPasswordNotification", {"userId": id})
    assert len(letters(house, id)) == 5
    with pytest.raises(FailedPrecondition, match=r"user\.phone_missing"):
        rpc("SendHumanResetPasswordNotification", {"userId": id, "type": "TYPE_SMS"})  # not verified yet
    rpc("RemoveHumanPhone", {"userId": id})
    assert rpc("GetHumanPhone", {"userId": id})["phone"] == {}
    rpc("SetHumanPassword", {"userId": id, "password": "Another-Horse-7", "noChangeRequired": True})
    v2 = Rpc(USERS, house.pat)
    assert "passwordChangeRequired" not in v2("GetUserByID", {"userId": id})["user"]["human"]
    rpc("SetHumanInitialPassword", {"userId": id, "password": "Another-Horse-8"})
    assert v2("GetUserByID", {"userId": id})["user"]["human"]["passwordChangeRequired"]


def test_a_person_without_a_password_is_invited_once_more(rpc, house):
    without = {"userName": "eve", "profile": PROFILE, "email": {"email": "eve@example.com"}}
    id = rpc("AddHumanUser", without)["userId"]
    rpc("ResendHumanInitialization", {"userId": id, "email": "eve2@example.com"})
    first, second = letters(house, id)
    assert "password/set" in first and "password/set" in second
    assert rpc("GetHumanEmail", {"userId": id})["email"] == {"email": "eve2@example.com"}
    rpc("SetHumanPassword", {"userId": id, "password": "Another-Horse-7"})
    with pytest.raises(FailedPrecondition):
        rpc("ResendHumanInitialization", {"userId": id})
    initial = {**without, "userName": "eva", "initialPassword": "Another-Horse-7"}
    other = rpc("AddHumanUser", initial)["userId"]
    assert "login/verify" in letters(house, other)[0]
    assert Rpc(USERS, house.pat)("GetUserByID", {"userId": other})["user"]["human"]["passwordChangeRequired"]


def test_what_a_person_cannot_have_yet_is_refused_and_nobody_is_made(rpc):
    for part in ({"otpCode": "x"}, {"requestPasswordlessRegistration": True}, {"recoveryCodes": [{"raw": "x"}]}):
        with pytest.raises(Unimplemented):
            rpc("ImportHumanUser", {**PERSON, **part})
    assert rpc("IsUserUnique", {"userName": PERSON["userName"]})["isUnique"]


def test_names_are_looked_up_and_told_unique(rpc, house):
    id = house.person("gigi")
    assert rpc("GetUserByLoginNameGlobal", {"loginName": "gigi"})["user"]["id"] == id
    with pytest.raises(NotFound):
        rpc("GetUserByLoginNameGlobal", {"loginName": "nobody"})
    for asked, unique in (
        ({"userName": "gigi"}, False),
        ({"userName": "GIGI"}, False),
        ({"email": "gigi@example.com"}, False),
        ({"userName": "gaga", "email": "gaga@example.com"}, True),
    ):
        assert rpc("IsUserUnique", asked).get("isUnique", False) is unique
    with pytest.raises(InvalidInput):
        rpc("IsUserUnique")


def test_changes_of_a_user_are_told_in_both_orders_and_paged_without_payloads(rpc, house):
    id = house.person()
    rpc("SetHumanPassword", {"userId": id, "password": "Another-Horse-7"})
    told = rpc("ListUserChanges", {"userId": id})["result"]
    assert told[0]["eventType"]["key"] == "EventTypes.user.human.password.changed"
    assert told[0]["editorPreferredLoginName"].startswith("admin-api")
    assert told[-1]["eventType"]["key"] == "EventTypes.user.human.added"
    up = rpc("ListUserChanges", {"userId": id, "query": {"asc": True}})["result"]
    assert up == told[::-1]
    rest = rpc("ListUserChanges", {"userId": id, "query": {"sequence": told[0]["sequence"], "limit": 1}})["result"]
    assert rest == told[1:2]
    assert "argon2" not in str(told) and "Gigi" not in str(told)


def test_memberships_of_a_user_with_names_and_filters(rpc, house):
    id = house.person()
    project = projects.add_project(house.system, org_id=house.org, name="Shop").id
    orgs.add_org_member(house.system, org_id=house.org, user_id=id, roles=("ORG_OWNER",))
    instance.add_member(house.system, user_id=id, roles=("IAM_OWNER_VIEWER",))
    projects.add_project_member(house.system, project_id=project, user_id=id, roles=("PROJECT_OWNER",))
    for query, expected in (
        ({"iamQuery": {"iam": True}}, {"iam"}),
        ({"iamQuery": {"iam": False}}, {"orgId", "projectId"}),
        ({"orgQuery": {"orgId": house.org}}, {"orgId"}),
        ({"projectQuery": {"projectId": project}}, {"projectId"}),
        ({"projectQuery": {"projectId": house.org}}, set()),
        ({"projectGrantQuery": {"projectGrantId": "1"}}, set()),
    ):
        found = rpc("ListUserMemberships", {"userId": id, "queries": [query]}).get("result", [])
        assert {name for one in found for name in ("iam", "orgId", "projectId") if name in one} == expected, query
    found = rpc("ListUserMemberships", {"userId": id})
    assert found["details"]["totalResult"] == "3"
    assert {one["displayName"] for one in found["result"]} >= {"Shop"}
    assert all(one["displayName"] for one in found["result"])


def test_t02_a_call_of_the_older_api_stays_in_the_organization_of_its_header(house):
    other = orgs.add_org(house.system, name="Other").id
    id = house.person()
    there = Rpc(OLDER, house.pat, other)
    for method, body in (
        ("GetUserByID", {"id": id}),
        ("DeactivateUser", {"id": id}),
        ("RemoveUser", {"id": id}),
        ("GetHumanEmail", {"userId": id}),
        ("SetUserMetadata", {"id": id, "key": "k", "value": "dg=="}),
        ("ListUserMetadata", {"id": id}),
    ):
        with pytest.raises(NotFound):
            there(method, body)
    assert Rpc(OLDER, house.pat, house.org)("GetUserByID", {"id": id})["user"]["state"] == "USER_STATE_ACTIVE"


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


@pytest.fixture
def me(flow):
    """A person's own calls, with a token of a sign-in at the application."""
    return Rpc(MINE, flow.tokens(scope=API)["access_token"])


def test_people_read_and_change_themselves(me, flow):
    user = me("GetMyUser")
    assert user["user"]["id"] == flow.person and user["lastLogin"]
    me("UpdateMyProfile", PROFILE)
    assert me("GetMyProfile")["profile"] == PROFILE
    me("UpdateMyUserName", {"userName": "ada"})
    assert me("GetMyUser")["user"]["userName"] == "ada"
    users.set_user_metadata(flow.house.system, user_id=flow.person, values={"k": b"v"})
    assert me("GetMyMetadata", {"key": "k"})["metadata"]["value"] == "dg=="
    assert [one["key"] for one in me("ListMyMetadata")["result"]] == ["k"]
    assert [one["authState"] for one in me("ListMyUserSessions")["result"]] == ["SESSION_STATE_ACTIVE"]
    assert me("ListMyUserChanges", {"query": {"limit": 1}})["result"][0]["resourceOwnerId"] == flow.house.org


def test_people_prove_their_own_addresses(me, flow):
    me("SetMyEmail", {"email": "ada@example.com"})
    assert me("GetMyEmail")["email"] == {"email": "ada@example.com"}
    me("ResendMyEmailVerification")
    me("VerifyMyEmail", {"code": code_in(letters(flow.house, flow.person)[-1])})
    assert me("GetMyEmail")["email"]["isEmailVerified"]
    me("SetMyPhone", {"phone": "+41791234567"})
    me("ResendMyPhoneVerification")
    with pytest.raises(InvalidInput):
        me("VerifyMyPhone", {"code": "WRONG1"})
    me("VerifyMyPhone", {"code": letters(flow.house, flow.person)[-1][:6]})
    assert me("GetMyPhone")["phone"] == {"phone": "+41791234567", "isPhoneVerified": True}
    me("RemoveMyPhone")
    assert me("GetMyPhone")["phone"] == {}


def code_in(letter):
    return letter.partition("enter the code ")[2][:6]


def test_people_change_their_password_with_the_one_before(me, flow):
    with pytest.raises(InvalidInput, match=r"password\.invalid"):
        me("UpdateMyPassword", {"oldPassword": "wrong", "newPassword": "Another-Horse-7"})
    me("UpdateMyPassword", {"oldPassword": "Correct-Horse-9", "newPassword": "Another-Horse-7"})
    assert me("GetMyUser")["user"]["id"] == flow.person  # the session in which it was changed lives on


def test_people_see_what_they_hold_and_may_do(me, flow):
    house = flow.house
    projects.add_role(house.system, project_id=flow.project, key="buyer")
    assert me("ListMyProjectPermissions") == {}
    assert "result" not in me("ListMyProjectOrgs")
    projects.add_authorization(
        house.system, org_id=house.org, user_id=flow.person, project_id=flow.project, roles=("buyer",)
    )
    assert me("ListMyProjectPermissions") == {"result": ["buyer"]}
    assert [one["id"] for one in me("ListMyProjectOrgs")["result"]] == [house.org]
    for query, count in (({"idQuery": {"id": "1"}}, 0), ({"idQuery": {"id": house.org}}, 1)):
        assert len(me("ListMyProjectOrgs", {"queries": [query]}).get("result", [])) == count
    grant = me("ListMyUserGrants")["result"][0]
    assert (grant["roleKeys"], grant["projectName"], grant["userType"]) == (["buyer"], "shop", "TYPE_HUMAN")
    assert (grant["state"], grant["orgId"]) == ("USER_GRANT_STATE_ACTIVE", house.org)
    assert me("ListMyZitadelPermissions") == {} and "result" not in me("ListMyMemberships")
    projects.add_project_member(house.system, project_id=flow.project, user_id=flow.person, roles=("PROJECT_OWNER",))
    assert f"project.write:{flow.project}" in me("ListMyZitadelPermissions")["result"]
    assert [one["projectId"] for one in me("ListMyMemberships")["result"]] == [flow.project]


def test_a_service_user_of_no_application_reaches_the_organizations_it_may_see(house):
    robot = Rpc(MINE, house.pat)
    other = orgs.add_org(house.system, name="Other").id
    assert {house.org, other} <= {one["id"] for one in robot("ListMyProjectOrgs")["result"]}
    named = {"queries": [{"nameQuery": {"name": "oth", "method": "TEXT_QUERY_METHOD_STARTS_WITH_IGNORE_CASE"}}]}
    assert [one["id"] for one in robot("ListMyProjectOrgs", named)["result"]] == [other]
    assert robot("ListMyProjectPermissions") == {}
    assert "iam.write" in robot("ListMyZitadelPermissions")["result"]


def test_oneself_is_deleted_only_with_the_right_to(me, flow):
    with pytest.raises(PermissionDenied):
        me("RemoveMyUser")
    orgs.add_org_member(flow.house.system, org_id=flow.house.org, user_id=flow.person, roles=("ORG_USER_SELF_MANAGER",))
    me("RemoveMyUser")
    with pytest.raises(NotFound):
        Rpc(USERS, flow.house.pat)("GetUserByID", {"userId": flow.person})


def test_u04_the_routes_of_the_older_api_that_clients_know_by_heart(house, api):
    by_name = "/management/v1/global/users/_by_login_name?loginName=admin-api"
    id = api.get(by_name).json()["user"]["id"]
    secret = api.client.put(
        f"/management/v1/users/{id}/secret", {}, content_type="application/json", headers=api.headers
    ).json()
    assert secret["clientId"] == "admin-api" and len(secret["clientSecret"]) == 64
    assert api.get("/management/v1/users/_is_unique?userName=free").json() == {"isUnique": True}
    assert api.get("/auth/v1/users/me").json()["user"]["id"] == id
    for key in ("colour.dark", "gr\u00fcn \U0001f34f", "a%b"):
        set_ = api.post(f"/management/v1/users/{id}/metadata/{quote(key)}", {"value": "cmVk"})
        assert set_.status_code == 200, set_.content
        kept = api.get(f"/management/v1/users/{id}/metadata/{quote(key)}").json()["metadata"]
        assert (kept["key"], kept["value"]) == (key, "cmVk")
    refused = api.post(f"/management/v1/users/{id}/metadata/{quote('a/_search', safe='')}", {"value": "cmVk"})
    assert refused.status_code == 404  # a slash takes no part of a path; RPC and bulk methods take any key
    missing = api.get("/management/v1/users/123456789012345678")
    assert (missing.status_code, missing.json()["code"]) == (404, 5)
