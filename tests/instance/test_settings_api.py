"""Settings over REST and by method: instance, organization, origin, reset."""

import pytest

from iam.api.methods import method, registered
from iam.instance import setting_commands as commands
from iam.instance.models import SettingRow
from iam.instance.settings import settings_of
from iam.kernel.errors import InvalidInput, NotFound, PermissionDenied
from iam.vault import wiring
from orgs import commands as orgs
from orgs.settings import of_org
from projections.projection import projection
from projections.rebuild import rebuild
from tests.conftest import Api

HOUR = "3600s"
POLICIES = {
    "login": {"allowUsernamePassword": True, "hidePasswordReset": True, "passwordCheckLifetime": "864000s"},
    "password/complexity": {"minLength": "12", "hasLowercase": True},
    "password/age": {"maxAgeDays": "90", "expireWarnDays": "10"},
    "lockout": {"maxPasswordAttempts": "5", "maxOtpAttempts": "3"},
    "privacy": {"tosLink": "https://acme.example/tos", "supportEmail": "help@acme.example"},
    "label": {"primaryColor": "#112233", "themeMode": "THEME_MODE_DARK"},
    "notification": {"passwordChange": False},
}
"""Path of a v1 policy → values that differ from the defaults."""


def shown(policy, values):
    return {name: policy.get(name, type(value)()) for name, value in values.items()}


@pytest.mark.parametrize("path", POLICIES)
def test_terraform_adds_reads_changes_and_resets_an_organizations_policy(api, path):
    base, values = f"/management/v1/policies/{path}", POLICIES[path]
    before = api.get(base).json()
    assert before["policy"]["isDefault"] is True
    assert api.put(base, values).status_code == 404
    assert api.post(base, values).status_code == 200
    assert api.post(base, values).status_code == 409
    if path == "label":
        assert api.get(base).json()["policy"]["isDefault"] is True  # not shown before it is activated
        assert shown(api.get(f"{base}/_preview").json()["policy"], values) == values
        assert api.post(f"{base}/_activate").status_code == 200
    found = api.get(base).json()["policy"]
    assert "isDefault" not in found
    assert shown(found, values) == values
    assert api.put(base, values).json()["code"] == 9
    default = api.get(f"/management/v1/policies/default/{path}").json()["policy"]
    assert shown(default, values) == shown(before["policy"], values)
    assert api.delete(base).status_code == 200
    assert api.get(base).json() == before
    assert api.delete(base).status_code == 404


@pytest.mark.parametrize("path", POLICIES)
def test_terraform_changes_the_instances_default(api, path):
    base, values = f"/admin/v1/policies/{path}", POLICIES[path]
    written = "/admin/v1/policies/password/lockout" if path == "lockout" else base
    answer = api.put(written, values)
    assert answer.status_code == 200 and answer.json()["details"]["resourceOwner"]
    if path == "label":
        assert shown(api.get(f"{base}/_preview").json()["policy"], values) == values
        assert api.post(f"{base}/_activate").status_code == 200
    assert shown(api.get(base).json()["policy"], values) == values
    below = api.get(f"/management/v1/policies/{path}").json()["policy"]
    assert below["isDefault"] is True and shown(below, values) == values
    assert api.put(written, values).json()["code"] == 9


def test_the_instance_gives_an_organization_a_domain_policy_of_its_own(api, house):
    base = f"/admin/v1/orgs/{house.org}/policies/domain"
    values = {"userLoginMustBeDomain": True, "validateOrgDomains": True}
    assert api.post(base, values).status_code == 200
    found = api.get("/management/v1/policies/domain").json()["policy"]
    assert shown(found, values) == values and "isDefault" not in found
    assert api.put(base, {"validateOrgDomains": True}).status_code == 200
    assert "userLoginMustBeDomain" not in api.get(base).json()["policy"]
    assert api.delete(base).status_code == 200
    assert api.get(base).json()["policy"]["isDefault"] is True
    assert api.post("/admin/v1/orgs/123/policies/domain", values).status_code == 404


