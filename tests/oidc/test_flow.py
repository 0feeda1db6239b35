"""Authorization code, refresh, revocation, introspection, userinfo; rows R, C, D, J of the checklist."""

import base64
import json
from datetime import timedelta

import pytest

from oidc.models import AccessToken, Grant, RefreshToken
from projects import commands as projects
from tests.oidc.support import REDIRECT, make_flow
from users import commands as users
from users.commands import sessions


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


def test_code_and_pkce_give_tokens(flow):
    tokens = flow.tokens()
    assert tokens["token_type"] == "Bearer" and tokens["expires_in"] == 12 * 3600
    claims = json.loads(base64.urlsafe_b64decode(tokens["id_token"].split(".")[1] + "=="))
    assert claims["iss"] == "http://localhost" and claims["nonce"] == "no" and claims["azp"] == flow.client_id
    told = flow.userinfo(tokens["access_token"]).json()
    assert told["sub"] == flow.person and told["email"] == "gigi@example.com" and told["name"] == "Gigi Giraffe"


def test_roles_reach_userinfo(flow):
    projects.add_role(flow.house.system, project_id=flow.project, key="admin")
    projects.add_authorization(
        flow.house.system, org_id=flow.house.org, user_id=flow.person, project_id=flow.project, roles=("admin",)
    )
    tokens = flow.tokens(scope="openid urn:zitadel:iam:org:projects:roles")
    told = flow.userinfo(tokens["access_token"]).json()
    assert told["urn:zitadel:iam:org:project:roles"] == {"admin": {flow.house.org: "zitadel.localhost"}}


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/cb",
        REDIRECT + "/",
        REDIRECT + "?x=1",
        "https://app.example/CB",
        "https://app.example/cb/..",
        "https://good@app.example/cb",
    ],
)
def test_r01_r02_r03_r04_another_redirect_uri_is_shown_and_not_followed(flow, uri):
    answer = flow.authorize(redirect_uri=uri)
    assert answer.status_code == 400 and "Location" not in answer
    assert f"<code>{REDIRECT}</code>" not in answer.content.decode(), "what is registered is nobody else's business"


def test_r01_an_unknown_client_is_shown(flow):
    assert flow.authorize(client_id="1").status_code == 400


def test_r08_a_parameter_sent_twice_is_shown(flow):
    answer = flow.web.get(f"/oauth/v2/authorize?client_id={flow.client_id}&client_id=2&redirect_uri={REDIRECT}")
    assert answer.status_code == 400 and "Location" not in answer


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": " "}, "invalid_scope"),
        ({"response_type": None}, "invalid_request"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"request_uri": "urn:x"}, "request_uri_not_supported"),
        ({"prompt": "none nonsense"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"request": "x"}, "request_not_supported"),
    ],
)
def test_r09_r11_r20_c03_errors_go_back_with_state_and_issuer(flow, changed, error):
    answer = flow.authorize(**changed)
    assert answer.status_code == 303
    assert answer["Location"].startswith(REDIRECT)
    for part in (f"error={error}", "state=st", "iss=http%3A%2F%2Flocalhost"):
        assert part in answer["Location"]


def test_an_empty_prompt_counts_as_absent(flow):
    assert "authRequest=V2_" in flow.authorize(prompt="")["Location"]


def test_c01_a_code_works_once_and_its_second_use_revokes(flow):
    code = flow.code()
    tokens = flow.redeem(code).json()
    assert flow.redeem(code).json()["error"] == "invalid_grant"
    assert flow.userinfo(tokens["access_token"]).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://app.example/other"},
        {"code_verifier": "x" * 43},
        {"code_verifier": None},
        {"code": "nope"},
    ],
)
def test_c02_c04_a_code_for_something_else_is_refused(flow, changed):
    assert flow.redeem(**{"code": flow.code(), **changed}).json()["error"] == "invalid_grant"


def test_c02_an_old_code_is_refused(flow):
    code = flow.code()
    Grant.objects.update(expires_at=flow.house.system.now() - timedelta(seconds=1))
    assert flow.redeem(code).json()["error"] == "invalid_grant"


def test_c02_a_code_of_a_deactivated_user_is_refused(flow):
    code = flow.code()
    users.deactivate_user(flow.house.system, user_id=flow.person)
    assert flow.redeem(code).json()["error"] == "invalid_grant"


def test_c05_refresh_rotates_and_reuse_ends_the_family(flow):
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert flow.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert flow.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert flow.userinfo(second["access_token"]).status_code == 401


def test_c06_scopes_only_shrink(flow):
    token = flow.tokens()["refresh_token"]
    assert flow.refresh(token, scope="openid phone").json()["error"] == "invalid_scope"
    assert flow.refresh(token, scope="openid").json()["scope"] == "openid"


def test_c06_the_next_refresh_token_stands_for_what_the_first_did(flow):
    """RFC 6749 §6: who asks for less once may have it all the next time, and never more."""
    first = flow.tokens()
    less = flow.refresh(first["refresh_token"], scope="openid").json()
    assert less["scope"] == "openid" and "email" not in flow.userinfo(less["access_token"]).json()
    again = flow.refresh(less["refresh_token"]).json()
    assert again["scope"] == first["scope"] and "email" in flow.userinfo(again["access_token"]).json()
    assert flow.refresh(again["refresh_token"], scope="openid phone").json()["error"] == "invalid_scope"


def test_c06_refresh_ends_with_the_password(flow):
    token = flow.tokens()["refresh_token"]
    users.set_password(flow.house.system, user_id=flow.person, password="Another-Horse-9")
    assert flow.refresh(token).json()["error"] == "invalid_grant"


