"""What the Terraform provider sends over gRPC, replayed: create, read, update, read, delete, read (NOT_FOUND).

Every call carries an empty `x-zitadel-orgid`, as the provider's does when `org_id` is not set (reference/clients.md §4).
"""

import base64
import json

import pytest

from tests.clients.provider import ACTION, APPLICATION, ORG, PROJECT, A, M, is_id, unique


def test_org(terraform):
    before = terraform(A, "GetDefaultOrg")["org"]["id"]
    name, other = unique("acme"), unique("acme")
    id = terraform(ORG, "AddOrganization", name=name)["organizationId"]
    terraform(A, "SetDefaultOrg", orgId=id)
    read = terraform(A, "GetOrgByID", id=id)["org"]
    assert (is_id(id), read["id"], read["name"], read["state"]) == (True, id, name, "ORG_STATE_ACTIVE")
    assert read["primaryDomain"] == f"{name}.localhost"
    assert terraform(A, "GetDefaultOrg")["org"]["id"] == id
    terraform(A, "SetDefaultOrg", orgId=before)
    terraform(ORG, "UpdateOrganization", organizationId=id, name=other)
    assert terraform(A, "GetOrgByID", id=id)["org"]["name"] == other
    terraform(ORG, "DeleteOrganization", organizationId=id)
    terraform.gone(A, "GetOrgByID", id=id)


def test_organization(terraform):
    id = terraform(ORG, "AddOrganization", name=unique("acme"))["organizationId"]
    asked = {"queries": [{"idQuery": {"id": id}}]}
    assert [one["id"] for one in terraform(ORG, "ListOrganizations", **asked)["result"]] == [id]
    terraform(ORG, "DeleteOrganization", organizationId=id)
    assert "result" not in terraform(ORG, "ListOrganizations", **asked)


def test_organization_domain_and_metadata(terraform, other_org):
    terraform(ORG, "AddOrganizationDomain", organizationId=other_org, domain="acme.example")
    asked = {"organizationId": other_org, "filters": [{"domainFilter": {"domain": "acme.example"}}]}
    (domain,) = terraform(ORG, "ListOrganizationDomains", **asked)["domains"]
    assert (domain["domain"], domain["isVerified"]) == ("acme.example", True)
    terraform(ORG, "DeleteOrganizationDomain", organizationId=other_org, domain="acme.example")
    assert "domains" not in terraform(ORG, "ListOrganizationDomains", **asked)
    value = base64.b64encode(b"v").decode()
    terraform(ORG, "SetOrganizationMetadata", organizationId=other_org, metadata=[{"key": "k", "value": value}])
    asked = {"organizationId": other_org, "filters": [{"keyFilter": {"key": "k"}}]}
    assert terraform(ORG, "ListOrganizationMetadata", **asked)["metadata"][0]["value"] == value
    terraform(ORG, "DeleteOrganizationMetadata", organizationId=other_org, keys=["k"])
    assert "metadata" not in terraform(ORG, "ListOrganizationMetadata", **asked)


def test_domain_and_org_metadata_of_another_organization(terraform, other_org):
    terraform.org = other_org
    before = terraform(M, "GetMyOrg")["org"]["primaryDomain"]
    terraform(M, "AddOrgDomain", domain="acme.example")
    terraform(M, "SetPrimaryOrgDomain", domain="acme.example")
    primary = {one["domainName"]: one.get("isPrimary", False) for one in terraform(M, "ListOrgDomains")["result"]}
    assert primary == {"acme.example": True, before: False}
    terraform(M, "SetPrimaryOrgDomain", domain=before)
    terraform(M, "RemoveOrgDomain", domain="acme.example")
    terraform.gone(M, "RemoveOrgDomain", domain="acme.example")
    for value in ("dg==", "dw=="):
        terraform(M, "SetOrgMetadata", key="k", value=value)
        assert terraform(M, "GetOrgMetadata", key="k")["metadata"]["value"] == value
    terraform(M, "RemoveOrgMetadata", key="k")
    terraform.gone(M, "GetOrgMetadata", key="k")


