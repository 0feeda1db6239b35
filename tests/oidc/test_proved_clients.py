"""Who has proved itself waits for nobody behind its address and is not counted there (D03); everybody else is."""

import pytest
from django.conf import settings

from iam.api import rates
from tests.oidc.support import REDIRECT, VERIFIER, Flow, make_flow
from tests.oidc.test_client_ways import App
from users import commands as users

WAYS = {"basic": ("header right", "form right"), "post": ("header right", "form right")}
TOKEN = "/oauth/v2/token"
JUNK = {
    "code": (TOKEN, {"grant_type": "authorization_code", "code": "junk", "redirect_uri": REDIRECT}),
    "refresh token": (TOKEN, {"grant_type": "refresh_token", "refresh_token": "junk"}),
    "token to revoke": ("/oauth/v2/revoke", {"token": ""}),
}


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


@pytest.fixture
def narrow(monkeypatch):
    """Five requests without credentials, then nothing for long."""
    monkeypatch.setattr(settings.CONFIG.RateLimits.Address, "Burst", 5)
    monkeypatch.setattr(settings.CONFIG.RateLimits.Address, "PerSecond", 0.001)
    rates.forget()


def code_of(flow, app):
    return Flow(flow.house, flow.web, flow.project, app.id, app.client_id, app.secret, flow.person).code()


def redeem(app, way, code):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return app.send(way, TOKEN, form)


def noise(flow, times=8):
    """Refusals of somebody else behind the address."""
    for at in range(times):
        form = {"grant_type": "client_credentials", "scope": "openid", "client_id": f"no{at}", "client_secret": "x"}
        last = flow.form(TOKEN, form)
    return last


@pytest.mark.parametrize(("method", "way"), [(method, way) for method, ways in WAYS.items() for way in ways])
@pytest.mark.parametrize("junk", JUNK)
def test_d03_what_strangers_hand_to_an_application_does_not_shut_it_out(flow, narrow, method, way, junk):
    """Anybody can call an application's redirect address with a code that is none; it sends that on."""
    app = App(flow, method)
    code, (path, form) = code_of(flow, app), JUNK[junk]
    if "token" in form:
        form = {"token": flow.tokens()["access_token"]}
    rates.forget()
    assert {app.send(way, path, form).status_code for _ in range(8)} <= {400, 401}
    assert redeem(app, way, code).status_code == 200


def test_d03_a_client_with_a_key_is_not_counted_either(flow, narrow):
    app = App(flow, "private_key_jwt")
    code, (path, form) = code_of(flow, app), JUNK["code"]
    rates.forget()
    assert {app.send("assertion", path, form).status_code for _ in range(8)} == {400}
    assert redeem(app, "assertion", code).status_code == 200
    assert flow.form(TOKEN, {"grant_type": "password"}).status_code == 400, "nor is anybody let in by it"
    assert noise(flow).status_code == 429


@pytest.mark.parametrize(("method", "way"), [(method, way) for method, ways in WAYS.items() for way in ways])
def test_d03_a_client_that_was_accepted_waits_for_no_neighbor(flow, narrow, method, way):
    app = App(flow, method)
    code = code_of(flow, app)
    rates.forget()
    assert app.send(way, "/oauth/v2/introspect", {"token": "x"}).status_code == 200
    assert noise(flow).status_code == 429
    assert app.send(way.replace("right", "wrong"), "/oauth/v2/introspect", {"token": "x"}).status_code == 429
    assert redeem(app, way, code).status_code == 200


def test_d03_a_service_user_waits_for_no_neighbor(flow, house, narrow):
    made = users.add_machine(house.system, org_id=house.org, user_name="robot", name="Robot")
    secret = users.set_machine_secret(house.system, user_id=made.id).secret
    form = {"grant_type": "client_credentials", "scope": "openid", "client_id": "robot", "client_secret": secret}
    assert flow.form(TOKEN, form).status_code == 200
    assert noise(flow).status_code == 429
    assert flow.form(TOKEN, form).status_code == 200


@pytest.mark.parametrize("way", ["id", "header right", "form right", "header wrong"])
def test_d03_a_public_client_has_proved_nothing(flow, narrow, way):
    """Whatever it sends as a secret: a guesser of codes is counted and made to wait."""
    app, (path, form) = App(flow, "none"), JUNK["code"]
    assert app.send(way, path, form).status_code == 400
    assert 429 in {app.send(way, path, form).status_code for _ in range(8)}
