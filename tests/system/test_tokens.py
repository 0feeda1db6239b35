"""Tokens that system users sign themselves: what is taken, what is not."""

import base64
import hmac
import json
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from django.conf import settings
from joserfc.jwk import RSAKey

from iam.access.caller import RequestMeta, context_for, system_context
from iam.instance import commands as instances
from iam.kernel.errors import NotFound, Unauthenticated
from iam.kernel.levels import Level, Resource
from tests.system.conftest import origin
from tests.system.support import ED25519, pair, token
from users import commands as users

READ = "system.instance.read"


def caller(text, host="localhost"):
    return context_for(RequestMeta(host=host, headers={"authorization": f"Bearer {text}"}), READ)


@pytest.fixture
def known(house, system_users):
    system_users(superuser=[], other=[])


def test_a_system_user_proves_itself(known):
    ctx = caller(token("superuser", origin(), pair()[0]))
    assert (ctx.actor, ctx.caller.kind, ctx.caller.org_id) == ("superuser", "system_user", "")
    assert ctx.rights.allow(READ) and ctx.rights.allow("system.domain.write")


def test_other_kinds_of_keys_are_taken_with_their_own_algorithm(house, system_users):
    system_users(ED25519, superuser=[])
    assert caller(token("superuser", origin(), pair(ED25519)[0], alg="EdDSA")).actor == "superuser"
    with pytest.raises(Unauthenticated):
        caller(token("superuser", origin(), pair()[0]))


def test_an_owner_of_the_system_is_no_owner_of_instances(known):
    ctx = caller(token("superuser", origin(), pair()[0]))
    assert not any(
        ctx.rights.allow(one, Resource(Level.INSTANCE, ctx.instance)) for one in ("iam.read", "iam.write", "user.read")
    )


now, DAY = int(time.time()), 24 * 3600  # far enough that a slow run does not reach it
WRONG = {
    "expired": {"exp": now - 60},
    "no end": {"exp": None},
    "no beginning": {"iat": None},
    "a beginning in the future": {"iat": now + DAY, "exp": now + DAY + 600},
    "not valid yet": {"nbf": now + DAY},
    "too long": {"exp": now + DAY},
    "an end that is text": {"exp": "soon"},
    "an end that is a fraction": {"exp": now + 60.5},
    "nobody": {"iss": "nobody", "sub": "nobody"},
    "another subject": {"sub": "other"},
    "no subject": {"sub": None},
    "another issuer": {"iss": "other"},
    "no issuer": {"iss": None},
    "an issuer that is a list": {"iss": ["superuser"]},
    "another server": {"aud": "https://other.example"},
    "the audience with a slash": {"aud": f"{settings.CONFIG.origin('localhost')}/"},
    "us and others": {"aud": [settings.CONFIG.origin("localhost"), "https://other.example"]},
    "no audience": {"aud": None},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
def test_j07_j08_wrong_claims_prove_nothing(known, changed):
    with pytest.raises(Unauthenticated):
        caller(token("superuser", origin(), pair()[0], **changed))


@pytest.mark.parametrize("audience", ["http://second.example", "http://second.example:80", "https://localhost"])
def test_j08_the_origin_of_an_instance_is_not_that_of_the_system(known, house, audience):
    instances.add_domain(house.system, domain="second.example")
    with pytest.raises(Unauthenticated):
        caller(token("superuser", audience, pair()[0]))


@pytest.mark.parametrize("audience", ["http://localhost:80", "http://LOCALHOST", "http://localhost:9999"])
def test_j08_the_spelling_of_the_origin_does_not_count(known, audience):
    assert caller(token("superuser", audience, pair()[0])).actor == "superuser"


def test_a_token_of_another_key_proves_nothing(known):
    with pytest.raises(Unauthenticated):
        caller(token("superuser", origin(), pair(number=1)[0]))


def encoded(content):
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "", None])
def test_j01_an_unsigned_token_proves_nothing(known, alg):
    claims = token("superuser", origin(), pair()[0]).split(".")[1]
    head = encoded({} if alg is None else {"alg": alg})
    for signature in ("", "AA"):
        with pytest.raises(Unauthenticated):
            caller(f"{head}.{claims}.{signature}")


def signed_by_hand(header, signature):
    claims = token("superuser", origin(), pair()[0]).split(".")[1]
    body = f"{encoded(header)}.{claims}"
    return f"{body}.{base64.urlsafe_b64encode(signature(body.encode())).rstrip(b'=').decode()}"


