"""Terraform's human_user, machine_user, their keys, tokens and metadata, instance_member and the lists of data sources.

The provider writes into its state what it reads, so whatever was sent must come back: else its next plan is not empty.
"""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.clients.provider import USER, A, M, is_id, part, unique

FOREVER = "9999-12-31T23:59:59Z"
PROFILE = {
    "givenName": "firstname",
    "familyName": "lastname",
    "nickName": "nickname",
    "displayName": "displayname",
    "preferredLanguage": "de",
    "gender": "GENDER_MALE",
}
PLAIN = {
    "preferredLanguage": "und",
    "gender": "GENDER_UNSPECIFIED",
}  # what the provider sends for what is not configured
EMAIL = {"email": "test@zitadel.example", "isVerified": True}
NO_NUMBER = {"phone": "", "isVerified": False}
PHONE = {"phone": "+41799999999", "isVerified": True}
PASSWORD = {"password": "Password1!", "changeRequired": True}
BCRYPT = "$2a$12$lJ08fqVr8bFJilRVnDT9QeULI7YW.nT3iwUv6dyg0aCrfm3UY8XR2"
OLDER = {"firstName": "Ada", "lastName": "Love", "nickName": "Lady", "displayName": "Ada Love", **PLAIN}
KEYED = {"type": "KEY_TYPE_JSON"}


@pytest.fixture
def org(terraform):
    return terraform(M, "GetMyOrg")["org"]["id"]


def human(terraform, org, **fields):
    sent = {"profile": PROFILE, "email": EMAIL, **fields}
    return terraform(USER, "CreateUser", organizationId=org, username=unique("human"), human=sent)["id"]


def shown(terraform, id):
    return terraform.read(USER, "GetUserByID", userId=id)["user"]


def test_human_user(terraform, org):
    name = unique("human")
    sent = {"profile": PROFILE, "email": EMAIL, "phone": PHONE, "password": PASSWORD}
    id = terraform(USER, "CreateUser", organizationId=org, username=name, human=sent)["id"]
    read = shown(terraform, id)
    assert (is_id(id), read["userId"], read["username"], read["state"]) == (True, id, name, "USER_STATE_ACTIVE")
    assert (read["details"]["resourceOwner"], read["loginNames"]) == (org, [read["preferredLoginName"]])
    assert part(read["human"]["profile"], PROFILE) == PROFILE
    assert (read["human"]["email"], read["human"]["phone"]) == (EMAIL, PHONE)
    terraform(USER, "DeleteUser", userId=id)
    terraform.gone(USER, "GetUserByID", userId=id)


def test_human_user_with_the_defaults_of_the_provider(terraform, org):
    given = {"givenName": "A", "familyName": "B", "displayName": "A B", **PLAIN}
    id = human(terraform, org, profile=given, hashedPassword={"hash": BCRYPT}, email={"email": "a@zitadel.example"})
    read = shown(terraform, id)["human"]
    assert part(read["profile"], given) == given and read["profile"]["nickName"] == ""
    assert read["email"] == {"email": "a@zitadel.example", "isVerified": False}
    assert read["phone"] == NO_NUMBER


@pytest.mark.parametrize(
    "change",
    [
        {"givenName": "other"},
        {"familyName": "other"},
        {"nickName": "other"},
        {"displayName": "updatedproperty"},
        {"preferredLanguage": "und"},
        {"gender": "GENDER_UNSPECIFIED"},
    ],
)
def test_a_profile_changes_by_the_fields_that_are_sent(terraform, org, change):
    id = human(terraform, org)
    for _ in range(2):  # the second one changes nothing, and is no error
        terraform(USER, "UpdateUser", userId=id, human={"profile": change})
        assert part(shown(terraform, id)["human"]["profile"], PROFILE) == {**PROFILE, **change}


def test_an_update_of_the_user_name_leaves_the_rest(terraform, org):
    id, name = human(terraform, org), unique("renamed")
    before = shown(terraform, id)
    for _ in range(2):
        terraform(USER, "UpdateUser", userId=id, username=name)
    read = shown(terraform, id)
    assert (read["username"], read["human"]["profile"]) == (name, before["human"]["profile"])
    assert read["preferredLoginName"] == name


@pytest.mark.parametrize(
    ("field", "first", "second"), [("email", "a@x.example", "b@x.example"), ("phone", "+41791111111", "+41792222222")]
)
def test_addresses_change_are_verified_and_stay_so(terraform, org, field, first, second):
    id = human(terraform, org, **{field: {field: first}})
    plain, verified = {field: second}, {field: second, "isVerified": True}
    for sent, read in ((plain, False), (plain, False), (verified, True), (verified, True), (plain, True)):
        terraform(USER, "UpdateUser", userId=id, human={field: sent})
        assert shown(terraform, id)["human"][field] == {field: second, "isVerified": read}


