"""Every kind of token × every claim × every place where it is told (reference/oidc.md §6), and the hashes of every key."""

import base64
import hashlib
import json
import time

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from iam.access.tokens import TokenKind, mint
from oidc.domain.web_key import KeyConfig
from oidc.jose import read, verify
from oidc.models import AccessToken, Grant, RefreshToken
from oidc.tokens import half_hash
from oidc.web_keys import rotate, verifying_key
from orgs.models import OrgRow
from projects import commands as projects
from projects.models import AppRow
from tests.oidc.support import make_flow, make_tv
from tests.oidc.test_service_users import statements
from users import commands as users
from users.models import UserRow

BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
METADATA, OWNER = "urn:zitadel:iam:user:metadata", "urn:zitadel:iam:user:resourceowner"
DOMAIN = "urn:zitadel:iam:org:domain:primary:zitadel.localhost"
ROLES = "urn:zitadel:iam:org:project:roles"
PROFILE = ("name", "given_name", "family_name", "preferred_username", "updated_at", "email", "email_verified")
PLACES = ("id_token", "access_token", "userinfo", "introspection")


@pytest.fixture
def flow(house, web):
    made = make_flow(house, web)
    system = house.system
    for key in ("reader", "writer"):
        projects.add_role(system, project_id=made.project, key=key)
    made.api = projects.add_api_app(system, project_id=made.project, name="api")
    made.robot, made.pat = house.machine("robot")
    for user in (made.person, made.robot):
        users.set_user_metadata(system, user_id=user, values={"b": b"b", "bytes": bytes([251, 255, 254])})
        projects.add_authorization(system, org_id=house.org, user_id=user, project_id=made.project, roles=("reader",))
    made.tv = None
    set_app(made, access_token_type=1)
    UserRow.objects.filter(id=made.robot).update(access_token_type=1)
    return made


def set_app(flow, **changes):
    projects.change_oidc_app(flow.house.system, project_id=flow.project, app_id=flow.app, changes=changes)


def introspect(flow, token):
    form = {"client_id": flow.api.client_id, "client_secret": flow.api.secret, "token": token}
    return flow.form("/oauth/v2/introspect", form).json()


def by_secret(flow, scope):
    secret = users.set_machine_secret(flow.house.system, user_id=flow.robot).secret
    form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": secret, "scope": scope}
    return flow.form("/oauth/v2/token", form).json()


def by_assertion(flow, scope):
    key = users.add_machine_key(flow.house.system, user_id=flow.robot)
    now = int(time.time())
    claims = {"iss": flow.robot, "sub": flow.robot, "aud": "http://localhost", "iat": now, "exp": now + 300}
    private, header = RSAKey.import_key(key.secret), {"alg": "RS256", "kid": key.id}
    signed = jws.serialize_compact(header, json.dumps(claims).encode(), private, algorithms=["RS256"])
    return flow.form("/oauth/v2/token", {"grant_type": BEARER, "assertion": signed, "scope": scope}).json()


def by_refresh(flow, scope):
    return flow.refresh(flow.tokens(scope=f"{scope} offline_access")["refresh_token"]).json()


KINDS = {
    "code": lambda flow, scope: flow.tokens(scope=scope),
    "refresh": by_refresh,
    "client_credentials": by_secret,
    "jwt-bearer": by_assertion,
}
"""Kinds of tokens, and how to get one."""
OF_PEOPLE = ("code", "refresh")


def told(flow, tokens):
    """What is said in each of the places."""
    return {
        "id_token": read(tokens["id_token"]).claims,
        "access_token": read(tokens["access_token"]).claims,
        "userinfo": flow.userinfo(tokens["access_token"]).json(),
        "introspection": introspect(flow, tokens["access_token"]),
    }


def scope_for(flow, kind, *more):
    """With the audience that a service user has to ask for."""
    return " ".join(("openid", f"urn:zitadel:iam:org:project:id:{flow.project}:aud", *more))