@pytest.mark.parametrize("level", ["admin", "management"])
def test_factors_are_listed_added_and_removed(api, level):
    base = f"/{level}/v1/policies/login"
    if level == "management":
        api.post(base, {"secondFactors": ["SECOND_FACTOR_TYPE_OTP"], "multiFactors": []})
        assert api.post(f"{base}/second_factors/_search").json()["result"] == ["SECOND_FACTOR_TYPE_OTP"]
    assert api.post(f"{base}/second_factors", {"type": "SECOND_FACTOR_TYPE_OTP_SMS"}).status_code == 200
    assert api.post(f"{base}/second_factors", {"type": "SECOND_FACTOR_TYPE_OTP_SMS"}).status_code == 409
    assert "SECOND_FACTOR_TYPE_OTP_SMS" in api.post(f"{base}/second_factors/_search").json()["result"]
    assert api.delete(f"{base}/second_factors/SECOND_FACTOR_TYPE_OTP_SMS").status_code == 200
    assert api.delete(f"{base}/second_factors/SECOND_FACTOR_TYPE_OTP_SMS").status_code == 404
    listed = "multi_factors" if level == "admin" else "auth_factors"
    assert api.post(f"{base}/{listed}/_search").status_code == 200
    assert api.post(f"{base}/idps/_search").json() == {"details": {}}
    assert api.post(f"{base}/idps", {"idpId": "1", "ownerType": 1}).status_code == 404


def test_v2_tells_where_a_value_comes_from(api, house):
    other = orgs.add_org(house.system, name="Other").id
    api.post("/management/v1/policies/password/complexity", {"minLength": 20})
    mine = api.get(f"/v2/settings/password/complexity?ctx.orgId={house.org}").json()
    assert mine["settings"]["minLength"] == "20"
    assert mine["settings"]["resourceOwnerType"] == "RESOURCE_OWNER_TYPE_ORG"
    assert mine["details"]["resourceOwner"] == house.org
    for query in (f"ctx.orgId={other}", "ctx.instance=true"):
        found = api.get(f"/v2/settings/password/complexity?{query}").json()
        assert found["settings"]["minLength"] == "8"
        assert found["settings"]["resourceOwnerType"] == "RESOURCE_OWNER_TYPE_INSTANCE"
        assert found["details"]["resourceOwner"] == house.instance


def test_row_50_whether_a_second_factor_is_required_is_resolved_and_says_where_it_comes_from(api, house):
    """The instance requires one, an organization does not, and gives that up again: both APIs tell the same."""
    other = orgs.add_org(house.system, name="Other").id

    def told(org):
        settings = api.get(f"/v2/settings/login?ctx.orgId={org}").json()["settings"]
        policy = api.client.get("/management/v1/policies/login", headers={**api.headers, "x-zitadel-orgid": org})
        resolved = policy.json()["policy"]
        assert settings.get("forceMfa", False) == resolved.get("forceMfa", False)
        assert settings.get("forceMfaLocalOnly", False) == resolved.get("forceMfaLocalOnly", False)
        assert (settings["resourceOwnerType"] == "RESOURCE_OWNER_TYPE_INSTANCE") == resolved.get("isDefault", False)
        return settings.get("forceMfa", False), settings["resourceOwnerType"].rsplit("_", 1)[-1]

    assert told(house.org) == told(other) == (False, "INSTANCE")
    password = {"allowUsernamePassword": True}
    assert api.put("/admin/v1/policies/login", {**password, "forceMfa": True}).status_code == 200
    assert told(house.org) == told(other) == (True, "INSTANCE")
    assert api.post("/management/v1/policies/login", {**password, "forceMfaLocalOnly": True}).status_code == 200
    assert (told(house.org), told(other)) == ((False, "ORG"), (True, "INSTANCE"))
    assert api.delete("/management/v1/policies/login").status_code == 200
    assert told(house.org) == (True, "INSTANCE")


@pytest.mark.parametrize(
    "path", ["", "/login", "/login/idps", "/password/complexity", "/password/expiry", "/branding", "/domain",
             "/legal_support", "/lockout", "/security"],
)  # fmt: skip
def test_every_v2_setting_answers(api, path):
    assert api.get(f"/v2/settings{path}").status_code == 200


def test_v2_branding_and_general_settings(api, house):
    found = api.get("/v2/settings/branding").json()["settings"]
    assert found["lightTheme"]["primaryColor"] == "#5469d4" and found["themeMode"] == "THEME_MODE_AUTO"
    general = api.get("/v2/settings").json()
    assert general["defaultOrganizationId"] == house.org and general["supportedLanguages"] == ["en", "de", "es"]
    assert api.put("/admin/v1/restrictions", {"allowedLanguages": {"list": ["de"]}}).status_code == 200
    assert api.get("/v2/settings").json()["allowedLanguages"] == ["de"]
    assert api.get("/admin/v1/languages/allowed").json()["languages"] == ["de"]


