"""Clocks that differ: what is refused says so and by how much, and an application's tolerance is in its tokens."""

import json
import re
from datetime import timedelta

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from oidc.jose import read
from projects import commands as projects
from projects.domain.project import PRIVATE_KEY_JWT, OidcConfig
from tests.oidc.support import REDIRECT, make_flow
from users import commands as users

BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FAR = 600
SHIFTED = (
    ({"iat": FAR, "exp": FAR + 60}, "not yet valid: iat is", "ahead of"),
    ({"nbf": FAR}, "not yet valid: nbf is", "ahead of"),
    ({"iat": -FAR - 60, "exp": -FAR}, "expired: exp is", "behind"),
)


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


def assertion(flow, key, key_id, who, shifted):
    """A JWT of somebody whose clock is so many seconds apart (RFC 7523 §3)."""
    now = int(flow.house.system.now().timestamp())
    times = {name: now + seconds for name, seconds in {"iat": 0, "exp": 60, **shifted}.items()}
    claims = json.dumps({"iss": who, "sub": who, "aud": "http://localhost", **times}).encode()
    return jws.serialize_compact({"alg": "RS256", "kid": key_id}, claims, RSAKey.import_key(key), algorithms=["RS256"])


def told(answer, error, begin, side):
    """The refusal names the claim, the difference in seconds, and its cause."""
    body = answer.json()
    assert body["error"] == error
    found = re.search(
        rf"{begin} (\d+) seconds {side} this server's clock \(30 are allowed\); the clocks differ",
        body["error_description"],
    )
    assert found, body
    assert abs(int(found[1]) - FAR) < 5


@pytest.mark.parametrize(("shifted", "begin", "side"), SHIFTED)
def test_row_49_a_service_users_assertion_of_another_time_is_refused_with_the_difference(flow, shifted, begin, side):
    user, _ = flow.house.machine("robot")
    key = users.add_machine_key(flow.house.system, user_id=user)
    form = {"grant_type": BEARER, "scope": "openid"}
    text = assertion(flow, key.secret, key.id, user, shifted)
    told(flow.form("/oauth/v2/token", {**form, "assertion": text}), "invalid_grant", begin, side)
    good = assertion(flow, key.secret, key.id, user, {"iat": 25, "nbf": 25})
    assert flow.form("/oauth/v2/token", {**form, "assertion": good}).status_code == 200


@pytest.mark.parametrize(("shifted", "begin", "side"), SHIFTED)
def test_row_49_a_clients_assertion_of_another_time_is_refused_with_the_difference(flow, shifted, begin, side):
    config = OidcConfig(redirect_uris=(REDIRECT,), auth_method_type=PRIVATE_KEY_JWT)
    app = projects.add_oidc_app(flow.house.system, project_id=flow.project, name="keyed", config=config)
    key = projects.add_app_key(flow.house.system, project_id=flow.project, app_id=app.id)

    def redeem(**shifted):
        text = assertion(flow, key.private, key.id, app.client_id, shifted)
        proof = {"client_assertion_type": CLIENT_BEARER, "client_assertion": text}
        return flow.redeem(flow.code(client_id=app.client_id), client_id=app.client_id, **proof)

    told(redeem(**shifted), "invalid_client", begin, side)
    assert redeem(iat=25).status_code == 200


def test_row_49_tokens_allow_for_the_clock_skew_of_their_application(flow):
    app = {"project_id": flow.project, "app_id": flow.app}
    plain = {"access_token_type": 1, "clock_skew": timedelta(0)}
    skewed = {"access_token_type": 1, "clock_skew": timedelta(seconds=5)}
    seen = []
    for changes in (plain, skewed):
        projects.change_oidc_app(flow.house.system, **app, changes=changes)
        before, tokens = flow.house.system.now().timestamp(), flow.tokens()
        seen.append([(before, read(tokens[name]).claims) for name in ("id_token", "access_token")])
    for (at, exact), (later, shifted) in zip(*seen, strict=True):
        assert abs(exact["iat"] - at) < 3 and abs(shifted["iat"] - (later - 5)) < 3
        assert shifted["exp"] - shifted["iat"] == exact["exp"] - exact["iat"] + 10
    assert seen[1][1][1]["nbf"] == seen[1][1][1]["iat"]