def test_c07_refreshing_for_ever_meets_the_absolute_end(flow):
    token = flow.tokens()["refresh_token"]
    RefreshToken.objects.update(ends_at=flow.house.system.now())
    assert flow.refresh(token).json()["error"] == "invalid_grant"


def test_c08_tokens_travel_in_the_header_only(flow):
    token = flow.tokens()["access_token"]
    assert flow.web.get(f"/oidc/v1/userinfo?access_token={token}").status_code == 400
    assert flow.web.get("/oidc/v1/userinfo", headers={"authorization": f"bearer {token}"}).status_code == 200


def test_c09_a_changed_token_is_nothing(flow):
    token = flow.tokens()["access_token"]
    for bad in (token[:-1], token + "x", token.swapcase(), token.replace("gtha", "gthp")):
        assert flow.userinfo(bad).status_code == 401


def introspect(flow, app, token):
    return flow.form("/oauth/v2/introspect", {"client_id": app.client_id, "client_secret": app.secret, "token": token})


def test_d08_d09_introspection(flow):
    system = flow.house.system
    api = projects.add_api_app(system, project_id=flow.project, name="api")
    token = flow.tokens()["access_token"]
    assert introspect(flow, api, token).json()["active"] is True
    assert introspect(flow, api, "nonsense").json() == {"active": False}
    other = projects.add_project(system, org_id=flow.house.org, name="other").id
    stranger = projects.add_api_app(system, project_id=other, name="api")
    assert introspect(flow, stranger, token).json() == {"active": False}
    assert (
        flow.form(
            "/oauth/v2/introspect", {"client_id": api.client_id, "client_secret": "wrong", "token": token}
        ).status_code
        == 401
    )
    users.lock_user(system, user_id=flow.person)
    assert introspect(flow, api, token).json() == {"active": False}


@pytest.mark.parametrize("thing", ["session", "app", "project", "org", "user"])
def test_d07_l10_t08_tokens_die_with_what_they_stand_on(flow, thing):
    system, session = flow.house.system, flow.session()
    token = flow.redeem(flow.code(session=session)).json()["access_token"]
    assert flow.userinfo(token).status_code == 200
    match thing:
        case "session":
            sessions.terminate_session(system, session_id=session)
        case "app":
            projects.deactivate_app(system, project_id=flow.project, app_id=flow.app)
        case "project":
            projects.deactivate_project(system, project_id=flow.project)
        case "org":
            flow.house.stop_org()
        case "user":
            users.remove_user(system, user_id=flow.person)
    assert flow.userinfo(token).status_code == 401


def test_revocation(flow):
    tokens = flow.tokens()
    assert flow.form("/oauth/v2/revoke", {"client_id": flow.client_id, "token": "nonsense"}).status_code == 200
    assert (
        flow.form("/oauth/v2/revoke", {"client_id": flow.client_id, "token": tokens["refresh_token"]}).status_code
        == 200
    )
    assert flow.userinfo(tokens["access_token"]).status_code == 401


def test_e07_no_token_or_code_is_stored_in_clear(flow):
    tokens = flow.tokens()
    stored = str([list(table.objects.values()) for table in (Grant, AccessToken, RefreshToken)])
    assert tokens["access_token"] not in stored and tokens["refresh_token"] not in stored


def test_d01_two_ways_of_authentication_are_refused(flow):
    basic = base64.b64encode(f"{flow.client_id}:x".encode()).decode()
    answer = flow.form(
        "/oauth/v2/token",
        {"grant_type": "authorization_code", "code": "x", "client_id": flow.client_id, "client_secret": "y"},
        authorization=f"Basic {basic}",
    )
    assert answer.json()["error"] == "invalid_request"


def test_d10_cors_answers_registered_origins_only(flow):
    good = flow.web.options("/oauth/v2/token", headers={"origin": "https://app.example"})
    assert good["Access-Control-Allow-Origin"] == "https://app.example"
    for origin in ("https://evil.example", "null", "https://app.example.evil.example"):
        assert "Access-Control-Allow-Origin" not in flow.web.options("/oauth/v2/token", headers={"origin": origin})
    assert (
        flow.web.get("/.well-known/openid-configuration", headers={"origin": "https://any.example"})[
            "Access-Control-Allow-Origin"
        ]
        == "*"
    )


def test_r13_signing_out_goes_on_to_a_registered_address_only(flow):
    tokens = flow.tokens()
    good = flow.web.get(
        f"/oidc/v1/end_session?id_token_hint={tokens['id_token']}&post_logout_redirect_uri=https://app.example/&state=s"
    )
    assert good["Location"] == "https://app.example/?state=s"
    bad = flow.web.get(
        f"/oidc/v1/end_session?id_token_hint={tokens['id_token']}&post_logout_redirect_uri=https://evil.example/"
    )
    assert bad.status_code == 400
    assert flow.web.get("/oidc/v1/end_session")["Location"] == "/ui/v2/login/logout"


def test_discovery_names_the_endpoints(web, house):
    told = web.get("/.well-known/openid-configuration").json()
    assert told["issuer"] == "http://localhost"
    assert web.get("/oauth/v2/keys").json()["keys"][0]["alg"] == "RS256"


def test_j12_the_old_signing_key_stays_published(web, house):
    from oidc.web_keys import rotate

    before = {key["kid"] for key in web.get("/oauth/v2/keys").json()["keys"]}
    new = rotate(house.system)
    assert before | {new} == {key["kid"] for key in web.get("/oauth/v2/keys").json()["keys"]}
