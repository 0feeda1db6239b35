"""A form that cannot be read at all is told so in the words of the endpoint, whoever stumbles over it first."""

import pytest

from tests.oidc.support import make_flow

FORM = "application/x-www-form-urlencoded"
BODIES = {
    "another charset": (f"{FORM}; charset=latin1", b"grant_type=x"),
    "no charset": (f"{FORM}; charset=none", b"grant_type=x"),
    "many fields": (FORM, "&".join(f"a{at}=1" for at in range(2000)).encode()),
    "no UTF-8": (FORM, b"grant_type=%fe&code=%ff"),
    "parts without a boundary": ("multipart/form-data", b"junk"),
    "parts of another boundary": ("multipart/form-data; boundary=x", b"junk"),
    "a boundary that is none": ("multipart/form-data; boundary=\xe9", b"junk"),
    "no form": ("application/json", b"{}"),
    "nothing": ("", b""),
}
ENDPOINTS = ("oauth/v2/token", "oauth/v2/introspect", "oauth/v2/revoke", "oauth/v2/device_authorization")
PAGES = ("oauth/v2/authorize", "oidc/v1/end_session", "ui/v2/login/password")


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_h11_an_endpoint_answers_as_oauth_says(flow, path, body):
    kind, content = BODIES[body]
    answer = flow.web.generic("POST", f"/{path}", content, content_type=kind)
    assert (answer.status_code, answer["Content-Type"]) in [(400, "application/json"), (401, "application/json")]
    assert answer.json()["error"] in ("invalid_request", "invalid_client", "unsupported_grant_type")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", [*PAGES, "oidc/v1/userinfo"])
def test_h11_a_page_refuses_as_a_page(flow, path, body):
    kind, content = BODIES[body]
    answer = flow.web.generic("POST", f"/{path}", content, content_type=kind, headers={"accept": "text/html"})
    assert answer.status_code < 500
    if answer.status_code == 400 and b"<html" in answer.content:
        assert b"Gatehouse" in answer.content or b'id="main"' in answer.content or b"<main" in answer.content
