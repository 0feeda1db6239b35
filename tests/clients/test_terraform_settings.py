"""Terraform's policies, default policies, settings, features, restrictions, generators, domains and keys of an instance.

Of a policy of its own the provider expects its organization as owner and `isDefault` false; of a default one an owner
at all, or it drops the resource; an update without a change may be FAILED_PRECONDITION for a default policy only.
"""

import urllib.request

import grpc
import pytest

from tests.clients.provider import FEATURE, INSTANCE, ORG, SETTINGS, A, M, part, unique

LOGIN = {
    "allowUsernamePassword": True,
    "allowRegister": True,
    "allowExternalIdp": True,
    "forceMfa": False,
    "forceMfaLocalOnly": True,
    "passwordlessType": "PASSWORDLESS_TYPE_ALLOWED",
    "hidePasswordReset": True,
    "ignoreUnknownUsernames": True,
    "defaultRedirectUri": "localhost:8080",
    "passwordCheckLifetime": "864000s",
    "externalLoginCheckLifetime": "864000s",
    "mfaInitSkipLifetime": "2592000s",
    "secondFactorCheckLifetime": "86400s",
    "multiFactorCheckLifetime": "86400s",
    "allowDomainDiscovery": True,
    "disableLoginWithEmail": True,
    "disableLoginWithPhone": True,
}
LABEL = {
    "primaryColor": "#5469d4",
    "warnColor": "#cd3d56",
    "backgroundColor": "#fafafa",
    "fontColor": "#000000",
    "primaryColorDark": "#a5b4fc",
    "backgroundColorDark": "#111827",
    "warnColorDark": "#ff3b5b",
    "fontColorDark": "#ffffff",
    "hideLoginNameSuffix": True,
    "disableWatermark": True,
    "themeMode": "THEME_MODE_DARK",
}
COMPLEXITY = {"minLength": "9", "hasUppercase": True, "hasLowercase": True, "hasNumber": True, "hasSymbol": False}
PRIVACY = {
    "tosLink": "https://example.com/tos",
    "privacyLink": "https://example.com/privacy",
    "helpLink": "https://example.com/help",
    "supportEmail": "support@example.com",
    "docsLink": "https://example.com/docs",
    "customLink": "https://example.com/custom",
    "customLinkText": "custom",
}
POLICIES = [  # kind, what is sent, one change
    ("Login", LOGIN, {"defaultRedirectUri": "localhost:9090"}),
    ("Lockout", {"maxPasswordAttempts": "5", "maxOtpAttempts": "7"}, {"maxPasswordAttempts": "0"}),
    ("PasswordComplexity", COMPLEXITY, {"hasNumber": False}),
    ("PasswordAge", {"maxAgeDays": "30", "expireWarnDays": "3"}, {"expireWarnDays": "0"}),
    ("Privacy", PRIVACY, {"tosLink": "", "supportEmail": ""}),
    ("Notification", {"passwordChange": False}, {"passwordChange": True}),
]


@pytest.fixture
def home(terraform, other_org):
    """The organization that the calls are for."""
    terraform.org = other_org
    yield other_org
    terraform.org = ""


@pytest.mark.parametrize(("kind", "sent", "change"), POLICIES, ids=[one[0] for one in POLICIES])
def test_policy(terraform, home, kind, sent, change):
    read = lambda: terraform.read(M, f"Get{kind}Policy")["policy"]
    assert read()["isDefault"]
    for call, values in ((f"AddCustom{kind}Policy", sent), (f"UpdateCustom{kind}Policy", {**sent, **change})):
        terraform(M, call, **values)
        policy = read()
        assert part(policy, values) == values
        assert (policy["isDefault"], policy["details"]["resourceOwner"]) == (False, home)
    terraform(M, f"Reset{kind}PolicyToDefault")
    assert read()["isDefault"]


@pytest.mark.parametrize(("kind", "sent", "change"), POLICIES, ids=[one[0] for one in POLICIES])
def test_default_policy(terraform, kind, sent, change):
    read = lambda: terraform.read(A, f"Get{kind}Policy")["policy"]
    before, changed = part(read(), sent), {**sent, **change}
    for values in (sent, changed, *([before] if before != changed else ())):
        owner = terraform(A, f"Update{kind}Policy", **values)["details"]["resourceOwner"]
        terraform.refused("FAILED_PRECONDITION", A, f"Update{kind}Policy", **values)
        policy = read()
        assert part(policy, values) == values
        assert policy["details"]["resourceOwner"] == owner


