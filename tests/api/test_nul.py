"""A NUL, which no text of PostgreSQL holds, is a mistake of whoever sends it at every door that needs no credential (J07, N03)."""

import base64
import json

import pytest
from django.test import Client

from tests.api.test_anonymous_doors import authorize, pages
from tests.conftest import HOST
from tests.oidc.support import make_flow

NAMES = [
    "authRequest",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "id_token_hint",
    "lang",
    "login_hint",
    "login_name",
    "logout_hint",
    "nonce",
    "password",
    "post_logout_redirect_uri",
    "redirect_uri",
    "refresh_token",
    "resource",
    "scope",
    "session",
    "state",
    "token",
    "ui_locales",
    "userId",
    "user_code",
    "username",
]
TOKEN, BASIC = "/oauth/v2/token", "Basic " + base64.b64encode(b"a\0b:c\0d").decode()


def part(content: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


JWT = f"{part({'alg': 'RS256', 'typ': 'JWT', 'kid': '1'})}.{part({'iss': 'a' + chr(0), 'sub': 'a' + chr(0), 'aud': chr(0)})}.AAAA"


@pytest.mark.parametrize("verb", ["get", "post"])
@pytest.mark.parametrize("name", NAMES)
def test_j07_a_nul_in_a_form_or_an_address_is_a_mistake_of_the_caller(house, verb, name):
    web = Client(HTTP_HOST=HOST, raise_request_exception=False)
    for path in {path for path, _ in pages()}:
        for sent in ({name: "a\0b"}, {f"{name}\0": "a"}):
            assert getattr(web, verb)(f"/{path}", sent).status_code == 400, path


@pytest.mark.parametrize("name", NAMES)
def test_j07_a_nul_in_a_sign_in_is_a_mistake_of_the_caller(house, web, name):
    flow = make_flow(house, web)
    web.raise_request_exception = False
    id = web.get(f"/{authorize(flow, 1)}")["Location"].split("authRequest=")[1]
    for page in ("loginname", "password", "password/reset", "password/set", "verify", "device", "accounts"):
        sent = {"authRequest": id, "login_name": "gigi", "userId": "1", "code": "A", "password": "a", "again": "a"}
        assert web.post(f"/ui/v2/login/{page}", {**sent, name: "\0"}).status_code == 400, page
    shown = web.get("/ui/v2/login/loginname", {"login_name": "\0"}, headers={"accept": "text/html"})
    assert shown.status_code == 400 and "text/html" in shown["Content-Type"]


@pytest.mark.parametrize(
    ("path", "form", "authorization"),
    [
        (TOKEN, {"grant_type": "client_credentials", "scope": "openid"}, BASIC),
        (TOKEN, {"grant_type": "refresh_token", "refresh_token": "x"}, BASIC),
        ("/oauth/v2/introspect", {"token": "x"}, BASIC),
        ("/oauth/v2/revoke", {"token": "x"}, BASIC),
        ("/oauth/v2/device_authorization", {"scope": "openid"}, BASIC),
        (TOKEN, {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": JWT}, ""),
        (
            TOKEN,
            {
                "grant_type": "client_credentials",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": JWT,
            },
            "",
        ),
        ("/oidc/v1/userinfo", {}, f"Bearer {JWT}"),
        ("/v2/users", {}, f"Bearer {JWT}"),
        ("/oidc/v1/end_session", {"id_token_hint": JWT}, ""),
    ],
)
def test_j07_a_nul_inside_of_a_credential_is_a_mistake_of_the_caller(house, path, form, authorization):
    web = Client(HTTP_HOST=HOST, raise_request_exception=False)
    headers = {"authorization": authorization} if authorization else {}
    for ask in (web.get, web.post):
        assert ask(path, form, headers=headers).status_code < 500


def test_u05_a_language_that_there_is_none_of_is_not_remembered(house, web):
    for lang in ("\u202e", "xx", "de\r\nx", ";", "de"):
        answer = web.get("/ui/v2/login/signedout", {"lang": lang})
        assert answer.status_code == 200 and ("gatehouse_language" in answer.cookies) == (lang == "de"), lang
