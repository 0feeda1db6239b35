"""Terraform's updates of projects, applications, roles and grants: all fields at once, twice, and the lists of data sources."""

import pytest

from tests.clients.provider import APPLICATION, ORG, PROJECT, A, M, part, unique

LABELING = "PRIVATE_LABELING_SETTING_ENFORCE_PROJECT_RESOURCE_OWNER_POLICY"
OLDER = {
    "projectRoleAssertion": True,
    "projectRoleCheck": True,
    "hasProjectCheck": True,
    "privateLabelingSetting": LABELING,
}
NEWER = {
    "projectRoleAssertion": True,
    "authorizationRequired": True,
    "projectAccessRequired": True,
    "privateLabelingSetting": LABELING,
}
OFF = {**dict.fromkeys(NEWER, False), "privateLabelingSetting": "PRIVATE_LABELING_SETTING_UNSPECIFIED"}
SHARED = {
    "redirectUris": ["https://localhost.com"],
    "responseTypes": ["OIDC_RESPONSE_TYPE_CODE"],
    "grantTypes": ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE"],
    "postLogoutRedirectUris": ["https://localhost.com"],
    "authMethodType": "OIDC_AUTH_METHOD_TYPE_BASIC",
    "accessTokenType": "OIDC_TOKEN_TYPE_BEARER",
    "accessTokenRoleAssertion": False,
    "idTokenRoleAssertion": False,
    "idTokenUserinfoAssertion": False,
    "additionalOrigins": [],
    "skipNativeAppSuccessPage": False,
    "backChannelLogoutUri": "",
}
CONFIG = {**SHARED, "appType": "OIDC_APP_TYPE_WEB", "devMode": True}
CONFIG_V2 = {**SHARED, "applicationType": "OIDC_APP_TYPE_WEB", "developmentMode": True}
VERSION = {"version": "OIDC_VERSION_1_0"}
NO_SKEW = {"clockSkew": "0s"}  # sent always, and read as 0s whether it is answered or not
CHANGES = [
    {"redirectUris": ["https://b.example/", "https://a.example/cb?x=1", "http://localhost:3000/"]},
    {"grantTypes": [f"OIDC_GRANT_TYPE_{one}" for one in ("REFRESH_TOKEN", "DEVICE_CODE", "AUTHORIZATION_CODE")]},
    {"postLogoutRedirectUris": ["https://b.example", "https://a.example/bye"]},
    {"authMethodType": "OIDC_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT"},
    {"accessTokenType": "OIDC_TOKEN_TYPE_JWT", "accessTokenRoleAssertion": True, "idTokenUserinfoAssertion": True},
    {"additionalOrigins": ["http://localhost:8080", "https://a.example"]},
    {"clockSkew": "5s"},
    {"backChannelLogoutUri": "https://a.example/out"},
    {"loginVersion": {"loginV1": {}}},
    {"loginVersion": {"loginV2": {}}},
    {"loginVersion": {"loginV2": {"baseUri": "https://login.example"}}},
]


def seen(config, sent):
    """The part of a configuration that was sent, as the provider reads it."""
    return {**part(config, sent), **({"clockSkew": config.get("clockSkew", "0s")} if "clockSkew" in sent else {})}


def test_project(terraform):
    name = unique("project")
    id = terraform(M, "AddProject", name=name, **OLDER)["id"]
    for sent in (OLDER, {**dict.fromkeys(OLDER, False), "privateLabelingSetting": OFF["privateLabelingSetting"]}):
        for _ in range(2):  # the second one changes nothing, and is no error
            terraform(M, "UpdateProject", id=id, name=name, **sent)
            read = terraform.read(M, "GetProjectByID", id=id)["project"]
            assert part(read, ("name", *sent)) == {"name": name, **sent}
    for method in ("EQUALS", "STARTS_WITH", "CONTAINS_IGNORE_CASE"):
        query = {"nameQuery": {"name": name, "method": f"TEXT_QUERY_METHOD_{method}"}}
        assert [one["id"] for one in terraform(M, "ListProjects", queries=[query])["result"]] == [id]
    terraform(M, "RemoveProject", id=id)
    terraform.gone(M, "GetProjectByID", id=id)


def test_project_v2(terraform, other_org):
    name = unique("project")
    id = terraform(PROJECT, "CreateProject", organizationId=other_org, name=name, **NEWER)["projectId"]
    read = lambda: terraform.read(PROJECT, "GetProject", projectId=id)["project"]
    assert (read()["organizationId"], read()["state"]) == (other_org, "PROJECT_STATE_ACTIVE")
    for sent in (NEWER, OFF):
        for _ in range(2):
            terraform(PROJECT, "UpdateProject", projectId=id, name=name, **sent)
            assert part(read(), ("name", *sent)) == {"name": name, **sent}
    asked = [
        {"organizationIdFilter": {"organizationId": other_org, "type": "OWNED"}},
        {"projectNameFilter": {"projectName": name, "method": "TEXT_FILTER_METHOD_EQUALS"}},
    ]
    assert [one["projectId"] for one in terraform(PROJECT, "ListProjects", filters=asked)["projects"]] == [id]
    terraform(PROJECT, "DeleteProject", projectId=id)
    terraform.gone(PROJECT, "GetProject", projectId=id)