def test_factors_of_login_policies(terraform, home):
    """The provider compares the lists as sets, and sends only what to add and what to take."""
    factors = {"secondFactors": ["SECOND_FACTOR_TYPE_OTP", "SECOND_FACTOR_TYPE_U2F"]}
    terraform(M, "AddCustomLoginPolicy", **LOGIN, **factors)
    listed = lambda noun: terraform(M, f"ListLoginPolicy{noun}").get("result", [])
    assert listed("SecondFactors") == factors["secondFactors"]
    assert (listed("MultiFactors"), listed("IDPs")) == ([], [])
    terraform(M, "RemoveSecondFactorFromLoginPolicy", type="SECOND_FACTOR_TYPE_OTP")
    terraform(M, "AddMultiFactorToLoginPolicy", type="MULTI_FACTOR_TYPE_U2F_WITH_VERIFICATION")
    assert listed("SecondFactors") == ["SECOND_FACTOR_TYPE_U2F"]
    assert listed("MultiFactors") == ["MULTI_FACTOR_TYPE_U2F_WITH_VERIFICATION"]
    terraform(M, "UpdateCustomLoginPolicy", **{**LOGIN, "allowRegister": False})
    assert listed("SecondFactors") == ["SECOND_FACTOR_TYPE_U2F"]  # an update without factors leaves them
    terraform(M, "ResetLoginPolicyToDefault")
    for noun in ("SecondFactors", "MultiFactors", "IDPs"):
        assert listed(noun) == terraform(A, f"ListLoginPolicy{noun}").get("result", [])


DOMAINS = {"userLoginMustBeDomain": True, "validateOrgDomains": True, "smtpSenderAddressMatchesInstanceDomain": True}


def test_domain_policy(terraform, home):
    read = lambda: terraform.read(M, "GetDomainPolicy")["policy"]
    for call, values in (("Add", DOMAINS), ("Update", {**DOMAINS, "validateOrgDomains": False})):
        terraform(A, f"{call}CustomDomainPolicy", orgId=home, **values)
        assert part(read(), DOMAINS) == values
        assert (read()["isDefault"], read()["details"]["resourceOwner"]) == (False, home)
    terraform(A, "ResetCustomDomainPolicyToDefault", orgId=home)
    assert read()["isDefault"]


def test_default_domain_policy(terraform):
    read = lambda: part(terraform.read(A, "GetDomainPolicy")["policy"], DOMAINS)
    before = read()
    for values in (DOMAINS, before):
        assert terraform(A, "UpdateDomainPolicy", **values)["details"]["resourceOwner"]
        terraform.refused("FAILED_PRECONDITION", A, "UpdateDomainPolicy", **values)
        assert read() == values


def test_label_policy(terraform, home):
    """The provider reads the preview, whether it activates it or not."""
    read = lambda: terraform.read(M, "GetPreviewLabelPolicy")["policy"]
    active = lambda: part(terraform.read(M, "GetLabelPolicy")["policy"], LABEL)
    for call, values in (
        ("Add", LABEL),
        ("Update", {**LABEL, "primaryColor": "#5469d5", "hideLoginNameSuffix": False}),
    ):
        terraform(M, f"{call}CustomLabelPolicy", **values)
        assert (part(read(), values), read()["details"]["resourceOwner"]) == (values, home)
        assert active() != values
        for _ in range(2):
            terraform(M, "ActivateCustomLabelPolicy")
            assert active() == values
    terraform(M, "ResetLabelPolicyToDefault")
    assert read()["isDefault"]


def test_default_label_policy(terraform):
    read = lambda: part(terraform.read(A, "GetLabelPolicy")["policy"], LABEL)
    before = read()
    for values in (LABEL, before):
        assert terraform(A, "UpdateLabelPolicy", **values)["details"]["resourceOwner"]
        terraform.refused("FAILED_PRECONDITION", A, "UpdateLabelPolicy", **values)
        terraform(A, "ActivateLabelPolicy")
        assert read() == values


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'


@pytest.mark.parametrize(
    ("place", "field"),
    [("logo", "logoUrl"), ("logo/dark", "logoUrlDark"), ("icon", "iconUrl"), ("icon/dark", "iconUrlDark")],
)
def test_files_of_a_label_policy(terraform, home, server, place, field):
    """One part named `file` over HTTP, with the media type that the provider guessed from the content."""
    terraform(M, "AddCustomLabelPolicy", **LABEL)
    part_head = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="logo.svg"\r\nContent-Type: image/svg+xml\r\n\r\n'
    asked = urllib.request.Request(
        f"{server.url}/assets/v1/org/policy/label/{place}",
        data=part_head + SVG + b"\r\n--cut--\r\n",
        headers={
            "Authorization": f"Bearer {server.pat}",
            "Content-Type": "multipart/form-data; boundary=cut",
            "x-zitadel-orgid": home,
        },
    )
    with urllib.request.urlopen(asked) as answer:
        assert answer.status == 200
    terraform(M, "ActivateCustomLabelPolicy")
    assert terraform(M, "GetPreviewLabelPolicy")["policy"][field].startswith(f"{server.url}/assets/v1/{home}/")


