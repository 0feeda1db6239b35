"""Create, get, list, update and delete of every kind of thing with the Python package, asserting on what it returns; and
the cases of the package's own integration suite (reference/clients.md §1)."""

import typing
import uuid

import pytest
from zitadel_client import Zitadel
from zitadel_client.exceptions import ApiError, ZitadelError

from tests.clients.test_zitadel_client import client_of, rest

KINDS = ("access token", "private key", "client credentials")


def ask(zitadel, service: str, method: str, **body):
    """A call with a body in JSON spelling; the answer as a dict. A swallowed answer would be None and fail here."""
    function = getattr(getattr(zitadel, service), method)
    wanted = next(iter(typing.get_type_hints(function).values()))
    request = next((one for one in (*typing.get_args(wanted), wanted) if hasattr(one, "from_dict")), None)
    answer = function(request.from_dict(body) if request else body)
    assert answer is not None, f"{service}.{method} was not understood"
    return answer.to_dict()


@pytest.fixture(scope="module")
def zitadel(server):
    return client_of("access token", server)


@pytest.fixture
def name():
    return uuid.uuid4().hex[:12]


@pytest.fixture
def org(zitadel, name):
    return ask(zitadel, "organizations", "add_organization", name=name)["organizationId"]


@pytest.fixture
def project(zitadel, org, name):
    return ask(zitadel, "projects", "create_project", organizationId=org, name=name)["projectId"]


@pytest.fixture
def person(zitadel, org, name):
    human = {"profile": {"givenName": "Ada", "familyName": "L"}, "email": {"email": f"{name}@example.com"}}
    return ask(zitadel, "users", "create_user", organizationId=org, username=name, human=human)["id"]


def test_organizations(zitadel, org, name):
    found = ask(zitadel, "organizations", "list_organizations", queries=[{"idQuery": {"id": org}}])["result"]
    assert [(one["id"], one["name"], one["state"]) for one in found] == [(org, name, "ORGANIZATION_STATE_ACTIVE")]
    assert ask(zitadel, "organizations", "update_organization", organizationId=org, name=f"{name} 2")["changeDate"]
    ask(
        zitadel,
        "organizations",
        "set_organization_metadata",
        organizationId=org,
        metadata=[{"key": "k", "value": "dg=="}],
    )
    told = ask(zitadel, "organizations", "list_organization_metadata", organizationId=org)["metadata"]
    assert [one["key"] for one in told] == ["k"]
    ask(zitadel, "organizations", "add_organization_domain", organizationId=org, domain=f"{name}.example.com")
    domains = ask(zitadel, "organizations", "list_organization_domains", organizationId=org)["domains"]
    assert f"{name}.example.com" in [one["domain"] for one in domains]
    ask(zitadel, "organizations", "deactivate_organization", organizationId=org)
    ask(zitadel, "organizations", "activate_organization", organizationId=org)
    assert ask(zitadel, "organizations", "delete_organization", organizationId=org)["deletionDate"]
    assert not ask(zitadel, "organizations", "list_organizations", queries=[{"idQuery": {"id": org}}]).get("result")


def test_projects_roles_and_grants(zitadel, org, project, name):
    ask(zitadel, "projects", "update_project", projectId=project, name=f"{name} 2", authorizationRequired=True)
    got = ask(zitadel, "projects", "get_project", projectId=project)["project"]
    assert (got["name"], got["authorizationRequired"]) == (f"{name} 2", True)
    ask(zitadel, "projects", "add_project_role", projectId=project, roleKey="admin", displayName="Admin")
    ask(zitadel, "projects", "update_project_role", projectId=project, roleKey="admin", displayName="Boss")
    roles = ask(zitadel, "projects", "list_project_roles", projectId=project)["projectRoles"]
    assert [(one["key"], one["displayName"]) for one in roles] == [("admin", "Boss")]
    other = ask(zitadel, "organizations", "add_organization", name=f"{name} other")["organizationId"]
    grant = {"projectId": project, "grantedOrganizationId": other}
    ask(zitadel, "projects", "create_project_grant", **grant, roleKeys=["admin"])
    grants = ask(zitadel, "projects", "list_project_grants", filters=[{"inProjectIdsFilter": {"ids": [project]}}])
    assert [one["grantedOrganizationId"] for one in grants["projectGrants"]] == [other]
    ask(zitadel, "projects", "deactivate_project_grant", **grant)
    ask(zitadel, "projects", "activate_project_grant", **grant)
    ask(zitadel, "projects", "update_project_grant", **grant, roleKeys=[])
    ask(zitadel, "projects", "delete_project_grant", **grant)
    ask(zitadel, "projects", "remove_project_role", projectId=project, roleKey="admin")
    ask(zitadel, "projects", "delete_project", projectId=project)
    with pytest.raises(ApiError) as gone:
        ask(zitadel, "projects", "get_project", projectId=project)
    assert gone.value.code == 404