@pytest.mark.parametrize("change", CHANGES, ids=[str(*one) if len(one) == 1 else "types" for one in CHANGES])
def test_application_oidc(terraform, project, change):
    made = terraform(M, "AddOIDCApp", projectId=project, name="web", **CONFIG, **NO_SKEW, **VERSION)
    where = {"projectId": project, "appId": made["appId"]}
    read = lambda: terraform.read(M, "GetAppByID", **where)["app"]["oidcConfig"]
    assert seen(read(), {**CONFIG, **VERSION}) == {**CONFIG, **VERSION}
    assert "loginVersion" not in read()
    sent = {**CONFIG, **NO_SKEW, **change}
    for _ in range(2):
        terraform(M, "UpdateApp", **where, name="web")
        terraform(M, "UpdateOIDCAppConfig", **where, **sent)
        assert seen(read(), sent) == sent


@pytest.mark.parametrize("change", CHANGES, ids=[str(*one) if len(one) == 1 else "types" for one in CHANGES])
def test_application_v2(terraform, project, change):
    sent = {**CONFIG_V2, **NO_SKEW}
    made = terraform(
        APPLICATION, "CreateApplication", projectId=project, name="web", oidcConfiguration={**sent, **VERSION}
    )
    where = {"projectId": project, "applicationId": made["applicationId"]}
    assert len(made["oidcConfiguration"]["clientSecret"]) == 64
    app = lambda: terraform.read(APPLICATION, "GetApplication", applicationId=made["applicationId"])["application"]
    assert (app()["projectId"], app()["state"]) == (project, "APPLICATION_STATE_ACTIVE")
    assert seen(app()["oidcConfiguration"], {**sent, **VERSION}) == {**sent, **VERSION}
    sent |= change
    terraform(APPLICATION, "UpdateApplication", **where, oidcConfiguration=sent)
    assert seen(app()["oidcConfiguration"], sent) == sent
    terraform(APPLICATION, "UpdateApplication", **where, name="other")
    for repeated in ({"oidcConfiguration": sent}, {"name": "other"}):
        terraform.refused("FAILED_PRECONDITION", APPLICATION, "UpdateApplication", **where, **repeated)
        assert (app()["name"], seen(app()["oidcConfiguration"], sent)) == ("other", sent)


def test_application_v2_clears_what_has_presence(terraform, project):
    set_ = {**CONFIG_V2, "backChannelLogoutUri": "https://a.example/out", "clockSkew": "5s"}
    made = terraform(APPLICATION, "CreateApplication", projectId=project, name="web", oidcConfiguration=set_)
    where = {"projectId": project, "applicationId": made["applicationId"]}
    terraform(APPLICATION, "UpdateApplication", **where, oidcConfiguration={**CONFIG_V2, **NO_SKEW})
    read = terraform.read(APPLICATION, "GetApplication", applicationId=made["applicationId"])["application"]
    assert seen(read["oidcConfiguration"], {**CONFIG_V2, **NO_SKEW}) == {**CONFIG_V2, **NO_SKEW}


def test_data_sources_of_applications(terraform, project):
    made = [terraform(M, "AddAPIApp", projectId=project, name=name)["appId"] for name in ("one", "two")]
    query = {"nameQuery": {"name": "two", "method": "TEXT_QUERY_METHOD_EQUALS"}}
    found = terraform(M, "ListApps", projectId=project, queries=[query])["result"]
    assert [(one["id"], "apiConfig" in one) for one in found] == [(made[1], True)]
    asked = [{"projectIdFilter": {"projectId": project}}, {"nameFilter": {"name": "two"}}]
    listed = terraform(APPLICATION, "ListApplications", filters=asked)["applications"]
    assert [one["applicationId"] for one in listed] == [made[1]]


