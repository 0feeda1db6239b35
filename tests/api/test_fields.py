"""Limits of items of lists, of switches that choose one of several ways, and of texts in maps."""

import pytest
from google.protobuf import json_format

from iam.access.caller import RequestMeta
from iam.access.models import MembershipRow
from iam.api.limits import check, check_words
from iam.api.methods import invoke, method
from iam.api.openapi import built
from iam.kernel.errors import InvalidInput, Unimplemented
from projects.models import AppRow

ADMINS = "zitadel.internal_permission.v2.InternalPermissionService/"
HELD = "zitadel.authorization.v2.AuthorizationService/"
APPS = "zitadel.application.v2.ApplicationService/"
USERS = "zitadel.user.v2.UserService/"
V1 = "zitadel.management.v1.ManagementService/"
INSTANCES = "zitadel.instance.v2.InstanceService/"
SETTINGS = "zitadel.settings.v2.SettingsService/"
SESSIONS = "zitadel.session.v2.SessionService/"
BETA = "zitadel.org.v2beta.OrganizationService/"
ACTIONS = "zitadel.action.v2.ActionService/"
LONG, TWICE = "x" * 201, ["a", "a"]
ADMIN = {"userId": "1", "resource": {"instance": True}, "roles": ["IAM_OWNER"]}
APP = {"projectId": "1", "name": "a"}
WORDS = {"instance": True, "locale": "en"}

BROKEN = [
    (HELD + "UpdateAuthorization", {"id": "1", "roleKeys": ["a", ""]}, "api.length", "roleKeys[1]"),
    (HELD + "UpdateAuthorization", {"id": "1", "roleKeys": [LONG]}, "api.length", "roleKeys[0]"),
    (HELD + "UpdateAuthorization", {"id": "1", "roleKeys": TWICE}, "api.item_twice", "roleKeys"),
    (HELD + "ListAuthorizations", {"filters": [{"inUserIds": {"ids": TWICE}}]}, "api.item_twice", "ids"),
    (ADMINS + "UpdateAdministrator", ADMIN | {"roles": TWICE}, "api.item_twice", "roles"),
    (ADMINS + "UpdateAdministrator", ADMIN | {"resource": {"instance": False}}, "api.only_true", "resource.instance"),
    (USERS + "DeleteUserMetadata", {"userId": "1", "keys": [LONG]}, "api.length", "keys[0]"),
    (USERS + "SetPhone", {"userId": "1", "phone": "+417", "isVerified": False}, "api.only_true", "isVerified"),
    (V1 + "BulkRemoveUserMetadata", {"id": "1", "keys": [""]}, "api.length", "keys[0]"),
    (V1 + "AddOIDCApp", {"projectId": "1", "name": "a", "redirectUris": ["a\0"]}, "api.length", "redirectUris[0]"),
    (APPS + "CreateApplication", APP | {"oidcConfiguration": {"responseTypes": [0]}}, "api.enum_unknown", "Types[0]"),
    (ACTIONS + "SetExecution", {"condition": {"event": {"all": False}}}, "api.only_true", "condition.event.all"),
    (BETA + "ListOrganizations", {"filter": [{"idFilter": {"id": "1"}}] * 101}, "api.too_many_items", "filter"),
    (SETTINGS + "GetLoginSettings", {"ctx": {"instance": False}}, "api.only_true", "ctx.instance"),
    (SETTINGS + "SetHostedLoginTranslation", WORDS | {"translations": {"a": {"b": ["\0"]}}}, "api.length", ""),
    (SETTINGS + "SetHostedLoginTranslation", WORDS | {"translations": {"\0": 1}}, "api.length", ""),
    (SESSIONS + "CreateSession", {"metadata": {"\0": "YQ=="}}, "api.length", "metadata"),
    (SESSIONS + "CreateSession", {"userAgent": {"header": {"a": {"values": ["\0"]}}}}, "api.length", "values[0]"),
]


@pytest.mark.parametrize(("name", "body", "code", "field"), BROKEN)
def test_a_broken_limit_is_refused_and_its_field_named(name, body, code, field):
    with pytest.raises(InvalidInput) as refused:
        check(json_format.ParseDict(body, method(name).request()))
    assert refused.value.code == code and refused.value.field.endswith(field)


KEPT = [
    (HELD + "UpdateAuthorization", {"id": "1", "roleKeys": ["a", "b" * 200]}),
    (ADMINS + "UpdateAdministrator", ADMIN),
    (V1 + "AddOIDCApp", {"projectId": "1", "name": "a", "redirectUris": TWICE, "responseTypes": [0, 0]}),
    (SESSIONS + "CreateSession", {"metadata": {"a": "AA=="}}),
    (SETTINGS + "SetHostedLoginTranslation", WORDS | {"translations": {"a": {"b": [1, None, "c"]}}}),
]