def test_security_settings_are_set_twice_without_complaint(api):
    body = {"embeddedIframe": {"enabled": True, "allowedOrigins": ["https://a.example"]}, "enableImpersonation": True}
    for _ in range(2):
        assert api.put("/v2/policies/security", body).status_code == 200
    assert api.get("/v2/settings/security").json()["settings"] == body
    old = api.get("/admin/v1/policies/security").json()["policy"]
    assert old["enableIframeEmbedding"] and old["allowedOrigins"] == ["https://a.example"]


def test_texts_of_login_pages_of_ones_own_inherit(api, house):
    at = "/v2/settings/hosted_login_translation"
    set_ = api.put(at, {"instance": True, "locale": "de", "translations": {"a": {"x": "1", "y": "2"}}})
    assert len(set_.json()["etag"]) == 32
    api.put(at, {"organizationId": house.org, "locale": "de", "translations": {"a": {"y": "3"}}})
    merged = api.get(f"{at}?organizationId={house.org}&locale=de-CH").json()
    assert merged["translations"] == {"a": {"x": "1", "y": "3"}}
    alone = api.get(f"{at}?organizationId={house.org}&locale=de&ignoreInheritance=true").json()
    assert alone["translations"] == {"a": {"y": "3"}}


def test_oidc_settings_restrictions_and_generators(api):
    body = {
        "accessTokenLifetime": HOUR,
        "idTokenLifetime": HOUR,
        "refreshTokenIdleExpiration": HOUR,
        "refreshTokenExpiration": "7200s",
    }
    assert api.put("/admin/v1/settings/oidc", body).status_code == 200
    found = api.get("/admin/v1/settings/oidc").json()["settings"]
    assert {name: found[name] for name in body} == body
    assert api.put("/admin/v1/restrictions", {"disallowPublicOrgRegistration": True}).status_code == 200
    assert api.put("/admin/v1/restrictions", {}).status_code == 400
    assert api.get("/admin/v1/restrictions").json()["disallowPublicOrgRegistration"] is True
    kind = "SECRET_GENERATOR_TYPE_VERIFY_EMAIL_CODE"
    changed = {"length": 10, "expiry": "120s", "includeDigits": True}
    assert api.put(f"/admin/v1/secretgenerators/{kind}", changed).status_code == 200
    found = api.get(f"/admin/v1/secretgenerators/{kind}").json()["secretGenerator"]
    assert {name: found[name] for name in changed} == changed and "includeUpperLetters" not in found
    assert len(api.post("/admin/v1/secretgenerators/_search").json()["result"]) == 8


def test_the_instance_its_hosts_and_languages(api, house):
    me = api.get("/admin/v1/instances/me").json()["instance"]
    assert me["id"] == house.instance and me["state"] == "STATE_RUNNING" and me["domains"][0]["domain"] == "localhost"
    listed = api.post("/admin/v1/domains/_search", {"queries": [{"primaryQuery": {"primary": True}}]}).json()
    assert [one["domain"] for one in listed["result"]] == ["localhost"]
    assert api.get("/admin/v1/languages").json() == api.get("/management/v1/languages").json()
    assert api.put("/admin/v1/languages/default/de").status_code == 200
    assert api.get("/admin/v1/languages/default").json() == {"language": "de"}
    assert api.put("/admin/v1/languages/default/xx").status_code == 400
    assert api.post("/admin/v1/trusted_domains", {"domain": "login.acme.example"}).status_code == 200
    assert api.post("/admin/v1/trusted_domains/_search").json()["result"][0]["domain"] == "login.acme.example"
    assert api.delete("/admin/v1/trusted_domains/login.acme.example").status_code == 200


def test_the_default_organization(api, house):
    assert api.get("/admin/v1/orgs/default").json()["org"]["id"] == house.org
    other = orgs.add_org(house.system, name="Other").id
    assert api.put(f"/admin/v1/orgs/default/{other}").status_code == 200
    assert api.get("/admin/v1/orgs/default").json()["org"]["id"] == other
    assert api.put("/admin/v1/orgs/default/123").status_code == 404


