"""Every way of authenticating an application × every way of sending a proof × every endpoint that asks for one (D01, D03).

Many libraries try one place for a secret and then the other, or always send a placeholder: that must neither fail nor
count as guessing. A guess is a wrong secret of a client that has one, and nothing else.
"""

import base64
import json
import time

import pytest
from django.conf import settings
from joserfc import jws
from joserfc.jwk import RSAKey

from iam.api import rates
from projects import commands as projects
from projects.domain.project import BASIC, NONE, POST, PRIVATE_KEY_JWT, OidcConfig
from tests.oidc.support import REDIRECT, make_flow
from users import commands as users

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
METHODS = {"basic": BASIC, "post": POST, "none": NONE, "private_key_jwt": PRIVATE_KEY_JWT}
TRIES = settings.CONFIG.RateLimits.Client.Burst + 2


class App:
    """An application of one method, and what it could send."""

    def __init__(self, flow, method, kind="oidc"):
        self.flow, self.method, self.kind = flow, method, kind
        system = flow.house.system
        if kind == "api":
            made = projects.add_api_app(system, project_id=flow.project, name="api", method=int(method != "basic"))
        else:
            config = OidcConfig(redirect_uris=(REDIRECT,), grant_types=(0, 2, 3), auth_method_type=METHODS[method])
            made = projects.add_oidc_app(system, project_id=flow.project, name=f"app of {method}", config=config)
        self.id, self.client_id, self.secret = made.id, made.client_id, made.secret
        if method == "private_key_jwt":
            self.key = projects.add_app_key(system, project_id=flow.project, app_id=made.id)

    def assertion(self):
        now = int(time.time())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": "http://localhost", "iat": now, "exp": now + 60}
        key = RSAKey.import_key(self.key.private) if self.method == "private_key_jwt" else RSAKey.generate_key(2048)
        kid = self.key.id if self.method == "private_key_jwt" else "1"
        return jws.serialize_compact(
            {"alg": "RS256", "kid": kid}, json.dumps(claims).encode(), key, algorithms=["RS256"]
        )

    def send(self, way, path, form):
        """Send a form with a proof: way is where the proof stands, and what it is."""
        place, _, what = way.partition(" ")
        secret = {"right": self.secret or "placeholder", "wrong": "wrong", "empty": ""}.get(what, "")
        headers, proof = {}, {}
        if place in ("header", "both", "header+id", "header+assertion", "header+other"):
            basic = base64.b64encode(f"{self.client_id}:{secret}".encode()).decode()
            headers["authorization"] = f"Basic {basic}"
        if place in ("form", "both", "form+assertion"):
            proof |= {"client_id": self.client_id, "client_secret": secret}
        if place in ("id", "header+id"):
            proof |= {"client_id": self.client_id}
        if place == "header+other":
            proof |= {"client_id": "1"}
        if place.endswith("assertion"):
            proof |= {"client_assertion_type": ASSERTION, "client_assertion": self.assertion()}
        return self.flow.form(path, {**form, **proof}, **headers)


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


SECRET_WAYS = ("header right", "form right", "header+id right")
WAYS = (
    *SECRET_WAYS,
    *("header wrong", "form wrong", "header empty", "form empty", "id", "assertion"),
    *("both right", "header+assertion right", "form+assertion right", "header+other right"),
)
TWO_AT_ONCE = ("both right", "header+assertion right", "form+assertion right", "header+other right")


def expected(method, way):
    """What comes back for a way of a method: None when the client is let in."""
    if way in TWO_AT_ONCE:
        return "invalid_request"
    allowed = {
        "basic": SECRET_WAYS,
        "post": SECRET_WAYS,
        "private_key_jwt": ("assertion",),
        "none": tuple(one for one in WAYS if one not in (*TWO_AT_ONCE, "assertion")),
    }
    return None if way in allowed[method] else "invalid_client"