def test_project(terraform):
    name = unique("billing")
    settings = {
        "projectRoleAssertion": True,
        "projectRoleCheck": True,
        "hasProjectCheck": True,
        "privateLabelingSetting": "PRIVATE_LABELING_SETTING_ENFORCE_PROJECT_RESOURCE_OWNER_POLICY",
    }
    id = terraform(M, "AddProject", name=name, **settings)["id"]
    read = terraform(M, "GetProjectByID", id=id)["project"]
    assert is_id(id)
    assert {key: read[key] for key in ("name", "state", *settings)} == {
        "name": name,
        "state": "PROJECT_STATE_ACTIVE",
        **settings,
    }
    terraform(M, "UpdateProject", id=id, name=f"{name}-2")
    read = terraform(M, "GetProjectByID", id=id)["project"]
    assert read["name"] == f"{name}-2"
    assert not set(settings) & set(read)  # whatever an update of v1 does not send is at its default
    terraform(M, "RemoveProject", id=id)
    terraform.gone(M, "GetProjectByID", id=id)


def test_project_role(terraform, project):
    asked = {"projectId": project, "queries": [{"keyQuery": {"key": "a/dmin", "method": "TEXT_QUERY_METHOD_EQUALS"}}]}
    terraform(M, "AddProjectRole", projectId=project, roleKey="a/dmin", displayName="Admin", group="g")
    terraform(M, "AddProjectRole", projectId=project, roleKey="a/dmin2", displayName="Admin")
    (role,) = terraform(M, "ListProjectRoles", **asked)["result"]
    assert (role["key"], role["displayName"], role["group"]) == ("a/dmin", "Admin", "g")
    terraform(M, "UpdateProjectRole", projectId=project, roleKey="a/dmin", displayName="Boss")
    (role,) = terraform(M, "ListProjectRoles", **asked)["result"]
    assert (role["displayName"], role.get("group")) == ("Boss", None)
    terraform(M, "RemoveProjectRole", projectId=project, roleKey="a/dmin")
    answer = terraform(M, "ListProjectRoles", **asked)
    assert ("result" in answer, answer["details"].get("totalResult")) == (False, None)


URIS = ["https://z.example/cb", "https://a.example/cb", "https://m.example/cb"]


def test_application_oidc(terraform, project):
    sent = {
        "redirectUris": URIS,
        "responseTypes": ["OIDC_RESPONSE_TYPE_CODE"],
        "grantTypes": ["OIDC_GRANT_TYPE_REFRESH_TOKEN", "OIDC_GRANT_TYPE_AUTHORIZATION_CODE"],
        "appType": "OIDC_APP_TYPE_USER_AGENT",
        "authMethodType": "OIDC_AUTH_METHOD_TYPE_POST",
        "postLogoutRedirectUris": ["https://z.example/", "https://a.example/"],
        "accessTokenType": "OIDC_TOKEN_TYPE_JWT",
        "accessTokenRoleAssertion": True,
        "idTokenRoleAssertion": True,
        "idTokenUserinfoAssertion": True,
        "clockSkew": "1.500s",
        "additionalOrigins": ["https://y.example", "https://b.example"],
        "skipNativeAppSuccessPage": True,
        "backChannelLogoutUri": "https://z.example/out",
        "loginVersion": {"loginV2": {"baseUri": "https://login.example"}},
    }
    made = terraform(M, "AddOIDCApp", projectId=project, name="web", **sent)
    where = {"projectId": project, "appId": made["appId"]}
    assert (is_id(made["appId"]), is_id(made["clientId"]), len(made["clientSecret"])) == (True, True, 64)
    problem = "Application.OIDC.V1.UserAgent.AuthMethodType.NotNone"
    assert (made["noneCompliant"], [one["key"] for one in made["complianceProblems"]]) == (True, [problem])
    read = terraform(M, "GetAppByID", **where)["app"]
    config = read["oidcConfig"]
    assert {key: config.get(key) for key in sent if key != "responseTypes"} == {
        key: value for key, value in sent.items() if key != "responseTypes"
    }
    assert config["responseTypes"] == sent["responseTypes"]
    assert (read["name"], config["clientId"], config["noneCompliant"]) == ("web", made["clientId"], True)
    terraform(M, "UpdateApp", **where, name="spa")
    less = {
        "redirectUris": URIS[::-1],
        "responseTypes": ["OIDC_RESPONSE_TYPE_CODE"],
        "grantTypes": ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE"],
        "authMethodType": "OIDC_AUTH_METHOD_TYPE_NONE",
    }
    terraform(M, "UpdateOIDCAppConfig", **where, **less)
    read = terraform(M, "GetAppByID", **where)["app"]
    config = read["oidcConfig"]
    assert read["name"] == "spa"
    assert {key: config.get(key) for key in less} == less
    assert config["clockSkew"] == "0s"
    assert not {"loginVersion", "additionalOrigins", "noneCompliant", "complianceProblems"} & set(config)
    terraform(M, "RemoveApp", **where)
    terraform.gone(M, "GetAppByID", **where)