def test_administrators_of_the_instance(api, house):
    id = house.person()
    assert api.post("/admin/v1/members", {"userId": "123", "roles": ["IAM_OWNER"]}).status_code == 404
    assert api.post("/admin/v1/members", {"userId": id, "roles": ["ORG_OWNER"]}).status_code == 400
    assert api.post("/admin/v1/members", {"userId": id, "roles": ["IAM_OWNER_VIEWER"]}).status_code == 200
    query = {"queries": [{"emailQuery": {"email": "gigi@example.com"}}]}
    found = api.post("/admin/v1/members/_search", query).json()["result"]
    assert [(one["userId"], one["roles"], one["userType"]) for one in found] == [
        (id, ["IAM_OWNER_VIEWER"], "TYPE_HUMAN")
    ]
    assert api.put(f"/admin/v1/members/{id}", {"roles": ["IAM_ORG_MANAGER"]}).status_code == 200
    assert "IAM_LOGIN_CLIENT" in api.post("/admin/v1/members/roles/_search").json()["roles"]
    assert api.delete(f"/admin/v1/members/{id}").status_code == 200
    assert "result" not in api.post("/admin/v1/members/_search", query).json()


def test_features_tell_their_source(api, house):
    assert (
        api.put(
            "/v2/features/instance",
            {"loginV2": {"required": True, "baseUri": "https://login.example"}, "userSchema": True},
        ).status_code
        == 200
    )
    assert api.put("/v2/features/system", {"userSchema": True}).status_code == 403
    ask = registered()["zitadel.feature.v2.FeatureService/SetSystemFeatures"]
    request = method("zitadel.feature.v2.FeatureService/SetSystemFeatures").request()
    request.permission_check_v2 = True
    ask(house.system, request)
    own = api.get("/v2/features/instance").json()
    assert own["userSchema"] == {"enabled": True, "source": "SOURCE_INSTANCE"}
    assert own["loginV2"] == {"required": True, "baseUri": "https://login.example", "source": "SOURCE_INSTANCE"}
    assert own["permissionCheckV2"] == {}
    inherited = api.get("/v2/features/instance?inheritance=true").json()
    assert inherited["permissionCheckV2"] == {"enabled": True, "source": "SOURCE_SYSTEM"}
    assert api.get("/v2/features/system").json()["permissionCheckV2"]["enabled"] is True
    assert api.delete("/v2/features/instance").status_code == 200
    assert api.get("/v2/features/instance").json()["userSchema"] == {}
    for path in (f"organization/{house.org}", f"user/{house.admin}"):
        for call in (api.get, api.put, api.delete):
            assert call(f"/v2/features/{path}").json()["details"]["resourceOwner"] == house.org
    assert api.get("/v2/features/organization/123").status_code == 404
    assert api.get("/v2/features/user/123").status_code == 404


def ask(ctx, name, **values):
    full = f"zitadel.instance.v2.InstanceService/{name}"
    return registered()[full](ctx, method(full).request(**values))


def test_instance_service_for_the_operator_of_the_system(house):
    from iam.access.caller import system_context
    from iam.instance import commands as instances

    foreign = system_context("999999999999999999")
    instances.add_instance(foreign, name="Other", domains=("other.example",))
    id = foreign.instance
    assert ask(house.system, "GetInstance", instance_id=id).instance.name == "Other"
    ask(house.system, "UpdateInstance", instance_id=id, instance_name="Renamed")
    ask(house.system, "AddCustomDomain", instance_id=id, custom_domain="id.other.example")
    hosts = ask(house.system, "ListCustomDomains", instance_id=id).domains
    assert [(one.domain, one.primary) for one in hosts] == [("other.example", True), ("id.other.example", False)]
    ask(house.system, "RemoveCustomDomain", instance_id=id, custom_domain="id.other.example")
    ask(house.system, "AddTrustedDomain", instance_id=id, trusted_domain="login.other.example")
    assert ask(house.system, "ListTrustedDomains", instance_id=id).trusted_domain[0].domain == "login.other.example"
    ask(house.system, "RemoveTrustedDomain", instance_id=id, trusted_domain="login.other.example")
    assert {one.name for one in ask(house.system, "ListInstances").instances} == {"ZITADEL", "Renamed"}
    ask(house.system, "DeleteInstance", instance_id=id)
    with pytest.raises(NotFound):
        ask(house.system, "GetInstance", instance_id=id)
    instances.add_instance(system_context("888888888888888888"), name="Again", domains=("other.example",))