@pytest.mark.parametrize("kind", KINDS)
def test_metadata_owner_and_domain_are_told_in_all_four_places_when_asked_for(flow, kind):
    for place, claims in told(flow, KINDS[kind](flow, scope_for(flow, kind, METADATA, OWNER, DOMAIN))).items():
        assert claims[METADATA] == {"b": "Yg", "bytes": "-__-"}, place
        owner = {name.rpartition(":")[2]: value for name, value in claims.items() if name.startswith(OWNER)}
        name = OrgRow.objects.get(id=flow.house.org).name
        assert owner == {"id": flow.house.org, "name": name, "primary_domain": "zitadel.localhost"}, place
        assert claims[DOMAIN] == "zitadel.localhost", place


@pytest.mark.parametrize("kind", KINDS)
def test_and_in_none_of_them_unasked(flow, kind):
    for place, claims in told(flow, KINDS[kind](flow, scope_for(flow, kind, "profile"))).items():
        assert not [name for name in claims if name.startswith("urn:")], place


@pytest.mark.parametrize("kind", KINDS)
def test_who_has_no_metadata_has_no_claim_of_it(flow, kind):
    from users.models import UserMetadataRow

    UserMetadataRow.objects.all().delete()
    for place, claims in told(flow, KINDS[kind](flow, scope_for(flow, kind, METADATA))).items():
        assert METADATA not in claims, place


@pytest.mark.parametrize("in_id_token", [False, True])
@pytest.mark.parametrize("in_access_token", [False, True])
@pytest.mark.parametrize(
    "wanted", ["", "urn:zitadel:iam:org:project:role:reader", "urn:zitadel:iam:org:projects:roles"]
)
@pytest.mark.parametrize("kind", OF_PEOPLE)
def test_roles_are_in_a_persons_tokens_only_where_the_application_asserts_them(
    flow, kind, wanted, in_id_token, in_access_token
):
    set_app(flow, id_token_role_assertion=in_id_token, access_token_role_assertion=in_access_token)
    said = told(flow, KINDS[kind](flow, scope_for(flow, kind, *([wanted] if wanted else []))))
    there = {place: ROLES in claims for place, claims in said.items()}
    asked = bool(wanted)
    expected = {"id_token": in_id_token, "access_token": in_access_token, "userinfo": asked, "introspection": asked}
    assert there == expected
    held = {"reader": {flow.house.org: "zitadel.localhost"}}
    assert all(claims[ROLES] == held for claims in said.values() if ROLES in claims)


@pytest.mark.parametrize(
    "wanted", ["", "urn:zitadel:iam:org:project:role:reader", "urn:zitadel:iam:org:projects:roles"]
)
@pytest.mark.parametrize("kind", ["client_credentials", "jwt-bearer"])
def test_roles_are_in_a_service_users_tokens_when_it_asked_for_them(flow, kind, wanted):
    claim = f"urn:zitadel:iam:org:project:{flow.project}:roles"
    said = told(flow, KINDS[kind](flow, scope_for(flow, kind, *([wanted] if wanted else []))))
    for place, claims in said.items():
        held = {"reader": {flow.house.org: "zitadel.localhost"}} if wanted else None
        assert claims.get(claim) == held, place
    unheld = told(flow, KINDS[kind](flow, scope_for(flow, kind, "urn:zitadel:iam:org:project:role:writer")))
    assert not [place for place, claims in unheld.items() if claim in claims]


@pytest.mark.parametrize("asserts", [False, True])
@pytest.mark.parametrize("kind", OF_PEOPLE)
def test_profile_claims_are_in_an_id_token_only_where_the_application_asserts_userinfo(flow, kind, asserts):
    set_app(flow, id_token_userinfo_assertion=asserts)
    said = told(flow, KINDS[kind](flow, "openid profile email"))
    for place in PLACES:
        expected = place in ("userinfo", "introspection") or (asserts and place == "id_token")
        assert [name for name in PROFILE if name in said[place]] == (list(PROFILE) if expected else []), place