def test_application_api_and_application_key(terraform, project):
    made = terraform(M, "AddAPIApp", projectId=project, name="api", authMethodType="API_AUTH_METHOD_TYPE_BASIC")
    where = {"projectId": project, "appId": made["appId"]}
    assert terraform(M, "GetAppByID", **where)["app"]["apiConfig"]["clientId"] == made["clientId"]
    again = terraform(M, "RegenerateAPIClientSecret", **where)["clientSecret"]
    assert (len(again), again != made["clientSecret"]) == (64, True)
    terraform(M, "UpdateAPIAppConfig", **where, authMethodType="API_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT")
    config = terraform(M, "GetAppByID", **where)["app"]["apiConfig"]
    assert config["authMethodType"] == "API_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT"
    until = "2519-04-01T08:45:00Z"
    key = terraform(M, "AddAppKey", **where, type="KEY_TYPE_JSON", expirationDate=until)
    file = json.loads(base64.b64decode(key["keyDetails"]))
    assert (file["type"], file["keyId"], file["appId"]) == ("application", key["id"], made["appId"])
    assert file["key"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    read = terraform(M, "GetAppKey", **where, keyId=key["id"])["key"]
    assert (read["id"], read["type"], read["expirationDate"]) == (key["id"], "KEY_TYPE_JSON", until)
    terraform(M, "RemoveAppKey", **where, keyId=key["id"])
    terraform.gone(M, "GetAppKey", **where, keyId=key["id"])
    terraform(M, "RemoveApp", **where)
    terraform.gone(M, "GetAppByID", **where)


def with_roles(terraform, project, *keys):
    roles = [{"key": key, "displayName": key} for key in keys]
    terraform(M, "BulkAddProjectRoles", projectId=project, roles=roles)


def test_project_grant_with_members(terraform, project, other_org, machine):
    with_roles(terraform, project, "a", "b", "c")
    grant = terraform(M, "AddProjectGrant", projectId=project, grantedOrgId=other_org, roleKeys=["c", "a"])["grantId"]
    where = {"projectId": project, "grantId": grant}
    read = terraform(M, "GetProjectGrantByID", **where)["projectGrant"]
    assert (is_id(grant), read["grantedOrgId"], read["grantedRoleKeys"]) == (True, other_org, ["c", "a"])
    terraform(M, "UpdateProjectGrant", **where, roleKeys=["a", "c", "b"])
    assert terraform(M, "GetProjectGrantByID", **where)["projectGrant"]["grantedRoleKeys"] == ["a", "c", "b"]
    members = {"read": "ListProjectGrantMembers", "noun": "ProjectGrantMember", "where": where}
    follow_member(terraform, machine, **members, roles=(["PROJECT_GRANT_OWNER"], ["PROJECT_GRANT_OWNER_VIEWER"]))
    terraform(M, "RemoveProjectGrant", **where)
    terraform.gone(M, "GetProjectGrantByID", **where)


def follow_member(terraform, machine, *, read, noun, where, roles):
    """Add, list, change, list, remove, list; a removal that is repeated succeeds, as v2's does."""
    asked = {**where, "queries": [{"userIdQuery": {"userId": machine}}]}
    for verb, given in zip(("Add", "Update"), roles, strict=True):
        terraform(M, f"{verb}{noun}", **where, userId=machine, roles=given)
        (member,) = terraform(M, read, **asked)["result"]
        assert (member["userId"], member["roles"]) == (machine, given)
    terraform(M, f"Remove{noun}", **where, userId=machine)
    assert "result" not in terraform(M, read, **asked)
    terraform(M, f"Remove{noun}", **where, userId=machine)
    assert "result" not in terraform(M, read, **asked)


def test_org_member(terraform, machine):
    roles = (["ORG_OWNER", "ORG_OWNER_VIEWER"], ["ORG_USER_MANAGER"])
    follow_member(terraform, machine, read="ListOrgMembers", noun="OrgMember", where={}, roles=roles)


def test_project_member(terraform, project, machine):
    where = {"projectId": project}
    roles = (["PROJECT_OWNER"], ["PROJECT_OWNER_VIEWER"])
    follow_member(terraform, machine, read="ListProjectMembers", noun="ProjectMember", where=where, roles=roles)


def test_user_grant(terraform, project, machine):
    with_roles(terraform, project, "a", "b")
    given = terraform(M, "AddUserGrant", userId=machine, projectId=project, roleKeys=["b", "a"])["userGrantId"]
    where = {"userId": machine, "grantId": given}
    read = terraform(M, "GetUserGrantByID", **where)["userGrant"]
    assert (is_id(given), read["projectId"], read["roleKeys"], read["userId"]) == (True, project, ["b", "a"], machine)
    terraform(M, "UpdateUserGrant", **where, roleKeys=["a", "b"])
    assert terraform(M, "GetUserGrantByID", **where)["userGrant"]["roleKeys"] == ["a", "b"]
    terraform(M, "RemoveUserGrant", **where)
    terraform.gone(M, "GetUserGrantByID", **where)


def test_user_grant_of_a_project_that_was_lent(terraform, project, other_org, machine):
    with_roles(terraform, project, "a", "b")
    grant = terraform(M, "AddProjectGrant", projectId=project, grantedOrgId=other_org, roleKeys=["a"])["grantId"]
    terraform.org = other_org
    asked = {"userId": machine, "projectId": project, "projectGrantId": grant, "roleKeys": ["a"]}
    given = terraform(M, "AddUserGrant", **asked)["userGrantId"]
    read = terraform(M, "GetUserGrantByID", userId=machine, grantId=given)["userGrant"]
    assert (read["projectGrantId"], read["grantedOrgId"]) == (grant, other_org)
    (lent,) = terraform(M, "ListGrantedProjects")["result"]
    assert (lent["projectId"], lent["grantId"]) == (project, grant)
    terraform(M, "RemoveUserGrant", userId=machine, grantId=given)
    terraform.org = ""  # what follows is removed at home; the other organization goes first (checklist T03)


def test_project_v2_and_application_v2(terraform):
    org = terraform(M, "GetMyOrg")["org"]["id"]
    name, chosen = unique("v2"), unique("id")
    id = terraform(PROJECT, "CreateProject", organizationId=org, name=name, projectId=chosen)["projectId"]
    assert id == chosen
    terraform(PROJECT, "UpdateProject", projectId=id, authorizationRequired=True)
    read = terraform(PROJECT, "GetProject", projectId=id)["project"]
    assert (read["name"], read["organizationId"], read["authorizationRequired"]) == (name, org, True)
    config = {"redirectUris": URIS, "responseTypes": ["OIDC_RESPONSE_TYPE_CODE"]}
    config["grantTypes"] = ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE"]
    app = terraform(APPLICATION, "CreateApplication", projectId=id, name="web", oidcConfiguration=config)
    app_id = app["applicationId"]
    read = terraform(APPLICATION, "GetApplication", applicationId=app_id)["application"]["oidcConfiguration"]
    assert {key: read[key] for key in config} == config
    less = {"redirectUris": URIS[:1]}
    where = {"projectId": id, "applicationId": app_id}
    terraform(APPLICATION, "UpdateApplication", **where, oidcConfiguration=less)
    found = terraform(APPLICATION, "ListApplications", filters=[{"projectIdFilter": {"projectId": id}}])
    assert found["applications"][0]["oidcConfiguration"]["redirectUris"] == URIS[:1]
    terraform(APPLICATION, "DeleteApplication", **where)
    terraform.gone(APPLICATION, "GetApplication", applicationId=app_id)
    terraform(PROJECT, "DeleteProject", projectId=id)
    terraform.gone(PROJECT, "GetProject", projectId=id)


def test_action_target(terraform):
    name = unique("crm")
    asked = {"restWebhook": {"interruptOnError": True}, "timeout": "10s", "payloadType": "PAYLOAD_TYPE_JSON"}
    made = terraform(ACTION, "CreateTarget", name=name, endpoint="https://hooks.example.com/a", **asked)
    id, key = made["id"], made["signingKey"]
    read = terraform(ACTION, "GetTarget", id=id)["target"]
    assert (is_id(id), bool(key), read["signingKey"]) == (True, True, key)
    wanted = {"id": id, "name": name, "endpoint": "https://hooks.example.com/a", **asked}
    assert {field: read[field] for field in wanted} == wanted
    changes = {"name": unique("erp"), "endpoint": "https://hooks.example.com:8443/b", "timeout": "20s", "restAsync": {}}
    assert "signingKey" not in terraform(ACTION, "UpdateTarget", id=id, **changes)
    read = terraform(ACTION, "GetTarget", id=id)["target"]
    assert {field: read[field] for field in changes} == changes and read["signingKey"] == key
    renewed = terraform(ACTION, "UpdateTarget", id=id, expirationSigningKey="0s")["signingKey"]
    assert terraform(ACTION, "GetTarget", id=id)["target"]["signingKey"] == renewed != key
    terraform(ACTION, "DeleteTarget", id=id)
    terraform.gone(ACTION, "GetTarget", id=id)


@pytest.mark.parametrize("condition", [{"event": "user.human.added"}, {"group": "user.human"}, {"all": True}])
def test_action_execution_event(terraform, condition):
    """The provider looks at each target, sets the execution, and reads it from the list."""
    hook = {"restWebhook": {}, "timeout": "10s", "endpoint": "https://hooks.example.com/a"}
    targets = [terraform(ACTION, "CreateTarget", name=unique("hook"), **hook)["id"] for _ in range(2)]
    for id in targets:
        terraform(ACTION, "GetTarget", id=id)
    on = {"event": condition}
    listed = lambda: terraform(ACTION, "ListExecutions", filters=[{"inConditionsFilter": {"conditions": [on]}}])
    for wanted in (targets, targets[1:]):
        assert terraform(ACTION, "SetExecution", condition=on, targets=wanted)["setDate"]
        (read,) = listed()["executions"]
        assert (read["condition"], read["targets"]) == (on, wanted)
    terraform(ACTION, "SetExecution", condition=on)
    assert "executions" not in listed()
    for id in targets:
        terraform(ACTION, "DeleteTarget", id=id)
        terraform.gone(ACTION, "GetTarget", id=id)