def test_hosts_are_named_alike_when_they_come_and_go(house):
    for verb, kind in (("Custom", "custom_domain"), ("Trusted", "trusted_domain")):
        ask(house.system, f"Add{verb}Domain", **{kind: " Login.Other.example"})
        with pytest.raises(InvalidInput):
            ask(house.system, f"Remove{verb}Domain", **{kind: " "})
        with pytest.raises(NotFound):
            ask(house.system, f"Remove{verb}Domain", **{kind: "other.example"})
        ask(house.system, f"Remove{verb}Domain", **{kind: " LOGIN.other.example "})
    assert not ask(house.system, "ListTrustedDomains").trusted_domain
    assert [one.domain for one in ask(house.system, "ListCustomDomains").domains] == ["localhost"]


def test_t02_the_owner_of_an_instance_reaches_no_other(house):
    assert ask(house.owner, "GetInstance").instance.id == house.instance
    ask(house.owner, "UpdateInstance", instance_name="Mine")
    ask(house.owner, "AddTrustedDomain", trusted_domain="login.example")
    for name, values in (
        ("GetInstance", {"instance_id": "999"}),
        ("UpdateInstance", {"instance_id": "999", "instance_name": "x"}),
        ("AddTrustedDomain", {"instance_id": "999", "trusted_domain": "x.example"}),
        ("ListInstances", {}),
        ("DeleteInstance", {"instance_id": house.instance}),
        ("AddCustomDomain", {"instance_id": house.instance, "custom_domain": "x.example"}),
    ):
        with pytest.raises((PermissionDenied, NotFound)):
            ask(house.owner, name, **values)


def test_t02_an_owner_of_one_organization_changes_no_other(house):
    other = orgs.add_org(house.system, name="Other").id
    id, token = house.machine("robot", other)
    orgs.add_org_member(house.system, org_id=other, user_id=id, roles=("ORG_OWNER",))
    stranger = Api(token)
    stranger.headers["x-zitadel-orgid"] = house.org
    base = "/management/v1/policies/password/complexity"
    for answer in (stranger.post(base, {"minLength": 1}), stranger.get(base), stranger.delete(base)):
        assert answer.status_code == 404
    assert stranger.get(f"/v2/settings/login?ctx.orgId={house.org}").status_code == 404
    assert stranger.put("/admin/v1/policies/password/complexity", {"minLength": 1}).status_code == 403
    assert stranger.post(f"/admin/v1/orgs/{other}/policies/domain", {}).status_code == 403
    del stranger.headers["x-zitadel-orgid"]
    assert stranger.post(base, {"minLength": 9}).status_code == 200
    assert settings_of(house.instance, other).password_complexity.min_length == 9
    assert settings_of(house.instance, house.org).password_complexity.min_length == 8


def test_settings_go_with_their_organization_and_can_be_rebuilt(house):
    other = orgs.add_org(house.system, name="Other").id
    for org in (house.org, other):
        commands.add_setting(house.system, of_org(org), kind="label", values={"primary_color": "#123456"})
        commands.activate_label(house.system, of_org(org))
    commands.list_factor(house.system, commands.of_instance(house.system), factors="second_factors", number=5)
    before = sorted(SettingRow.objects.values_list("owner", "kind", "version"))
    assert len(before) == 5
    rebuild(wiring.store(), projection("settings"))
    assert sorted(SettingRow.objects.values_list("owner", "kind", "version")) == before
    orgs.remove_org(house.system, org_id=other)
    assert not SettingRow.objects.filter(owner=other).exists()


def test_a_login_policy_with_a_provider_that_nobody_knows_is_refused_not_shortened(api):
    body = {"allowUsernamePassword": True, "idps": [{"idpId": "1", "ownerType": "IDP_OWNER_TYPE_ORG"}]}
    refused = api.post("/management/v1/policies/login", body)
    assert (refused.status_code, "POLICY-1dp0n" in refused.json()["message"]) == (404, True)
    assert api.get("/management/v1/policies/login").json()["isDefault"]