def test_j02_the_public_key_is_no_shared_secret(known):
    secret = pair()[1].encode()
    forged = signed_by_hand({"alg": "HS256"}, lambda body: hmac.digest(secret, body, "sha256"))
    with pytest.raises(Unauthenticated):
        caller(forged)


@pytest.mark.parametrize("name", ["jwk", "jku", "x5c", "x5u", "kid", "crit"])
def test_j04_j06_the_header_chooses_no_key(known, name):
    """Signed by a stranger, whose key the header names."""
    stranger = RSAKey.import_key(pair(number=1)[0])
    values = {
        "jwk": stranger.as_dict(private=False),
        "jku": "https://evil.example/keys",
        "x5u": "https://evil.example/cert",
        "x5c": ["AA"],
        "kid": "superuser",
        "crit": ["exp"],
    }

    def sign(body):
        private = serialization.load_pem_private_key(pair(number=1)[0].encode(), None)
        return private.sign(body, padding.PKCS1v15(), hashes.SHA256())

    forged = signed_by_hand({"alg": "RS256", name: values[name]}, sign)
    with pytest.raises(Unauthenticated):
        caller(forged)


def test_j06_another_type_of_token_proves_nothing(known):
    with pytest.raises(Unauthenticated):
        caller(token("superuser", origin(), pair()[0], header={"typ": "at+jwt"}))


def test_memberships_of_the_system_reach_every_instance(house, system_users):
    system_users(god=[{"MemberType": "System", "Roles": ["SYSTEM_OWNER", "IAM_OWNER"]}])
    ctx = caller(token("god", origin(), pair()[0]))
    assert ctx.rights.allow("iam.write", Resource(Level.INSTANCE, house.instance)) and ctx.rights.allow(
        "user.write", Resource(Level.ORG, house.org)
    )


def test_memberships_of_an_instance_an_organization_a_project_reach_only_these(house, system_users):
    other = "999999999999999999"
    instances.add_instance(system_context(other), name="Other", domains=("other.example",))
    system_users(
        of_instance=[{"MemberType": "IAM", "AggregateID": house.instance, "Roles": "IAM_OWNER"}],
        of_org=[{"MemberType": "Organization", "AggregateID": house.org, "Roles": ["ORG_OWNER"]}],
        of_project=[{"MemberType": "Project", "AggregateID": "7", "Roles": ["PROJECT_OWNER"]}],
    )

    def rights(name, host="localhost"):
        return caller(token(name, origin(), pair()[0]), host).rights

    assert rights("of_instance").allow("iam.write", Resource(Level.INSTANCE, house.instance))
    assert not rights("of_instance", "other.example").allow("iam.write", Resource(Level.INSTANCE, other))
    assert not rights("of_instance").allow(READ)
    assert rights("of_org").allow("user.write", Resource(Level.ORG, house.org))
    assert not rights("of_org").allow("user.write", Resource(Level.ORG, "1"))
    assert rights("of_project").allow("project.write", Resource.of_project("7"))
    assert not rights("of_project").allow("project.write", Resource.of_project("8"))


def test_a_system_user_is_no_user_and_its_token_no_access_token(known, house, web):
    """Only the API takes it: the endpoints of OpenID Connect know tokens that they issued."""
    text = token("superuser", origin(), pair()[0])
    assert web.get("/oidc/v1/userinfo", headers={"authorization": f"Bearer {text}"}).status_code == 401
    mine = web.get("/auth/v1/users/me", headers={"authorization": f"Bearer {text}"})
    assert mine.status_code == 404


def test_a_user_of_the_same_id_gains_nothing(known, house):
    made = users.add_machine(house.system, org_id=house.org, user_id="superuser", user_name="robot", name="Robot")
    pat = users.add_pat(house.system, user_id=made.id).secret
    assert not caller(pat).rights.allow(READ)


def test_without_system_users_nobody_is_one(house):
    with pytest.raises(Unauthenticated):
        caller(token("superuser", origin(), pair()[0]))


def test_where_no_instance_is_only_what_operates_the_system_is_open(known):
    text = token("superuser", origin(), pair()[0])
    assert caller(text, "nowhere.example").instance == ""
    meta = RequestMeta(host="nowhere.example", headers={"authorization": f"Bearer {text}"})
    with pytest.raises(NotFound):
        context_for(meta, "user.read")
