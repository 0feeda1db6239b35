"""Values that parsers stumble over, at every door that parses something: never a 5xx, and counted on the address (J05, J09, N01).

The doors: a bearer token on each wire, both kinds of assertions, ID token hints, cookies, uploads, forms, addresses, JSON
bodies and binary messages. The values are made for the parser behind the door.
"""

import base64
import json
import re
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from iam.access.caller import RequestMeta
from iam.api import rates
from iam.api.rest import rest_urls
from tests.conftest import HOST
from tests.oidc.support import REDIRECT, make_flow

DIGITS = "9" * 5000
JSONS = {
    "5,000 digits": b'{"iss":"a","n":' + DIGITS.encode() + b"}",
    "5,000 digits in iss": b'{"iss":' + DIGITS.encode() + b"}",
    "5,000 digits in exp": b'{"iss":"a","sub":"a","aud":"http://localhost","iat":1,"exp":' + DIGITS.encode() + b"}",
    "a negative number of 5,000 digits": b'{"iss":"a","n":-' + DIGITS.encode() + b"}",
    "1e400": b'{"iss":"a","n":1e400,"exp":1e400}',
    "-1e400": b'{"iss":"a","n":-1e400,"exp":-1e400}',
    "NaN": b'{"iss":"a","n":NaN}',
    "Infinity": b'{"iss":"a","n":-Infinity}',
    "objects 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "lists 100,000 deep": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "objects 40 deep": b'{"a":' * 40 + b"1" + b"}" * 40,
    "a member twice": b'{"iss":"a","iss":"b","sub":"a"}',
    "a lone surrogate": b'{"iss":"\\ud800","sub":"\\ud800","kid":"\\ud800","jti":"\\udfff"}',
    "a lone surrogate as name": b'{"\\ud800":"a","iss":"a"}',
    "NUL": b'{"iss":"a\\u0000b","sub":"a\\u0000b","kid":"a\\u0000b","jti":"\\u0000"}',
    "NUL as name": b'{"\\u0000":"a"}',
    "BOM": b'\xef\xbb\xbf{"iss":"a"}',
    "UTF-16": '{"iss":"a"}'.encode("utf-16"),
    "broken UTF-8": b'{"iss":"\xff\xfe"}',
    "surrogates in UTF-8": b'{"iss":"\xed\xa0\x80"}',
    "no object": b"[1]",
    "null": b"null",
    "nothing": b"",
    "types": b'{"iss":[],"sub":{},"aud":7,"exp":"soon","iat":[],"nbf":{},"jti":{},"kid":[],"alg":7,"typ":[]}',
    "booleans": b'{"iss":true,"sub":true,"aud":true,"exp":true,"iat":true,"nbf":true,"jti":true}',
    "a number as jti": b'{"iss":"a","jti":' + DIGITS.encode() + b"}",
    "1 MB of text": b'{"iss":"' + b"x" * 1_000_000 + b'"}',
    "100,000 members": b"{" + b",".join(b'"%d":1' % one for one in range(100_000)) + b"}",
    "an issuer of 10 kB": b'{"iss":"' + b"x" * 10_000 + b'"}',
}
HEAD = b'{"alg":"RS256","kid":"1","typ":"JWT"}'
PLAIN = b'{"iss":"a","sub":"a","aud":"http://localhost","exp":9999999999,"iat":1}'