def test_default_security_settings(terraform):
    read = lambda: terraform.read(SETTINGS, "GetSecuritySettings")["settings"]
    for enabled, origins in ((True, ["https://a.example", "https://b.example:8443"]), (False, [])):
        sent = {"embeddedIframe": {"enabled": enabled, "allowedOrigins": origins}, "enableImpersonation": enabled}
        for _ in range(2):
            terraform(SETTINGS, "SetSecuritySettings", **sent)
            assert read() == sent


def test_default_oidc_settings(terraform):
    names = ("accessTokenLifetime", "idTokenLifetime", "refreshTokenIdleExpiration", "refreshTokenExpiration")
    read = lambda: terraform(A, "GetOIDCSettings")["settings"]
    before = part(read(), names)
    for values in (dict(zip(names, ("7777s", "8888s", "99990s", "99999s"), strict=True)), before):
        assert terraform(A, "UpdateOIDCSettings", **values)["details"]["resourceOwner"]
        terraform.refused("FAILED_PRECONDITION", A, "UpdateOIDCSettings", **values)
        assert (part(read(), names), bool(read()["details"]["resourceOwner"])) == (values, True)


def test_instance_restrictions(terraform):
    """Each half is sent alone when only it changed; the languages come back in the order sent."""
    names = ("disallowPublicOrgRegistration", "allowedLanguages")
    read = lambda: tuple(terraform.read(A, "GetRestrictions")[name] for name in names)
    terraform(A, "SetRestrictions", disallowPublicOrgRegistration=True, allowedLanguages={"list": ["en", "de"]})
    assert read() == (True, ["en", "de"])
    terraform(A, "SetRestrictions", disallowPublicOrgRegistration=False)
    assert read() == (False, ["en", "de"])
    for languages in (["de", "en"], ["de", "en"], []):
        terraform(A, "SetRestrictions", allowedLanguages={"list": languages})
        assert read() == (False, languages)


KINDS = "INIT_CODE VERIFY_EMAIL_CODE VERIFY_PHONE_CODE PASSWORD_RESET_CODE PASSWORDLESS_INIT_CODE APP_SECRET OTP_SMS OTP_EMAIL"


@pytest.mark.parametrize("kind", KINDS.split())
def test_instance_secret_generator(terraform, kind):
    names = ("length", "expiry", "includeLowerLetters", "includeUpperLetters", "includeDigits", "includeSymbols")
    asked = {"generatorType": f"SECRET_GENERATOR_TYPE_{kind}"}
    read = lambda: part(terraform.read(A, "GetSecretGenerator", **asked)["secretGenerator"], names)
    before = read()
    sent = dict(zip(names, (32, "900s", True, True, True, False), strict=True))
    for values in (sent, before):
        terraform(A, "UpdateSecretGenerator", **asked, **values)
        terraform.refused("FAILED_PRECONDITION", A, "UpdateSecretGenerator", **asked, **values)
        assert read() == values


SWITCHES = (
    "loginDefaultOrg",
    "userSchema",
    "oidcTokenExchange",
    "debugOidcParentError",
    "oidcSingleV1SessionTermination",
    "enableBackChannelLogout",
    "permissionCheckV2",
    "consoleUseV2UserApi",
)
PATHS = ["PROJECT_GRANT", "PROJECT", "USER_GRANT", "ORG_DOMAIN_VERIFIED"]


def test_instance_features(terraform):
    """Only what changed is sent; what is not set must read as the provider's own default, off."""
    read = lambda: terraform.read(FEATURE, "GetInstanceFeatures", inheritance=False)
    fresh = read()
    assert fresh["loginV2"] == {"required": True, "source": "SOURCE_INSTANCE"} and fresh["loginDefaultOrg"]["enabled"]
    terraform(FEATURE, "SetInstanceFeatures", userSchema=False)
    off = read()
    assert not any(off[name]["enabled"] for name in SWITCHES)
    assert "loginV2" not in off  # a block in the provider's state: one that is not configured is a plan for ever
    assert terraform.read(FEATURE, "GetInstanceFeatures", inheritance=True)["loginV2"]["required"] is False
    terraform(FEATURE, "SetInstanceFeatures", **dict.fromkeys(SWITCHES, True))
    for name in SWITCHES:
        assert read()[name]["enabled"]
        for _ in range(2):
            terraform(FEATURE, "SetInstanceFeatures", **{name: False})
            assert not read()[name]["enabled"]
    paths = [f"IMPROVED_PERFORMANCE_{one}" for one in PATHS]
    terraform(FEATURE, "SetInstanceFeatures", improvedPerformance=paths)
    assert read()["improvedPerformance"]["executionPaths"] == paths
    for login in ({"required": True, "baseUri": "https://login.example"}, {"required": False}):
        terraform(FEATURE, "SetInstanceFeatures", loginV2=login)
        assert part(read()["loginV2"], ("required", "baseUri")) == {"baseUri": None, **login}
    terraform(FEATURE, "ResetInstanceFeatures")
    assert read() == fresh | {"details": read()["details"]}