def test_roles_and_grants_that_did_not_change(terraform, project, other_org, machine):
    role = {"projectId": project, "roleKey": "super-user", "displayName": "Super", "group": "g"}
    terraform(M, "AddProjectRole", **role)
    terraform(M, "AddProjectRole", projectId=project, roleKey="b", displayName="b")
    grant = terraform(M, "AddProjectGrant", projectId=project, grantedOrgId=other_org, roleKeys=[])["grantId"]
    lent = {"projectId": project, "grantId": grant}
    given = terraform(M, "AddUserGrant", userId=machine, projectId=project, roleKeys=[])["userGrantId"]
    mine = {"userId": machine, "grantId": given}
    for roles in (["super-user", "b"], ["super-user", "b"], ["b", "super-user"], []):
        terraform(M, "UpdateProjectRole", **role)
        terraform(M, "UpdateProjectGrant", **lent, roleKeys=roles)
        terraform(M, "UpdateUserGrant", **mine, roleKeys=roles)
        assert terraform.read(M, "GetProjectGrantByID", **lent)["projectGrant"]["grantedRoleKeys"] == roles
        assert terraform.read(M, "GetUserGrantByID", **mine)["userGrant"]["roleKeys"] == roles
    assert terraform(M, "GetUserGrantByID", **mine)["userGrant"]["details"]["resourceOwner"]
    terraform(M, "RemoveProjectGrant", **lent)


def test_people_of_another_organization_are_members_and_get_roles(terraform, project, other_org):
    """As the provider's examples have it: the organization of the project in the header, a person of the other one."""
    terraform.org = other_org
    guest = terraform(M, "AddMachineUser", userName="guest", name="guest")["userId"]
    terraform.org = terraform(A, "GetDefaultOrg")["org"]["id"]
    terraform(M, "AddProjectRole", projectId=project, roleKey="a", displayName="a")
    grant = terraform(M, "AddProjectGrant", projectId=project, grantedOrgId=other_org, roleKeys=["a"])["grantId"]
    asked = {"queries": [{"userIdQuery": {"userId": guest}}]}
    for noun, where, role in (
        ("OrgMember", {}, "ORG_OWNER_VIEWER"),
        ("ProjectMember", {"projectId": project}, "PROJECT_OWNER_VIEWER"),
        ("ProjectGrantMember", {"projectId": project, "grantId": grant}, "PROJECT_GRANT_OWNER"),
    ):
        terraform(M, f"Add{noun}", **where, userId=guest, roles=[role])
        (member,) = terraform(M, f"List{noun}s", **where, **asked)["result"]
        assert (member["userId"], member["roles"]) == (guest, [role])
        terraform(M, f"Remove{noun}", **where, userId=guest)
    given = terraform(M, "AddUserGrant", userId=guest, projectId=project, roleKeys=["a"])["userGrantId"]
    assert terraform(M, "GetUserGrantByID", userId=guest, grantId=given)["userGrant"]["orgId"] == terraform.org
    terraform(M, "RemoveUserGrant", userId=guest, grantId=given)
    terraform.org = ""


def test_domain_that_is_primary_goes_after_another_took_its_place(terraform, other_org):
    """The provider's delete: list all, make one under the provider's own domain primary, remove."""
    terraform.org = other_org
    name = f"{unique('zitadel')}.default.127.0.0.1.sslip.io"
    terraform(M, "AddOrgDomain", domain=name)
    query = {"domainNameQuery": {"name": name, "method": "TEXT_QUERY_METHOD_EQUALS"}}
    read = lambda: terraform.read(M, "ListOrgDomains", queries=[query])["result"]
    for primary in (False, True, True):
        if primary:
            terraform(M, "SetPrimaryOrgDomain", domain=name)
        wanted = {"orgId": other_org, "domainName": name, "isVerified": True, "isPrimary": primary}
        assert part(read()[0], wanted) == wanted
    terraform.refused("FAILED_PRECONDITION", M, "RemoveOrgDomain", domain=name)
    (other,) = [one["domainName"] for one in terraform(M, "ListOrgDomains")["result"] if one["domainName"] != name]
    assert other.endswith("localhost")
    terraform(M, "SetPrimaryOrgDomain", domain=other)
    terraform(M, "RemoveOrgDomain", domain=name)
    assert read() == []
    terraform.org = ""


def test_data_sources_of_organizations(terraform, other_org):
    org = terraform(A, "GetOrgByID", id=other_org)["org"]
    same, ends = ("TEXT_QUERY_METHOD_EQUALS_IGNORE_CASE", "TEXT_QUERY_METHOD_ENDS_WITH")
    older = [
        {"nameQuery": {"name": org["name"].upper(), "method": same}},
        {"domainQuery": {"domain": org["primaryDomain"], "method": ends}},
        {"stateQuery": {"state": "ORG_STATE_ACTIVE"}},
    ]
    newer = [*older[:2], {"stateQuery": {"state": "ORGANIZATION_STATE_ACTIVE"}}]
    assert [one["id"] for one in terraform(A, "ListOrgs", queries=older)["result"]] == [other_org]
    assert [one["id"] for one in terraform(ORG, "ListOrganizations", queries=newer)["result"]] == [other_org]
    (default,) = terraform(ORG, "ListOrganizations", queries=[{"defaultQuery": {}}])["result"]
    assert default["id"] == terraform(A, "GetDefaultOrg")["org"]["id"]