def test_an_empty_number_takes_the_number(terraform, org):
    id = human(terraform, org, phone=PHONE)
    for _ in range(2):
        terraform(USER, "UpdateUser", userId=id, human={"phone": {"phone": ""}})
        assert shown(terraform, id)["human"]["phone"] == NO_NUMBER


def test_human_user_where_the_new_service_is_not_there(terraform, machine):
    """The provider's way with older servers; no update without a change may be an error."""
    sent = {
        "userName": unique("ada"),
        "profile": OLDER,
        "email": {"email": "ada@x.example"},
        "phone": {"phone": "+41791234567"},
    }
    id = terraform(M, "ImportHumanUser", **sent, password="Password1!", passwordChangeRequired=True)["userId"]
    terraform(M, "UpdateHumanProfile", userId=id, **OLDER)
    terraform(M, "UpdateUserName", userId=id, userName=sent["userName"])
    for verified in (False, True, True):
        terraform(M, "UpdateHumanEmail", userId=id, email="ada@x.example", isEmailVerified=verified)
        terraform(M, "UpdateHumanPhone", userId=id, phone="+41791234567", isPhoneVerified=verified)
        read = terraform.read(M, "GetUserByID", id=id)["user"]["human"]
        assert part(read["profile"], OLDER) == OLDER
        assert read["email"] == {"email": "ada@x.example", "isEmailVerified": verified}
        assert read["phone"] == {"phone": "+41791234567", "isPhoneVerified": verified}
    terraform(M, "RemoveUser", id=id)
    terraform.gone(M, "GetUserByID", id=id)


def test_machine_user(terraform, org):
    name = unique("machine")
    sent = {"name": "machine", "description": "a machine"}
    id = terraform(USER, "CreateUser", organizationId=org, username=name, machine=sent)["id"]
    read = shown(terraform, id)
    assert (read["username"], read["details"]["resourceOwner"]) == (name, org)
    assert read["machine"] == {**sent, "hasSecret": False, "accessTokenType": "ACCESS_TOKEN_TYPE_BEARER"}
    for change in ({"name": "other"}, {"description": "updated"}, {"description": ""}):
        sent |= change
        for _ in range(2):
            terraform(USER, "UpdateUser", userId=id, machine=change)
            assert part(shown(terraform, id)["machine"], sent) == sent
    secret = terraform(M, "GenerateMachineSecret", userId=id)
    assert (secret["clientId"], len(secret["clientSecret"]), shown(terraform, id)["machine"]["hasSecret"]) == (
        name,
        64,
        True,
    )
    terraform(M, "RemoveMachineSecret", userId=id)
    assert not shown(terraform, id)["machine"]["hasSecret"]
    terraform(USER, "DeleteUser", userId=id)
    terraform.gone(USER, "GetUserByID", userId=id)


def public_key():
    key = rsa.generate_private_key(65537, 2048).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(("ends", "read"), [(None, FOREVER), ("2519-04-01T08:45:00Z", "2519-04-01T08:45:00Z")])
def test_machine_key_and_personal_access_token(terraform, machine, ends, read):
    until = {"expirationDate": ends} if ends else {}
    key = terraform(M, "AddMachineKey", userId=machine, **KEYED, **until)
    file = json.loads(base64.b64decode(key["keyDetails"]))
    assert (file["type"], file["keyId"], file["userId"]) == ("serviceaccount", key["keyId"], machine)
    where = {"userId": machine, "keyId": key["keyId"]}
    kept = terraform(M, "GetMachineKeyByIDs", **where)["key"]
    assert (kept["id"], kept["type"], kept["expirationDate"]) == (key["keyId"], "KEY_TYPE_JSON", read)
    terraform(M, "RemoveMachineKey", **where)
    terraform.gone(M, "GetMachineKeyByIDs", **where)
    token = terraform(M, "AddPersonalAccessToken", userId=machine, **until)
    where = {"userId": machine, "tokenId": token["tokenId"]}
    kept = terraform(M, "GetPersonalAccessTokenByIDs", **where)["token"]
    assert (kept["id"], kept["expirationDate"], bool(token["token"])) == (token["tokenId"], read, True)
    terraform(M, "RemovePersonalAccessToken", **where)
    terraform.gone(M, "GetPersonalAccessTokenByIDs", **where)


def test_a_machine_key_of_ones_own_is_not_answered(terraform, machine):
    made = terraform(M, "AddMachineKey", userId=machine, **KEYED, publicKey=base64.b64encode(public_key()).decode())
    assert "keyDetails" not in made
    terraform(M, "RemoveMachineKey", userId=machine, keyId=made["keyId"])