def test_trusted_and_custom_domains(terraform):
    instance = terraform(INSTANCE, "GetInstance")["instance"]["id"]
    name = f"{unique('trusted')}.example"
    listed = lambda: [
        one["domain"] for one in terraform(INSTANCE, "ListTrustedDomains", instanceId=instance).get("trustedDomain", [])
    ]
    terraform(INSTANCE, "AddTrustedDomain", instanceId=instance, trustedDomain=name)
    assert name in listed()
    terraform(INSTANCE, "RemoveTrustedDomain", instanceId=instance, trustedDomain=name)
    assert name not in listed()
    assert terraform(INSTANCE, "ListCustomDomains", instanceId=instance)["domains"]
    terraform.refused("PERMISSION_DENIED", INSTANCE, "AddCustomDomain", instanceId=instance, customDomain=name)


@pytest.mark.parametrize("version", ["v2", "v2beta"])  # the provider called the beta service first
def test_webkey_and_active_webkey(terraform, version):
    service = f"zitadel.webkey.{version}.WebKeyService"
    states = lambda: {one["id"]: one["state"] for one in terraform(service, "ListWebKeys")["webKeys"]}
    (before,) = [id for id, state in states().items() if state == "STATE_ACTIVE"]
    rsa = {"rsa": {"bits": "RSA_BITS_2048", "hasher": "RSA_HASHER_SHA256"}}
    for kind in (rsa, {"ecdsa": {"curve": "ECDSA_CURVE_P256"}}, {"ed25519": {}}):
        id = terraform(service, "CreateWebKey", **kind)["id"]
        (listed,) = [one for one in terraform(service, "ListWebKeys")["webKeys"] if one["id"] == id]
        assert (listed["state"], part(listed, kind)) == ("STATE_INITIAL", kind)
        for _ in range(2):
            terraform(service, "ActivateWebKey", id=id)
            assert (states()[id], states()[before]) == ("STATE_ACTIVE", "STATE_INACTIVE")
        terraform.refused("FAILED_PRECONDITION", service, "DeleteWebKey", id=id)
        terraform(service, "ActivateWebKey", id=before)
        terraform(service, "DeleteWebKey", id=id)
        assert id not in states()


@pytest.mark.parametrize("level", ["instance", "organizationId"])
def test_hosted_login_translations(terraform, other_org, level):
    where = {level: True if level == "instance" else other_org, "locale": "de"}
    for sent in ({"loginname": {"title": "Hallo"}}, {"loginname": {"title": "Hallo"}}, {}):
        terraform(SETTINGS, "SetHostedLoginTranslation", **where, translations=sent)
        read = terraform(SETTINGS, "GetHostedLoginTranslation", **where, ignoreInheritance=True)
        assert read.get("translations", {}) == sent


def test_organization_domain_that_has_to_be_proved(terraform, other_org):
    """The provider asks for the policy first; a domain that needs no proof must not need one afterwards."""
    terraform(A, "AddCustomDomainPolicy", orgId=other_org, **DOMAINS)
    name = f"{unique('acme')}.example"
    where = {"organizationId": other_org, "domain": name}
    terraform(ORG, "AddOrganizationDomain", **where)
    asked = {"organizationId": other_org, "filters": [{"domainFilter": {"domain": name}}]}
    read = lambda: terraform.read(ORG, "ListOrganizationDomains", **asked)["domains"]
    assert part(read()[0], ("domain", "isVerified", "isPrimary")) == {
        "domain": name,
        "isVerified": False,
        "isPrimary": False,
    }
    made = terraform(ORG, "GenerateOrganizationDomainValidation", **where, type="DOMAIN_VALIDATION_TYPE_DNS")
    assert (bool(made["token"]), read()[0]["validationType"]) == (True, "DOMAIN_VALIDATION_TYPE_DNS")
    with pytest.raises(grpc.RpcError):
        terraform(ORG, "VerifyOrganizationDomain", **where)
    terraform(ORG, "DeleteOrganizationDomain", **where)
    assert read() == []
    terraform(A, "ResetCustomDomainPolicyToDefault", orgId=other_org)
    terraform(ORG, "AddOrganizationDomain", **where)
    assert read()[0]["isVerified"]
    terraform.refused(
        "FAILED_PRECONDITION", ORG, "GenerateOrganizationDomainValidation", **where, type="DOMAIN_VALIDATION_TYPE_DNS"
    )