def test_applications_and_their_keys(zitadel, project, name):
    api = {"authMethodType": "API_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT"}
    made = ask(zitadel, "applications", "create_application", projectId=project, name=name, apiConfiguration=api)
    app = made["applicationId"]
    where = {"applicationId": app, "projectId": project}
    ask(zitadel, "applications", "update_application", **where, name=f"{name} 2")
    assert ask(zitadel, "applications", "get_application", applicationId=app)["application"]["name"] == f"{name} 2"
    key = ask(zitadel, "applications", "create_application_key", **where, expirationDate="2030-01-01T00:00:00Z")[
        "keyId"
    ]
    assert ask(zitadel, "applications", "get_application_key", keyId=key)["keyId"] == key
    listed = ask(
        zitadel, "applications", "list_application_keys", filters=[{"applicationIdFilter": {"applicationId": app}}]
    )
    assert [one["keyId"] for one in listed["keys"]] == [key]
    ask(zitadel, "applications", "delete_application_key", keyId=key, **where)
    ask(zitadel, "applications", "deactivate_application", **where)
    ask(zitadel, "applications", "reactivate_application", **where)
    ask(zitadel, "applications", "delete_application", **where)
    with pytest.raises(ApiError) as gone:
        ask(zitadel, "applications", "get_application", applicationId=app)
    assert gone.value.code == 404


def test_authorizations(zitadel, org, project, person):
    ask(zitadel, "projects", "add_project_role", projectId=project, roleKey="admin", displayName="Admin")
    body = {"userId": person, "projectId": project, "organizationId": org, "roleKeys": ["admin"]}
    id = ask(zitadel, "authorizations", "create_authorization", **body)["id"]
    ask(zitadel, "authorizations", "update_authorization", id=id, roleKeys=[])
    ask(zitadel, "authorizations", "update_authorization", id=id, roleKeys=["admin"])
    ask(zitadel, "authorizations", "deactivate_authorization", id=id)
    ask(zitadel, "authorizations", "activate_authorization", id=id)
    query = [{"authorizationIds": {"ids": [id]}}]
    found = ask(zitadel, "authorizations", "list_authorizations", filters=query)["authorizations"]
    assert [(one["user"]["id"], [role["key"] for role in one["roles"]]) for one in found] == [(person, ["admin"])]
    ask(zitadel, "authorizations", "delete_authorization", id=id)
    assert not ask(zitadel, "authorizations", "list_authorizations", filters=query).get("authorizations")


def test_administrators(zitadel, org, person):
    who = {"userId": person, "resource": {"organizationId": org}}
    ask(zitadel, "internal_permissions", "create_administrator", **who, roles=["ORG_OWNER"])
    ask(zitadel, "internal_permissions", "update_administrator", **who, roles=["ORG_OWNER_VIEWER"])
    query = [{"inUserIdsFilter": {"ids": [person]}}]
    found = ask(zitadel, "internal_permissions", "list_administrators", filters=query)["administrators"]
    assert [one["roles"] for one in found] == [["ORG_OWNER_VIEWER"]]
    ask(zitadel, "internal_permissions", "delete_administrator", **who)
    assert not ask(zitadel, "internal_permissions", "list_administrators", filters=query).get("administrators")


def test_features(zitadel):
    ask(zitadel, "features", "set_instance_features", loginDefaultOrg=True)
    assert ask(zitadel, "features", "get_instance_features")["loginDefaultOrg"]["enabled"] is True
    ask(zitadel, "features", "reset_instance_features")
    assert ask(zitadel, "features", "get_instance_features") is not None


