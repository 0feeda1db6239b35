"""The Python package zitadel-client against the real server, with each of its three authenticators."""

import json
import urllib.request
import uuid

import pytest
import zitadel_client as sdk
from zitadel_client import Zitadel
from zitadel_client.exceptions import ApiError


def rest(server, path, body=None):
    request = urllib.request.Request(server.url + path, json.dumps(body).encode() if body is not None else None)
    request.add_header("Authorization", f"Bearer {server.pat}")
    request.add_header("Content-Type", "application/json")
    return json.load(urllib.request.urlopen(request))


def client_of(kind, server):
    if kind == "access token":
        return Zitadel.with_access_token(server.url, server.pat)
    if kind == "private key":
        return Zitadel.with_private_key(server.url, str(server.var / "admin-key.json"))
    admin = rest(server, "/v2/users", {"queries": [{"userNameQuery": {"userName": "admin-api"}}]})["result"][0][
        "userId"
    ]
    secret = rest(server, f"/v2/users/{admin}/secret", {})["clientSecret"]
    return Zitadel.with_client_credentials(server.url, "admin-api", secret)


@pytest.fixture(params=["access token", "private key", "client credentials"])
def zitadel(request, server):
    return client_of(request.param, server)


@pytest.fixture
def org(server):
    return rest(server, "/management/v1/orgs/me")["org"]["id"]


def test_users(zitadel, org):
    name = uuid.uuid4().hex[:12]
    human = {
        "profile": {"givenName": "Ada", "familyName": "L"},
        "email": {"email": f"{name}@example.com", "isVerified": True},
    }
    body = sdk.UserServiceCreateUserRequest.from_dict({"organizationId": org, "username": name, "human": human})
    id = zitadel.users.create_user(body).id
    user = zitadel.users.get_user_by_id(sdk.UserServiceGetUserByIDRequest(user_id=id)).user
    assert user.username == name
    change = {"userId": id, "human": {"profile": {"givenName": "Augusta"}}}
    zitadel.users.update_user(sdk.UserServiceUpdateUserRequest.from_dict(change))
    query = {"queries": [{"userNameQuery": {"userName": name, "method": "TEXT_QUERY_METHOD_EQUALS"}}]}
    found = zitadel.users.list_users(sdk.UserServiceListUsersRequest.from_dict(query)).result
    assert [one.to_dict()["human"]["profile"]["givenName"] for one in found] == ["Augusta"]
    zitadel.users.deactivate_user(sdk.UserServiceDeactivateUserRequest(user_id=id))
    with pytest.raises(ApiError):
        zitadel.users.deactivate_user(sdk.UserServiceDeactivateUserRequest(user_id=id))
    zitadel.users.delete_user(sdk.UserServiceDeleteUserRequest(user_id=id))


def test_organizations_projects_and_applications(zitadel):
    name = uuid.uuid4().hex[:12]
    org = zitadel.organizations.add_organization(
        sdk.OrganizationServiceAddOrganizationRequest(name=name)
    ).organization_id
    project = zitadel.projects.create_project(
        sdk.ProjectServiceCreateProjectRequest(organization_id=org, name=name)
    ).project_id
    assert zitadel.projects.get_project(sdk.ProjectServiceGetProjectRequest(project_id=project)).project.name == name
    oidc = {"redirectUris": ["https://a.example/cb"], "responseTypes": ["OIDC_RESPONSE_TYPE_CODE"]}
    body = {"projectId": project, "name": "web", "oidcConfiguration": oidc}
    made = zitadel.applications.create_application(sdk.ApplicationServiceCreateApplicationRequest.from_dict(body))
    told = made.to_dict()
    assert told["oidcConfiguration"]["clientId"] and told["oidcConfiguration"]["clientSecret"]
    listed = zitadel.applications.list_applications(
        sdk.ApplicationServiceListApplicationsRequest.from_dict(
            {"filters": [{"projectIdFilter": {"projectId": project}}]}
        )
    )
    assert [one.name for one in listed.applications] == ["web"]


def test_the_beta_services(zitadel):
    name = uuid.uuid4().hex[:12]
    request = sdk.BetaOrganizationServiceCreateOrganizationRequest(name=name)
    org = zitadel.beta_organizations.create_organization(request).id
    query = {"filter": [{"nameFilter": {"name": name}}]}
    found = zitadel.beta_organizations.list_organizations(
        sdk.BetaOrganizationServiceListOrganizationsRequest.from_dict(query)
    )
    assert [(one.id, one.name) for one in found.organizations] == [(org, name)]
    body = {"organizationId": org, "name": name, "projectRoleAssertion": True}
    project = zitadel.beta_projects.create_project(sdk.BetaProjectServiceCreateProjectRequest.from_dict(body)).id
    got = zitadel.beta_projects.get_project(sdk.BetaProjectServiceGetProjectRequest(id=project)).project
    assert (got.id, got.name, got.project_role_assertion) == (project, name, True)
    body = {"projectId": project, "name": "api", "apiRequest": {"authMethodType": "API_AUTH_METHOD_TYPE_BASIC"}}
    made = zitadel.beta_apps.create_application(sdk.BetaAppServiceCreateApplicationRequest.from_dict(body)).to_dict()
    assert made["appId"] and made["apiResponse"]["clientSecret"]
    human = {
        "username": name,
        "organization": {"orgId": org},
        "profile": {"givenName": "Ada", "familyName": "L"},
        "email": {"email": f"{name}@example.com", "isVerified": True},
    }
    user = zitadel.beta_users.add_human_user(sdk.BetaUserServiceAddHumanUserRequest.from_dict(human)).user_id
    seen = zitadel.beta_users.get_user_by_id(sdk.BetaUserServiceGetUserByIDRequest(user_id=user)).user
    assert (seen.user_id, seen.username) == (user, name)
    with pytest.raises(ApiError) as refused:
        zitadel.beta_projects.get_project(sdk.BetaProjectServiceGetProjectRequest(id="1"))
    assert refused.value.response_body["code"] == "not_found"