@pytest.mark.parametrize(("name", "body"), KEPT)
def test_what_keeps_the_limits_passes(name, body):
    check(json_format.ParseDict(body, method(name).request()))


def test_false_for_the_instance_makes_nobody_its_administrator(house):
    name, person = ADMINS + "CreateAdministrator", house.person("gigi")
    meta = RequestMeta("localhost", headers={"authorization": f"Bearer {house.pat}"})
    body = ADMIN | {"userId": person, "resource": {"instance": False}}
    with pytest.raises(InvalidInput):
        invoke(name, json_format.ParseDict(body, method(name).request()), meta)
    assert not MembershipRow.objects.filter(user_id=person).exists()


def test_the_document_tells_limits_of_items_and_switches():
    schemas = built()["components"]["schemas"]
    hosts = schemas["zitadel.instance.v1.DomainsQuery"]["properties"]["domains"]
    assert (hosts["maxItems"], hosts["items"]["maxLength"]) == (20, 100)
    assert schemas["zitadel.action.v2.EventExecution"]["properties"]["all"]["const"] is True


def test_settings_of_saml_are_refused_not_left_out(house, api):
    project = api.post("/v2/projects", {"name": "Shop"}).json()["id"]
    app = api.post(f"/v2/projects/{project}/apps/api", {"name": "api"}).json()["appId"]
    meta = RequestMeta("localhost", headers={"authorization": f"Bearer {house.pat}"})
    body = {
        "projectId": project,
        "applicationId": app,
        "name": "new",
        "samlConfiguration": {"metadataUrl": "https://a"},
    }
    with pytest.raises(Unimplemented, match="SAML"):
        invoke(
            APPS + "UpdateApplication", json_format.ParseDict(body, method(APPS + "UpdateApplication").request()), meta
        )
    assert AppRow.objects.get(id=app).name == "api"


@pytest.fixture
def app(api):
    """An application that may have keys."""
    project = api.post("/v2/projects", {"name": "Shop"}).json()["id"]
    body = {"name": "api", "authMethodType": "API_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT"}
    return (
        f"/management/v1/projects/{project}/apps/{api.post(f'/v2/projects/{project}/apps/api', body).json()['appId']}"
    )


@pytest.mark.parametrize("end", ["1970-01-01T00:00:00Z", "2020-01-01T00:00:00Z"])
def test_an_end_that_is_over_is_refused_and_the_epoch_is_no_lack_of_an_end(house, api, app, end):
    robot, _ = house.machine("robot")
    for path in (f"/v2/users/{robot}", f"/management/v1/users/{robot}", app):
        for kind in ("keys", "pats") if path != app else ("keys",):
            body = {"expirationDate": end} | ({} if path.startswith("/v2") or kind == "pats" else {"type": 1})
            refused = api.post(f"{path}/{kind}", body)
            assert (refused.status_code, "COMMAND-dv3t5" in refused.json()["message"]) == (400, True), (path, kind)


@pytest.mark.parametrize(("method_number", "number"), [(0, 0), (1, 1), (2, 1), (3, 0), (4, 0)])
def test_lists_are_asked_about_the_epoch(house, method_number, number):
    when = {"timestamp": "1970-01-01T00:00:00Z", "method": method_number}
    name = ADMINS + "ListAdministrators"
    body = {"filters": [{"creationDate": when}], "pagination": {"limit": 1}}
    meta = RequestMeta("localhost", headers={"authorization": f"Bearer {house.pat}"})
    found = invoke(name, json_format.ParseDict(body, method(name).request()), meta)
    assert len(found.administrators) == number


def test_n01_a_field_in_both_spellings_is_sent_twice(api):
    body = {"organizationId": "1", "organization_id": "2", "username": "robot", "machine": {"name": "Robot"}}
    refused = api.post("/v2/users/new", body)
    assert (refused.status_code, "API-tw1ce" in refused.json()["message"]) == (400, True)
    inside = {"username": "robot", "human": {"profile": {"givenName": "a", "given_name": "b", "familyName": "c"}}}
    with pytest.raises(InvalidInput) as refusal:
        check_words(inside, method(USERS + "CreateUser").request().DESCRIPTOR)
    assert (refusal.value.code, refusal.value.field) == ("api.member_twice", "human.profile.givenName")