@pytest.mark.parametrize("kind", KINDS)
def test_the_frame_of_every_token(flow, kind):
    """Who, for whom, by whom, until when; whose token it is stays an id, whatever the name of the service user is."""
    tokens = KINDS[kind](flow, scope_for(flow, kind))
    said = told(flow, tokens)
    person = kind in OF_PEOPLE
    user = flow.person if person else flow.robot
    by = flow.client_id if person else flow.robot
    assert {place: claims["sub"] for place, claims in said.items()} == dict.fromkeys(PLACES, user)
    for place in ("access_token", "introspection"):
        assert said[place]["client_id"] == by
    assert said["access_token"]["azp"] == by
    assert said["id_token"]["azp"] == ("robot" if kind == "client_credentials" else by)
    assert said["id_token"]["azp"] in said["id_token"]["aud"] and flow.project in said["id_token"]["aud"]
    assert said["access_token"]["aud"] == said["introspection"]["aud"]
    for place in ("id_token", "introspection"):
        amr = None if kind == "jwt-bearer" else ["pwd"]
        assert said[place].get("amr") == amr, place
        assert abs(said[place]["auth_time"] - time.time()) < 60
    for place, lifetime in (("id_token", 12), ("access_token", 12), ("introspection", 12)):
        assert abs(said[place]["exp"] - said[place]["iat"] - lifetime * 3600) <= 1, place
    assert ("nonce" in said["id_token"]) == (kind == "code")
    assert said["id_token"].get("nonce", "no") == "no"
    assert "auth_time" not in said["access_token"] and "amr" not in said["access_token"]


@pytest.mark.parametrize("kind", ["client_credentials", "jwt-bearer"])
def test_an_id_token_of_a_service_user_needs_the_scope_and_ends_with_the_lifetime_of_id_tokens(flow, api, kind):
    changed = {"accessTokenLifetime": "7200s", "idTokenLifetime": "3600s"}
    more = {"refreshTokenIdleExpiration": "2592000s", "refreshTokenExpiration": "7776000s"}
    assert api.put("/admin/v1/settings/oidc", {**changed, **more}).status_code == 200
    tokens = KINDS[kind](flow, "openid")
    claims = read(tokens["id_token"]).claims
    assert claims["exp"] - claims["iat"] == 3600 and tokens["expires_in"] == 7200
    assert "refresh_token" not in KINDS[kind](flow, "openid offline_access")
    assert "id_token" not in KINDS[kind](flow, "profile")


def test_a_second_refresh_repeats_no_nonce_either(flow):
    first = flow.tokens()
    assert read(first["id_token"]).claims["nonce"] == "no"
    for _ in range(2):
        first = flow.refresh(first["refresh_token"]).json()
        assert "nonce" not in read(first["id_token"]).claims


def test_what_was_stored_with_the_older_word_is_told_as_rfc_8176_names_it(flow):
    code = flow.code()
    Grant.objects.update(amr=["pwd", "password"])
    tokens = flow.redeem(code).json()
    AccessToken.objects.update(amr=["pwd", "password"])
    RefreshToken.objects.update(amr=["pwd", "password"])
    assert read(tokens["id_token"]).claims["amr"] == ["pwd"]
    assert introspect(flow, tokens["access_token"])["amr"] == ["pwd"]
    assert read(flow.refresh(tokens["refresh_token"]).json()["id_token"]).claims["amr"] == ["pwd"]


# the hashes of every key