def test_web_keys(zitadel):
    id = ask(zitadel, "webkeys", "create_web_key", ed25519={})["id"]
    keys = {one["id"]: one["state"] for one in ask(zitadel, "webkeys", "list_web_keys")["webKeys"]}
    active = next(key for key, state in keys.items() if state == "STATE_ACTIVE")
    assert keys[id] == "STATE_INITIAL"
    ask(zitadel, "webkeys", "activate_web_key", id=id)
    ask(zitadel, "webkeys", "activate_web_key", id=active)
    ask(zitadel, "webkeys", "delete_web_key", id=id)
    assert id not in [one["id"] for one in ask(zitadel, "webkeys", "list_web_keys")["webKeys"]]


def test_settings(zitadel, org):
    for method in (
        "branding",
        "domain",
        "legal_and_support",
        "lockout",
        "login",
        "password_complexity",
        "password_expiry",
    ):
        told = ask(zitadel, "settings", f"get_{method}_settings", ctx={"orgId": org})
        assert told["settings"]["resourceOwnerType"] == "RESOURCE_OWNER_TYPE_INSTANCE", method
    assert ask(zitadel, "settings", "get_general_settings")["supportedLanguages"]
    ask(zitadel, "settings", "set_security_settings", enableImpersonation=False, embeddedIframe={"enabled": False})
    assert ask(zitadel, "settings", "get_security_settings")["settings"] is not None


def test_users_over_their_life(zitadel, person, name):
    """Upstream: add, get, list, update the address, and 404 for an id that is none."""
    assert ask(zitadel, "users", "get_user_by_id", userId=person)["user"]["username"] == name
    listed = ask(zitadel, "users", "list_users", queries=[{"inUserIdsQuery": {"userIds": [person]}}])
    assert [one["userId"] for one in listed["result"]] == [person]
    ask(zitadel, "users", "set_email", userId=person, email=f"{name}.2@example.com", isVerified=True)
    told = ask(zitadel, "users", "get_user_by_id", userId=person)["user"]["human"]["email"]
    assert (told["email"], told["isVerified"]) == (f"{name}.2@example.com", True)
    with pytest.raises(ApiError) as missing:
        ask(zitadel, "users", "get_user_by_id", userId=str(uuid.uuid4()))
    assert missing.value.code == 404


def test_a_person_added_the_older_way(zitadel, org, name):
    body = {
        "username": name,
        "organization": {"orgId": org},
        "profile": {"givenName": "John", "familyName": "Doe"},
        "email": {"email": f"{name}@example.com"},
    }
    assert ask(zitadel, "users", "add_human_user", **body)["userId"]


def test_sessions_over_their_life(zitadel, person, name):
    """Upstream: create by login name, get, list, set (a new token), and an error for an unknown id."""
    login = ask(zitadel, "users", "get_user_by_id", userId=person)["user"]["preferredLoginName"]
    made = ask(zitadel, "sessions", "create_session", checks={"user": {"loginName": login}}, lifetime="18000s")
    session = {"sessionId": made["sessionId"], "sessionToken": made["sessionToken"]}
    assert ask(zitadel, "sessions", "get_session", **session)["session"]["factors"]["user"]["id"] == person
    listed = ask(zitadel, "sessions", "list_sessions", queries=[{"idsQuery": {"ids": [made["sessionId"]]}}])
    assert [one["id"] for one in listed["sessions"]] == [made["sessionId"]]
    again = ask(zitadel, "sessions", "set_session", **session, lifetime="36000s")["sessionToken"]
    assert again != made["sessionToken"]
    ask(zitadel, "sessions", "delete_session", sessionId=made["sessionId"], sessionToken=again)
    with pytest.raises(ApiError):
        ask(zitadel, "sessions", "get_session", sessionId=str(uuid.uuid4()))


@pytest.mark.parametrize("kind", KINDS)
def test_general_settings_with_a_good_credential(server, kind):
    assert ask(client_of(kind, server), "settings", "get_general_settings")["defaultLanguage"] == "en"


def test_general_settings_with_a_bad_token(server):
    with pytest.raises(ApiError) as refused:
        ask(Zitadel.with_access_token(server.url, "invalid"), "settings", "get_general_settings")
    assert refused.value.code == 401


def test_general_settings_with_a_bad_secret(server):
    with pytest.raises(ZitadelError):
        ask(Zitadel.with_client_credentials(server.url, "admin-api", "invalid"), "settings", "get_general_settings")


def test_the_older_calls_that_the_suite_begins_with(server):
    found = rest(server, "/management/v1/global/users/_by_login_name?loginName=admin-api%40zitadel.localhost")
    assert found["user"]["id"]