@pytest.mark.parametrize(("ends", "read"), [(None, FOREVER), ("2519-04-01T08:45:00Z", "2519-04-01T08:45:00Z")])
def test_an_application_key_says_when_it_ends(terraform, project, ends, read):
    """Without a date it is good for ever, and says so as other keys do; the provider would read 1970."""
    method = "API_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT"
    app = terraform(M, "AddAPIApp", projectId=project, name="api", authMethodType=method)["appId"]
    where = {"projectId": project, "appId": app}
    until = {"expirationDate": ends} if ends else {}
    id = terraform(M, "AddAppKey", **where, **KEYED, **until)["id"]
    assert terraform(M, "GetAppKey", **where, keyId=id)["key"]["expirationDate"] == read
    assert terraform(M, "ListAppKeys", **where)["result"][0]["expirationDate"] == read
    v2 = "zitadel.application.v2.ApplicationService"
    assert terraform(v2, "GetApplicationKey", keyId=id)["expirationDate"] == read
    listed = terraform(v2, "ListApplicationKeys", filters=[{"applicationIdFilter": {"applicationId": app}}])
    assert [one["expirationDate"] for one in listed["keys"]] == [read]


def test_user_metadata(terraform, machine):
    where = {"id": machine, "key": "a/key ä"}
    for value in ("dg==", "dg==", "dw=="):
        terraform(M, "SetUserMetadata", **where, value=value)
        assert terraform(M, "GetUserMetadata", **where)["metadata"]["value"] == value
    (listed,) = terraform(M, "ListUserMetadata", id=machine)["result"]
    assert (listed["key"], listed["value"]) == ("a/key ä", "dw==")
    terraform(M, "RemoveUserMetadata", **where)
    terraform.gone(M, "GetUserMetadata", **where)


def test_instance_member(terraform, machine):
    asked = {"queries": [{"userIdQuery": {"userId": machine}}]}
    for verb, roles in (("Add", ["IAM_OWNER_VIEWER", "IAM_OWNER"]), ("Update", ["IAM_ORG_MANAGER"])):
        terraform(A, f"{verb}IAMMember", userId=machine, roles=roles)
        (member,) = terraform(A, "ListIAMMembers", **asked)["result"]
        assert (member["userId"], member["roles"]) == (machine, roles)
    terraform(A, "RemoveIAMMember", userId=machine)
    assert "result" not in terraform(A, "ListIAMMembers", **asked)


def test_data_sources_of_users_ask_by_everything_at_once(terraform, other_org):
    terraform.org = other_org
    made = [
        terraform(M, "ImportHumanUser", userName=name, profile=OLDER, email={"email": "Ada@x.example"})["userId"]
        for name in ("ada", "ada-two")
    ]
    same, starts, ends = (f"TEXT_QUERY_METHOD_{one}" for one in ("EQUALS_IGNORE_CASE", "STARTS_WITH", "ENDS_WITH"))
    asked = [
        {"typeQuery": {"type": "TYPE_HUMAN"}},
        {"userNameQuery": {"userName": "ADA", "method": same}},
        {"firstNameQuery": {"firstName": "Ad", "method": starts}},
        {"lastNameQuery": {"lastName": "ove", "method": ends}},
        {"nickNameQuery": {"nickName": "ad", "method": "TEXT_QUERY_METHOD_CONTAINS"}},
        {"displayNameQuery": {"displayName": "ada love", "method": same}},
        {"emailQuery": {"emailAddress": "ada@X.example", "method": same}},
        {"loginNameQuery": {"loginName": "ada", "method": starts}},
    ]
    assert [one["id"] for one in terraform(M, "ListUsers", queries=asked)["result"]] == made[:1]
    asked.append({"organizationIdQuery": {"organizationId": other_org}})
    assert [one["userId"] for one in terraform(USER, "ListUsers", queries=asked)["result"]] == made[:1]
    terraform.org = ""


def test_a_user_that_is_gone_takes_what_it_had(terraform, machine):
    key = terraform(M, "AddMachineKey", userId=machine, **KEYED)["keyId"]
    token = terraform(M, "AddPersonalAccessToken", userId=machine)["tokenId"]
    terraform(M, "SetUserMetadata", id=machine, key="k", value="dg==")
    terraform(M, "RemoveUser", id=machine)
    terraform.gone(M, "GetMachineKeyByIDs", userId=machine, keyId=key)
    terraform.gone(M, "GetPersonalAccessTokenByIDs", userId=machine, tokenId=token)
    terraform.gone(M, "GetUserMetadata", id=machine, key="k")