def calls(app):
    """An endpoint, and a form that only an authenticated client gets past."""
    return {
        "/oauth/v2/token": ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        "/oauth/v2/device_authorization": ({"scope": "openid"}, None),
        "/oauth/v2/revoke": ({"token": "x"}, None),
        **({} if app.method == "none" else {"/oauth/v2/introspect": ({"token": "x"}, None)}),
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_d01_basic_and_post_stand_for_each_other_and_a_public_clients_secret_says_nothing(flow, method, way):
    app = App(flow, method)
    for path, (form, inside) in calls(app).items():
        answer = app.send(way, path, form)
        error = answer.json().get("error") if answer.content else None
        refused = expected(method, way)
        assert error == (refused or inside), (path, answer.content)
        assert answer.status_code == {"invalid_client": 401, None: 200}.get(error, 400), path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["basic", "private_key_jwt"])
def test_d01_of_an_api_application_as_well(flow, method, way):
    app = App(flow, method, kind="api")
    answer = app.send(way, "/oauth/v2/introspect", {"token": "x"})
    refused = expected(method, way)
    assert answer.json() == {"active": False} if refused is None else answer.json()["error"] == refused


def test_d08_a_public_client_asks_about_no_token(flow):
    app = App(flow, "none")
    for way in ("id", "form right", "header right"):
        assert app.send(way, "/oauth/v2/introspect", {"token": "x"}).json()["error"] == "invalid_client"


@pytest.mark.parametrize("method", METHODS)
def test_a_code_is_redeemed_by_every_way_that_is_let_in(flow, method):
    """The whole flow, as libraries run it: one way first, then the other."""
    app = App(flow, method)
    for way in WAYS:
        if expected(method, way) is None:
            code = flow.code(client_id=app.client_id)
            form = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": REDIRECT,
                "code_verifier": "v" * 43,
            }
            assert "access_token" in app.send(way, "/oauth/v2/token", form).json(), way


@pytest.mark.parametrize("verifier", [None, "w" * 43])
def test_c04_a_public_clients_secret_is_no_substitute_for_its_verifier(flow, verifier):
    app = App(flow, "none")
    for way in ("form right", "header right", "id"):
        form = {
            "grant_type": "authorization_code",
            "code": flow.code(client_id=app.client_id),
            "redirect_uri": REDIRECT,
        }
        form |= {"code_verifier": verifier} if verifier else {}
        assert app.send(way, "/oauth/v2/token", form).json()["error"] == "invalid_grant"


IS_GUESS = {("basic", "header wrong"), ("basic", "form wrong"), ("post", "header wrong"), ("post", "form wrong")}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_d03_only_a_wrong_secret_of_a_client_that_has_one_is_a_guess(flow, method, way):
    rates.forget()
    app = App(flow, method)
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    statuses = {app.send(way, "/oauth/v2/token", form).status_code for _ in range(TRIES)}
    assert (429 in statuses) == ((method, way) in IS_GUESS)
    good = {"private_key_jwt": "assertion", "none": "id"}.get(method, "form right")
    if (method, way) not in IS_GUESS:
        assert app.send(good, "/oauth/v2/token", form).status_code == 400
    rates.forget()


def test_d03_an_unknown_client_is_refused_and_keeps_nobody_out(flow):
    rates.forget()
    app = App(flow, "basic")
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "no such client", "client_secret": "x"}
    assert {flow.form("/oauth/v2/token", form).status_code for _ in range(TRIES)} == {401}
    assert (
        app.send("header right", "/oauth/v2/token", {"grant_type": "refresh_token", "refresh_token": "x"}).status_code
        == 400
    )


@pytest.mark.parametrize("name", ["robot", "nobody of this name"])
def test_d03_secrets_of_service_users_are_guessed_as_often_whether_there_is_one_or_not(flow, name):
    """Else the answers would tell which names there are (P02)."""
    rates.forget()
    robot, _ = flow.house.machine("robot")
    users.set_machine_secret(flow.house.system, user_id=robot)
    form = {"grant_type": "client_credentials", "scope": "openid", "client_id": name, "client_secret": "wrong"}
    answers = [flow.form("/oauth/v2/token", form) for _ in range(TRIES)]
    assert [one.status_code for one in answers] == [401] * (TRIES - 2) + [429, 429]
    assert all(one.headers["Retry-After"].isdigit() for one in answers[-2:])
    rates.forget()