CONFIGS = [
    *(KeyConfig("rsa", size, hash) for size in (2048, 3072, 4096) for hash in (256, 384, 512)),
    *(KeyConfig("ecdsa", size) for size in (256, 384, 512)),
    KeyConfig("ed25519", 0),
]
EXPECTED = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512, "EdDSA": hashlib.sha512}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda one: f"{one.algorithm}-{one.size}")
@pytest.mark.parametrize("kind", KINDS)
def test_at_hash_is_of_the_hash_of_the_key_that_signs(flow, kind, config):
    rotate(flow.house.system, config)
    tokens = KINDS[kind](flow, "openid")
    header = read(tokens["id_token"]).header
    assert header["alg"] == config.algorithm
    claims = verify(tokens["id_token"], lambda kid: verifying_key(flow.house.instance, kid), types=("jwt",))
    hashed = EXPECTED.get(config.algorithm[2:], EXPECTED["EdDSA"])(tokens["access_token"].encode()).digest()
    half = hashed[: len(hashed) // 2]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_the_published_example_of_a_hash():
    """OpenID Connect Core, appendix A.3: the access token and its at_hash; A.4: the code and its c_hash."""
    assert half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"
    assert half_hash("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk", "RS256") == "LDktKdoQak3Pk0cnXxCltA"


@pytest.mark.parametrize("alg", [f"{kind}{bits}" for kind in ("RS", "PS", "ES", "HS") for bits in (256, 384, 512)])
def test_every_algorithm_of_rfc_7518_has_its_hash(alg):
    assert len(base64.urlsafe_b64decode(half_hash("x", alg) + "==")) == int(alg[2:]) // 16


# roles that a project adds by itself


def asserting(flow, *, on=True):
    projects.change_project(flow.house.system, project_id=flow.project, settings={"project_role_assertion": on})


NAMED = "urn:zitadel:iam:org:project:role:reader urn:zitadel:iam:org:project:role:writer"


def test_a_project_that_asserts_roles_adds_their_scopes_to_every_request(flow, api):
    projects.add_role(flow.house.system, project_id=flow.project, key="no scope holds this")
    for on, added in ((False, ""), (True, f" {NAMED}")):
        asserting(flow, on=on)
        request = flow.authorize(scope="openid")["Location"].partition("authRequest=")[2]
        assert " ".join(api.get(f"/v2/oidc/auth_requests/{request}").json()["authRequest"]["scope"]) == f"openid{added}"
        tokens = flow.tokens(scope="openid offline_access")
        assert tokens["scope"] == f"openid offline_access{added}"
        assert introspect(flow, tokens["access_token"])["scope"] == tokens["scope"]
        assert flow.refresh(tokens["refresh_token"]).json()["scope"] == tokens["scope"]


def test_one_who_names_roles_gets_no_others(flow):
    asserting(flow)
    scope = "openid urn:zitadel:iam:org:project:role:reader"
    assert flow.tokens(scope=scope)["scope"] == scope


def test_a_device_gets_them_too(house, web):
    tv = make_tv(house, web)
    projects.add_role(house.system, project_id=tv.flow.project, key="reader")
    asserting(tv.flow)
    tv.start(scope="openid")
    tv.approve()
    assert tv.poll().json()["scope"] == "openid urn:zitadel:iam:org:project:role:reader"


# personal access tokens

DEFAULT = f"openid profile {METADATA} {OWNER}"


def test_a_personal_access_token_is_who_it_is(flow):
    robot = UserRow.objects.get(id=flow.robot)
    said = flow.userinfo(flow.pat).json()
    owner = {name: said.pop(name) for name in list(said) if name.startswith(OWNER)}
    assert owner[f"{OWNER}:id"] == flow.house.org and len(owner) == 3
    assert said.pop(METADATA) == {"b": "Yg", "bytes": "-__-"}
    assert said == {
        "sub": flow.robot,
        "name": "robot",
        "preferred_username": robot.preferred_login_name,
        "updated_at": int(robot.changed_at.timestamp()),
    }


def test_introspection_of_a_personal_access_token_brings_names_and_the_projects_roles(flow):
    said = introspect(flow, flow.pat)
    assert said["active"] and said["scope"] == f"{DEFAULT} {NAMED}"
    assert said["aud"] == [flow.api.client_id, flow.project]
    assert said["sub"] == flow.robot and said["name"] == "robot" and said["token_type"] == "Bearer"
    assert said["username"] == said["preferred_username"]
    assert said[ROLES] == {"reader": {flow.house.org: "zitadel.localhost"}}
    assert said[f"{OWNER}:id"] == flow.house.org and said[METADATA]["b"] == "Yg"
    assert not {"client_id", "amr", "auth_time"} & said.keys()


def test_another_project_learns_its_own_roles_only(flow):
    system = flow.house.system
    other = projects.add_project(system, org_id=flow.house.org, name="other").id
    projects.add_role(system, project_id=other, key="guest")
    flow.api = projects.add_api_app(system, project_id=other, name="api")
    said = introspect(flow, flow.pat)
    assert said["scope"] == f"{DEFAULT} urn:zitadel:iam:org:project:role:guest"
    assert said["aud"] == [flow.api.client_id, other] and ROLES not in said
    assert flow.project not in json.dumps(said)


SCOPED = [
    (("openid",), 200, {"sub"}),
    (("openid", "profile"), 200, {"sub", "name", "preferred_username", "updated_at"}),
    (("urn:zitadel:iam:org:project:id:zitadel:aud",), 403, None),
]


@pytest.mark.parametrize(("scopes", "status", "members"), SCOPED)
def test_the_scopes_of_a_personal_access_token_limit_it(flow, scopes, status, members):
    token = users.add_pat(flow.house.system, user_id=flow.robot, scopes=scopes).secret
    answer = flow.userinfo(token)
    assert answer.status_code == status
    if members:
        assert answer.json().keys() == members
    assert introspect(flow, token) == {"active": False}, "this project is not among them"
    own = (*scopes, f"urn:zitadel:iam:org:project:id:{flow.project}:aud")
    named = users.add_pat(flow.house.system, user_id=flow.robot, scopes=own).secret
    said = introspect(flow, named)
    assert said["active"] and said["scope"] == " ".join(own) and ROLES not in said


def test_a_personal_access_token_dies_with_its_user_organization_and_end(flow):
    system = flow.house.system
    stopped = users.add_pat(system, user_id=flow.robot)
    users.remove_pat(system, user_id=flow.robot, pat_id=stopped.id)
    for dead in (stopped.secret, mint(TokenKind.PAT)):
        assert flow.userinfo(dead).status_code == 401 and introspect(flow, dead) == {"active": False}
    users.deactivate_user(system, user_id=flow.robot)
    assert flow.userinfo(flow.pat).status_code == 401 and introspect(flow, flow.pat) == {"active": False}
    users.reactivate_user(system, user_id=flow.robot)
    assert flow.userinfo(flow.pat).status_code == 200
    flow.house.stop_org()
    assert flow.userinfo(flow.pat).status_code == 401


def test_budgets_of_personal_access_tokens(flow):
    """Host, client, the joined statement; the metadata, and the roles held where some are named."""
    with statements(5):
        assert introspect(flow, flow.pat)["active"]
    with statements(3):
        assert flow.userinfo(flow.pat).status_code == 200


def test_budget_of_a_person_with_an_organization(flow):
    """The organization's names come with the token."""
    token = flow.tokens(scope=f"openid profile {OWNER}")["access_token"]
    with statements(3):
        assert introspect(flow, token)[f"{OWNER}:name"]
    with statements(2):
        assert flow.userinfo(token).status_code == 200


# what discovery promises


def test_discovery_names_claims_that_come_and_leaves_out_those_that_never_do(flow):
    promised = flow.web.get("/.well-known/openid-configuration").json()
    set_app(flow, id_token_userinfo_assertion=True, access_token_type=1)
    users.change_profile(
        flow.house.system,
        user_id=flow.person,
        profile=users_profile(),
    )
    users.change_phone(flow.house.system, user_id=flow.person, phone="+41791234567", verified=True)
    said = told(flow, flow.tokens(scope=" ".join(promised["scopes_supported"])))
    came = {name for claims in said.values() for name in claims}
    introspected = {"active", "scope", "token_type", "jti", "nbf", "username"}
    assert set(promised["claims_supported"]) == came - introspected
    assert AppRow.objects.filter(id=flow.app).exists()
    assert "address" not in promised["scopes_supported"]


def users_profile():
    from users.domain.profile import Profile

    return Profile("Gigi", "Giraffe", "GG", "Gigi G", "de", 1)
