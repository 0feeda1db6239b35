"""Whoever is told to wait is told how long: every 429 of every wire, page and endpoint (RFC 6585 §4)."""

import asyncio
import math
from datetime import timedelta

import pytest
from connectrpc.errors import ConnectError
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, get_resolver

from iam.access.caller import RequestMeta
from iam.api import admission, gate, methods, rates
from iam.api.calls import called
from iam.api.methods import Exchange
from iam.kernel.errors import ResourceExhausted
from iam.login.urls import urlpatterns as LOGIN
from oidc.urls import urlpatterns as OIDC
from tests.oidc.support import make_flow
from users import attempts

WAIT = timedelta(seconds=89.2)
NEEDED = 90
FORM = "application/x-www-form-urlencoded"


def exhausted(*_, **__):
    raise ResourceExhausted("api.too_many_requests", retry_after=WAIT)


@pytest.fixture
def run_dry(monkeypatch):
    """From the call on, every bucket and every account has to wait."""

    def stop():
        monkeypatch.setattr(rates, "_spend", exhausted)
        monkeypatch.setattr(attempts, "begin", exhausted)

    return stop


@pytest.fixture
def empty(run_dry):
    """From the beginning."""
    run_dry()


def asked(answer):
    assert answer.status_code == 429, answer.content
    return int(answer.headers["Retry-After"])


ADDRESSES = ("/v2/users/1", "/auth/v1/users/me", "/management/v1/orgs/me", "/admin/v1/instances/me", "/v2beta/users/1")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("header", ["", "Bearer x", "Bearer gthp_x"])
def test_rest(empty, house, web, address, header):
    assert asked(web.get(address, headers={"authorization": header} if header else {})) == NEEDED


def test_uploads(empty, house, web, api):
    for headers in ({}, api.headers):
        file = SimpleUploadedFile("x.png", b"x")
        assert asked(web.post("/assets/v1/org/policy/label/logo", {"file": file}, headers=headers)) == NEEDED


def test_every_method_of_the_table(empty, house):
    """Connect, gRPC and gRPC-Web enter here; each also carries google.rpc.RetryInfo."""
    for name in methods.registered():
        if name.endswith(methods.HEALTH):
            continue
        exchange = Exchange(RequestMeta(host="localhost", remote_addr="192.0.2.1"))
        with pytest.raises(ConnectError) as refused:
            called(name, methods.method(name).request(), exchange)
        assert exchange.headers["Retry-After"] == str(NEEDED), name
        assert len(list(refused.value.details)) == 2, name


POSTED = {
    "/oauth/v2/token": {"grant_type": "client_credentials", "client_id": "x", "client_secret": "x", "scope": "openid"},
    "/oauth/v2/introspect": {"token": "x", "client_id": "x", "client_secret": "x"},
    "/oauth/v2/revoke": {"token": "x", "client_id": "x"},
    "/oauth/v2/device_authorization": {"client_id": "x"},
}


@pytest.mark.parametrize("address", POSTED)
def test_endpoints_of_the_protocol(empty, house, web, address):
    answer = web.post(address, POSTED[address])
    assert asked(answer) == NEEDED and answer.json()["error"] == "temporarily_unavailable"
    assert asked(web.get("/oidc/v1/userinfo", headers={"authorization": "Bearer x"})) == NEEDED


def test_a_guess_too_many_at_a_client(house, web, monkeypatch):
    rates.forget()
    flow = make_flow(house, web)
    from projects import commands as projects

    api = projects.add_api_app(house.system, project_id=flow.project, name="api")
    monkeypatch.setattr(settings.CONFIG.RateLimits.Client, "Burst", 1)
    form = {"client_id": api.client_id, "client_secret": "wrong", "token": "x"}
    assert flow.form("/oauth/v2/introspect", form).status_code == 401
    wait = asked(flow.form("/oauth/v2/introspect", form))
    assert 1 <= wait <= math.ceil(1 / settings.CONFIG.RateLimits.Client.PerSecond)
    rates.forget()


def pages():
    """Every page of the login and every address of the protocol, whatever it does with a form."""
    return sorted({f"/{one.pattern}" for one in (*LOGIN, *OIDC) if isinstance(one, URLPattern)})


FILLED = {"login_name": "gigi", "user_code": "BCDFGHJK", "password": "x", "code": "x", "userId": "1", "again": "x"}


@pytest.mark.parametrize("address", pages())
def test_pages(run_dry, house, web, address):
    flow = make_flow(house, web)
    request = flow.authorize()["Location"].partition("authRequest=")[2]
    web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": "gigi"})
    run_dry()
    for form in (FILLED, {**FILLED, "authRequest": request}):
        for answer in (web.get(address, form), web.post(address, form)):
            if answer.status_code == 429:
                assert asked(answer) == NEEDED


def test_the_pages_that_count_are_among_them(run_dry, house, web):
    flow = make_flow(house, web)
    request = flow.authorize()["Location"].partition("authRequest=")[2]
    web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": "gigi"})
    run_dry()
    for address in ("password", "password/reset", "device"):
        assert asked(web.post(f"/ui/v2/login/{address}", {**FILLED, "authRequest": request})) == NEEDED
    assert get_resolver().url_patterns


KINDS = {
    "/v2/sessions": "application/json",
    "/ui/v2/login/password": FORM,
    "/zitadel.session.v2.SessionService/CreateSession": "application/json",
    "/zitadel.session.v2.SessionService/SetSession": "application/proto",
    "/zitadel.session.v2beta.SessionService/CreateSession": "application/grpc-web+proto",
    "/zitadel.session.v2beta.SessionService/SetSession": "application/grpc+proto",
}


@pytest.mark.parametrize("address", KINDS)
@pytest.mark.parametrize("version", ["1.1", "2"])
def test_the_front_door(db, address, version):
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", KINDS[address].encode())]
    scope = {"path": address, "method": "POST", "http_version": version, "headers": headers, "extensions": {}}
    asyncio.run(gate.refuse(scope, send, ResourceExhausted(admission.FULL, retry_after=WAIT), 429))
    assert dict(sent[0]["headers"])[b"retry-after"] == str(NEEDED).encode()