MISSING = {
    "/oauth/v2/introspect": [{}, {"token": ""}],
    "/oauth/v2/revoke": [{}, {"token": ""}],
    "/oauth/v2/token": [
        {"grant_type": "authorization_code"},
        {"grant_type": "authorization_code", "code": ""},
        {"grant_type": "refresh_token"},
        {"grant_type": DEVICE},
        {"grant_type": DEVICE, "device_code": ""},
        {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"},
        {"grant_type": ""},
        {},
    ],
}


@pytest.mark.parametrize(("path", "form"), [(path, form) for path, forms in MISSING.items() for form in forms])
def test_what_an_endpoint_cannot_do_without_is_named(flow, path, form):
    answer = App(flow, "basic").send("header right", path, form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_client_credentials_ask_for_some_scope(flow):
    robot, _ = flow.house.machine("robot")
    secret = users.set_machine_secret(flow.house.system, user_id=robot).secret
    form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": secret}
    for scope, answered in (
        ({}, 400),
        ({"scope": ""}, 400),
        ({"scope": " "}, 400),
        ({"scope": "openid nonsense"}, 200),
    ):
        answer = flow.form("/oauth/v2/token", {**form, **scope})
        assert answer.status_code == answered
        assert answer.json().get("error") == ("invalid_request" if answered == 400 else None)
    wrong = {**form, "client_secret": "wrong"}
    assert flow.form("/oauth/v2/token", wrong).status_code == 401, "who it is comes first"


def test_d08_another_clients_token_is_not_revoked(flow):
    mine, other = App(flow, "basic"), App(flow, "post")
    tokens = flow.redeem(
        flow.code(client_id=mine.client_id), client_id=mine.client_id, client_secret=mine.secret
    ).json()
    robot, _ = flow.house.machine(other.client_id[::-1])
    secret = users.set_machine_secret(flow.house.system, user_id=robot).secret
    form = {"grant_type": "client_credentials", "client_id": robot, "client_secret": secret, "scope": "openid"}
    theirs = flow.form("/oauth/v2/token", form).json()["access_token"]
    for token in (tokens["access_token"], tokens["refresh_token"], theirs):
        refused = other.send("form right", "/oauth/v2/revoke", {"token": token})
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    for token in (tokens["access_token"], theirs):
        assert flow.userinfo(token).status_code == 200
    assert mine.send("form right", "/oauth/v2/revoke", {"token": tokens["refresh_token"]}).status_code == 200
    assert flow.userinfo(tokens["access_token"]).status_code == 401
    assert mine.send("form right", "/oauth/v2/revoke", {"token": tokens["access_token"]}).status_code == 200


CHALLENGES = [
    ({}, 401, "Bearer"),
    ({"authorization": "Bearer "}, 401, "Bearer"),
    ({"authorization": "Bearer nonsense"}, 401, 'Bearer error="invalid_token"'),
    ({"authorization": "Basic eDp5"}, 401, 'Bearer error="invalid_token"'),
]


@pytest.mark.parametrize("verb", ["get", "post"])
@pytest.mark.parametrize(("headers", "status", "challenge"), CHALLENGES)
def test_userinfo_names_an_error_only_where_a_token_came(flow, verb, headers, status, challenge):
    answer = getattr(flow.web, verb)("/oidc/v1/userinfo", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (status, challenge)


@pytest.mark.parametrize("scope", ["profile", "urn:zitadel:iam:org:project:id:zitadel:aud"])
def test_userinfo_says_which_scope_is_missing(flow, scope):
    robot, _ = flow.house.machine("robot")
    secret = users.set_machine_secret(flow.house.system, user_id=robot).secret
    form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": secret, "scope": scope}
    answer = flow.userinfo(flow.form("/oauth/v2/token", form).json()["access_token"])
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="openid"'