def packed(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def tokens_of(raw):
    """A hostile JSON in each part of a token."""
    return (
        f"{packed(HEAD)}.{packed(raw)}.c2ln",
        f"{packed(raw)}.{packed(PLAIN)}.c2ln",
        f"{packed(raw)}.{packed(raw)}.{packed(raw)}",
    )


SHAPES = {
    "no parts": "x" * 5000,
    "empty parts": "..",
    "five parts": "a.b.c.d.e",
    "100,000 dots": "." * 100_000,
    "padded": "e30=.e30=.e30=",
    "spare bits": "e31.e31.e31",
    "not ASCII": "é.é.é",
    "a mark of bytes": "\ufeffe30.e30.e30",
    "line breaks": "e30\r\n.e30.e30",
    "1 MB": "e30." + "A" * 1_000_000 + ".e30",
    "one of ours, cut": "gtha_" + "0" * 48,
    "one of ours, of zeros": "gths_" + "0" * 49,
    "a prefix": "gthp_",
}
"""Texts that are no tokens at all."""


@pytest.fixture
def flow(house, web):
    rates.forget()
    yield make_flow(house, web)
    rates.forget()


def bearer(path):
    return lambda flow, token: flow.web.get(path, headers={"authorization": f"Bearer {token}"})


def posted(path, **form):
    """A form in which {} stands for the value."""
    fill = lambda token: {name: token if value == "{}" else value for name, value in form.items()}
    return lambda flow, token: flow.form(path, fill(token))


def uploaded(flow, token):
    file = SimpleUploadedFile("x.png", b"x")
    headers = {"authorization": f"Bearer {token}"}
    return flow.web.post("/assets/v1/org/policy/label/logo", {"file": file}, headers=headers)


ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN = "/oauth/v2/token"
PROVING = {
    "bearer at REST": bearer("/auth/v1/users/me"),
    "bearer at userinfo": bearer("/oidc/v1/userinfo"),
    "bearer at an upload": uploaded,
    "assertion": posted(
        TOKEN, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion="{}", scope="openid"
    ),
    "client assertion": posted(
        TOKEN, grant_type="refresh_token", refresh_token="x", client_assertion_type=ASSERTION, client_assertion="{}"
    ),
    "client assertion at introspection": posted(
        "/oauth/v2/introspect", token="x", client_assertion_type=ASSERTION, client_assertion="{}"
    ),
}
"""Doors where a token proves who is there."""


def hint(path):
    def ask(flow, token):
        asked = {"id_token_hint": token, "client_id": flow.client_id, "redirect_uri": REDIRECT, "scope": "openid"}
        asked |= {"response_type": "code", "post_logout_redirect_uri": "https://app.example/"}
        asked |= {"code_challenge": "a" * 43, "code_challenge_method": "S256"}
        return flow.web.post(path, urlencode(asked), content_type="application/x-www-form-urlencoded")

    return ask


OTHERS = {
    "hint at authorize": hint("/oauth/v2/authorize"),
    "hint at logout": hint("/oidc/v1/end_session"),
    "introspected": lambda flow, token: flow.form(
        "/oauth/v2/introspect",
        {"client_id": flow.api.client_id, "client_secret": flow.api.secret, "token": token},
    ),
    "revoked": lambda flow, token: flow.form("/oauth/v2/revoke", {"client_id": flow.client_id, "token": token}),
}


@pytest.fixture
def counted(monkeypatch):
    """What was counted on the address of the tests."""
    seen, spend = [], rates._spend

    def noted(key, rate, cost=1):
        if cost and key.startswith("address:"):
            seen.append(key)
        spend(key, rate, cost)

    monkeypatch.setattr(rates, "_spend", noted)
    return seen


VALUES = [*JSONS, *SHAPES]


def texts(value):
    return tokens_of(JSONS[value]) if value in JSONS else (SHAPES[value],)


@pytest.mark.parametrize("door", PROVING)
@pytest.mark.parametrize("value", VALUES)
def test_j05_j09_a_hostile_token_proves_nothing_and_is_counted(flow, counted, door, value):
    for number, token in enumerate(texts(value)):
        header = door.startswith("bearer")
        sent = token.encode("utf-8", "replace").decode("latin-1").replace("\r\n", " ") if header else token
        counted.clear()
        answer = PROVING[door](flow, sent)
        assert answer.status_code in (400, 401), (number, answer.status_code, answer.content[:200])
        told = answer.json()
        refused = told.get("error") or told.get("code")
        expected = {"assertion": "invalid_grant", "bearer at userinfo": "invalid_token"}
        assert refused == expected.get(door, 16 if header else "invalid_client")
        assert len(counted) == 1, "one attempt"


@pytest.mark.parametrize("door", OTHERS)
@pytest.mark.parametrize("value", VALUES)
def test_j05_j09_a_hostile_hint_is_refused_and_an_unknown_token_is_nothing(flow, door, value):
    from projects import commands as projects

    flow.api = projects.add_api_app(flow.house.system, project_id=flow.project, name="api")
    for token in texts(value):
        answer = OTHERS[door](flow, token)
        match door:
            case "hint at authorize":
                assert "error=invalid_request" in answer["Location"]
            case "hint at logout":
                assert answer.status_code in (303, 400)
            case "introspected":
                assert answer.json() == {"active": False}
            case "revoked":
                assert (answer.status_code, answer.content) == (200, b"")


BODIES = {
    **JSONS,
    "1e400 in a number": b'{"query":{"limit":1e400,"offset":"1e400"}}',
    "digits": b'{"query":{"limit":' + DIGITS.encode() + b"}}",
}
PATHS = ("/v2/users", "/v2/users/human", "/v2/sessions", "/v2/users/keys/search", "/management/v1/users/_search")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("value", BODIES)
def test_n01_a_hostile_body_is_refused_with_a_token_and_without(api, flow, path, value):
    """Members that no message has are passed over; what is no JSON, or holds what no field can, is refused."""
    for headers in (api.headers, {}):
        answer = flow.web.generic("POST", path, BODIES[value], content_type="application/json", headers=headers)
        assert answer.status_code < 500, answer.content
        if value not in READABLE and headers:
            assert answer.status_code == 400 and answer.json()["code"] == 3, answer.content


READABLE = (
    "nothing",
    "NUL",
    "NUL as name",
    "types",
    "booleans",
    "1 MB of text",
    "an issuer of 10 kB",
    "objects 40 deep",
)


RAW = {
    "NUL": "%00",
    "NUL within": "a%00b",
    "broken UTF-8": "%ff%fe",
    "surrogates": "%ed%a0%80",
    "too long a form of UTF-8": "%c0%80",
    "a broken escape": "%zz%",
    "5,000 digits": DIGITS,
    "1e400": "1e400",
    "NaN": "NaN",
    "a number of other scripts": quote("٣٤²Ⅷ"),
    "a mark of bytes": "%ef%bb%bf",
    "line breaks": "a%0d%0ab",
    "deep brackets": quote("[" * 1000),
    "JSON": quote('{"a":1}'),
}
"""Percent-encoded, as they stand in an address or a form."""


def names_read():
    """Every parameter that a page or endpoint looks at, from the source."""
    root = Path(__file__).parent.parent.parent
    found = set()
    for room in ("iam", "oidc", "orgs", "users", "projects"):
        for path in (root / room).rglob("*.py"):
            if "gen" not in path.parts:
                found |= set(re.findall(r"\.(?:get|getlist)\(\"([a-zA-Z_]{2,40})\"", path.read_text()))
                found |= set(re.findall(r"form\[\"([a-zA-Z_]{2,40})\"\]", path.read_text()))
    return sorted(found)


NAMES = names_read()


def open_pages(patterns=None, before=""):
    """Every address without variables that Django answers, but the API's, which has a table of its own."""
    rest = {one.pattern.regex.pattern for one in rest_urls()}
    for one in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(one, URLResolver):
            yield from open_pages(one.url_patterns, before + str(one.pattern))
        elif isinstance(one, URLPattern) and str(one.pattern) not in rest:
            yield before + re.sub(r"<[^>]*>", "1", str(one.pattern))


PAGES = sorted({page for page in open_pages() if not re.search(r"[\^$(\\]", page)})


def test_the_doors_are_found():
    assert {"oauth/v2/authorize", "oauth/v2/token", "ui/v2/login/password/set", "ui/v2/login/device"} <= set(PAGES)
    assert {"client_id", "authRequest", "userId", "code", "id_token_hint", "lang", "ui_locales"} <= set(NAMES)


@pytest.mark.parametrize("value", RAW)
def test_r19_n01_hostile_texts_in_addresses_and_forms_of_every_page_are_no_failure(house, value):
    """All parameters at once, and each for itself where a page reads it first."""
    rates.forget()
    web = Client(HTTP_HOST=HOST, raise_request_exception=False)
    every = "&".join(f"{name}={RAW[value]}" for name in NAMES)
    form = "application/x-www-form-urlencoded"
    for page in PAGES:
        rates.forget()
        for answer in (
            web.get(f"/{page}?{every}"),
            web.generic("POST", f"/{page}", every, content_type=form),
            web.generic("POST", f"/{page}?{every}", every.encode(), content_type=form),
        ):
            assert answer.status_code < 500, (page, answer.status_code)


ALONE = ("oauth/v2/authorize", "oauth/v2/token", "oauth/v2/introspect", "oidc/v1/end_session", "ui/v2/login/login")


@pytest.mark.parametrize("page", ALONE)
@pytest.mark.parametrize("value", ["NUL within", "surrogates", "5,000 digits", "a number of other scripts"])
def test_r19_each_parameter_for_itself(flow, page, value):
    web = Client(HTTP_HOST=HOST, raise_request_exception=False)
    good = {"client_id": flow.client_id, "redirect_uri": REDIRECT, "response_type": "code", "scope": "openid"}
    good |= {"grant_type": "authorization_code", "code": "x", "token": "x", "code_verifier": "v" * 43}
    for name in NAMES:
        rest = urlencode({key: text for key, text in good.items() if key != name})
        for answer in (
            web.get(f"/{page}?{rest}&{name}={RAW[value]}"),
            web.generic(
                "POST", f"/{page}", f"{rest}&{name}={RAW[value]}", content_type="application/x-www-form-urlencoded"
            ),
        ):
            assert answer.status_code < 500, (name, answer.status_code)
        rates.forget()


@pytest.mark.parametrize("grant", ["client_credentials", "authorization_code", "refresh_token"])
@pytest.mark.parametrize("id", ["a\0b", "\0", "é", "\ud800", "x" * 100_000, "%00", "%ed%a0%80", ":", ""])
def test_d01_hostile_client_ids_are_unknown_clients(flow, grant, id):
    basic = base64.b64encode(id.encode("utf-8", "surrogatepass") + b":x").decode()
    form = {"grant_type": grant, "scope": "openid", "code": "x", "refresh_token": "x"}
    for answer in (
        flow.form(TOKEN, form, authorization=f"Basic {basic}"),
        flow.web.post(
            TOKEN,
            urlencode({**form, "client_id": id, "client_secret": "x"}, errors="surrogatepass"),
            content_type="application/x-www-form-urlencoded",
        ),
    ):
        assert answer.json()["error"] in ("invalid_client", "invalid_request")


COOKIES = (
    *("gatehouse_sessions", "gatehouse_flows", "gatehouse_csrf", "gatehouse_language", "messages"),
    *("gatehouse_console_session", "gatehouse_console_away"),
)
CONTENTS = {
    **{f"JSON: {name}": packed(raw[:4000]) for name, raw in JSONS.items()},
    "signed by nobody": "e30:1:x",
    "compressed by nobody": ".eJw:1:x",
    "NUL": "a\0b",
    "not ASCII": "é\udcff",
    "4 kB": "x" * 4000,
    "quotes": '"\\"";"',
    "a language": "../../etc/passwd",
}


@pytest.mark.parametrize("value", CONTENTS)
def test_l08_hostile_cookies_are_none(house, value):
    content = CONTENTS[value].encode("utf-8", "surrogateescape").decode("latin-1")
    header = "; ".join(f"{name}={content}" for name in COOKIES)
    web = Client(HTTP_HOST=HOST, raise_request_exception=False)
    for page in PAGES:
        answer = web.get(f"/{page}", headers={"cookie": header})
        assert answer.status_code < 500 or page == "debug/ready", (page, answer.status_code)
        rates.forget()


ADDRESSES = ["%00", "a%00b", "%ff", "%ed%a0%80", "..%2f..", "%2e%2e", DIGITS, "a%0d%0ab", quote("é"), "%"]


@pytest.mark.parametrize("text", ADDRESSES)
def test_u04_hostile_ids_in_paths_are_unknown(api, house, text):
    paths = [
        "/v2/users/{}",
        "/v2/sessions/{}",
        "/v2/oidc/auth_requests/{}",
        "/management/v1/users/{}",
        "/auth/v1/users/me/metadata/{}",
    ]
    paths += ["/v2/oidc/device_authorization/{}", "/assets/v1/{}/policy/label/logo-1", "/ui/v2/branding/{}/1.css"]
    for path in paths:
        for headers in (api.headers, {}):
            answer = Client(HTTP_HOST=HOST, raise_request_exception=False).get(path.format(text), headers=headers)
            assert 400 <= answer.status_code < 500 or "branding" in path, (path, answer.status_code)


def test_the_meta_of_a_request_is_plain(house):
    assert RequestMeta(host=HOST).base_url == f"http://{HOST}"
    assert json.loads(HEAD)["alg"] == "RS256"
