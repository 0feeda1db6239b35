"""Signing out at an application's wish, and what a later sign-in leaves alive."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from django.core import signing
from django.test import Client

from iam.login import browser as cookies
from oidc import end_session
from projects import commands as projects
from projects.domain.project import OidcConfig
from tests.conftest import HOST
from tests.login import browser
from tests.oidc.support import REDIRECT, Flow, make_flow
from users.models import SessionRow

PASSWORD = "Correct-Horse-9"
BACK = "https://app.example/"
OUT = "/oidc/v1/end_session"
PAGE = "/ui/v2/login/logout"


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


def told(answer):
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def sign_in(flow, name="gigi", **asked):
    """Tokens of a sign-in on the pages; the hosted login asks again."""
    request = told(flow.authorize(prompt="login", **asked))["authRequest"]
    flow.web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": name})
    answer = flow.web.post("/ui/v2/login/password", {"authRequest": request, "password": PASSWORD})
    return flow.redeem(told(answer)["code"]).json()


def another_app(flow):
    """A second application, in the same browser."""
    config = OidcConfig(redirect_uris=(REDIRECT,), grant_types=(0, 2), auth_method_type=2)
    made = projects.add_oidc_app(flow.house.system, project_id=flow.project, name="second", config=config)
    return Flow(flow.house, flow.web, flow.project, made.id, made.client_id, made.secret, flow.person)


def alive(flow, tokens):
    return flow.userinfo(tokens["access_token"]).status_code == 200


def out(flow, **asked):
    return flow.web.get(f"{OUT}?{urlencode(asked)}")


# ── a second sign-in ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("times", [1, 3, 12])
def test_a_second_sign_in_ends_no_other_applications_tokens(flow, times):
    first, other = sign_in(flow), another_app(flow)
    for _ in range(times):
        assert alive(other, sign_in(other))
    assert alive(flow, first)
    assert flow.refresh(first["refresh_token"]).status_code == 200


@pytest.mark.parametrize("by", ["page", "hint of the newest", "hint of the oldest"])
def test_signing_out_ends_the_older_sessions_too(flow, by):
    """What the person sees as one sign-in ends as one."""
    first, other = sign_in(flow), another_app(flow)
    second = sign_in(other)
    if by == "page":
        (shown,) = browser.sessions_in(flow)
        flow.web.post(PAGE, {"session": shown})
    else:
        out(flow, id_token_hint=(second if by == "hint of the newest" else first)["id_token"])
    assert not alive(flow, first) and not alive(other, second)
    assert "error" in flow.refresh(first["refresh_token"]).json()
    assert not SessionRow.objects.filter(terminated=False).exists()


def test_other_people_of_the_browser_stay_signed_in(house, flow):
    house.person("bert")
    first = sign_in(flow)
    bert = sign_in(flow, "bert")
    sign_in(flow)
    out(flow, id_token_hint=first["id_token"])
    assert alive(flow, bert) and not alive(flow, first)
    assert len(browser.sessions_in(flow)) == 1


def test_l02_an_older_session_opens_nothing(house, flow):
    """Its token was replaced by one that nobody has: neither an old cookie nor the API get in by it."""
    sign_in(flow)
    old = flow.web.cookies["gatehouse_sessions"].value
    (id, token), *_ = signing.loads(old, salt=cookies.SALT).items()
    sign_in(flow)
    assert SessionRow.objects.get(id=id).token_digest != cookies.digest(token)
    thief = Client(HTTP_HOST=HOST)
    thief.cookies["gatehouse_sessions"] = old
    assert thief.get(PAGE).status_code == 303, "nobody is signed in there"
    assert signing.loads(flow.web.cookies["gatehouse_sessions"].value, salt=cookies.SALT)[id] == ""


def test_a_cookie_of_many_sign_ins_stays_small_and_remembers_everybody(house, flow):
    house.person("bert")
    sign_in(flow, "bert")
    for _ in range(15):
        sign_in(flow)
    known = signing.loads(flow.web.cookies["gatehouse_sessions"].value, salt=cookies.SALT)
    assert len(known) <= cookies.MOST + cookies.MOST_OLDER and len(browser.sessions_in(flow)) == 2
    assert len(flow.web.cookies["gatehouse_sessions"].value) < 1000


@pytest.mark.parametrize("most", [50, 3])
def test_l10_signing_out_ends_what_many_sign_ins_left_behind(flow, monkeypatch, most):
    """Also what the cookie has no room for any more: that ends with the sign-in that pushes it out."""
    monkeypatch.setattr(cookies, "MOST_OLDER", most)
    first, other = sign_in(flow), another_app(flow)
    for _ in range(12):
        last = sign_in(other)
    out(flow, id_token_hint=last["id_token"])
    assert not alive(flow, first) and not alive(other, last)
    assert "error" in flow.refresh(first["refresh_token"]).json()
    assert not SessionRow.objects.filter(terminated=False).exists()


# ── without a hint ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", [None, "abc", "a b&c=d", "é"])
def test_r13_signing_out_by_client_id_asks_and_returns(flow, state):
    sign_in(flow)
    sent = {"client_id": flow.client_id, "post_logout_redirect_uri": BACK, **({"state": state} if state else {})}
    asked = out(flow, **sent)["Location"]
    assert urlsplit(asked).path == PAGE
    page = flow.web.get(asked)
    assert SessionRow.objects.filter(terminated=False).count() == 1, "nothing ends before the person says so"
    assert "https://app.example" in page["Content-Security-Policy"], "its form may lead there"
    form = dict(re.findall(r'name="(session|then)" value="([^"]*)"', page.content.decode()))
    done = flow.web.post(PAGE, form)
    assert done.status_code == 303 and urlsplit(done["Location"])._replace(query="").geturl() == BACK
    assert told(done) == ({"state": state} if state else {})
    assert not SessionRow.objects.filter(terminated=False).exists()


def test_r13_without_a_session_it_returns_at_once(flow):
    answer = out(flow, client_id=flow.client_id, post_logout_redirect_uri=BACK, state="abc")
    assert (answer.status_code, answer["Location"]) == (303, f"{BACK}?state=abc")


def test_r13_who_keeps_the_session_returns_as_well(flow):
    sign_in(flow)
    asked = out(flow, client_id=flow.client_id, post_logout_redirect_uri=BACK)["Location"]
    assert flow.web.post(PAGE, {"then": told({"Location": asked})["then"]})["Location"] == BACK
    assert SessionRow.objects.filter(terminated=False).count() == 1


WRONG = [
    {"post_logout_redirect_uri": "https://evil.example/"},
    {"post_logout_redirect_uri": BACK + "x"},
    {"client_id": "1"},
    {"client_id": "another"},
]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("signed_in", [True, False])
def test_r13_no_other_address_is_gone_on_to(flow, wrong, signed_in):
    if signed_in:
        sign_in(flow)
    if wrong.get("client_id") == "another":
        wrong = {"client_id": another_app(flow).client_id}
    page = out(flow, **{"client_id": flow.client_id, "post_logout_redirect_uri": BACK, **wrong})
    assert (page.status_code, "Location" in page) == (400, False)


FORGED = {
    "an address": "https://evil.example/",
    "a host": "//evil.example",
    "signed for something else": signing.dumps(["", "https://evil.example/"], salt="another"),
    "signed as a cookie": signing.dumps("https://evil.example/", salt=cookies.SALT),
    "long": "x" * 5000,
    "empty": "",
}


@pytest.mark.parametrize("name", ["then", "post_logout_redirect", "post_logout_redirect_uri", "next"])
@pytest.mark.parametrize("value", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("signed_in", [True, False])
def test_r15_the_page_goes_where_a_checked_request_said(flow, name, value, signed_in):
    if signed_in:
        sign_in(flow)
    for answer in (flow.web.get(f"{PAGE}?{name}={quote(value)}"), flow.web.post(PAGE, {name: value})):
        assert "evil" not in answer.get("Location", "")
        assert "evil" not in answer.get("Content-Security-Policy", "")


@pytest.mark.parametrize("hint", ["modified", "foreign", "no token"])
@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("verb", ["get", "post"])
def test_r13_a_hint_that_is_none_leads_nowhere(house, flow, hint, signed_in, verb):
    """Neither at once nor after the question, though a client and its registered address came with it."""
    tokens = sign_in(flow)
    if not signed_in:
        flow.web.cookies.clear()
    head, body, signature = tokens["id_token"].split(".")
    sent = {"modified": f"{head}.{body}.{signature[::-1]}", "foreign": f"{head}.{body}.e30", "no token": "x"}[hint]
    form = {"id_token_hint": sent, "client_id": flow.client_id, "post_logout_redirect_uri": BACK}
    answer = getattr(flow.web, verb)(OUT, form)
    assert answer["Location"] == PAGE and alive(flow, tokens)
    assert BACK not in (flow.web.get(PAGE).get("Location") or "")


@pytest.mark.parametrize("change", ["another instance", "too old", "another shape"])
def test_r13_an_address_counts_for_its_instance_and_time(house, flow, monkeypatch, change):
    value = [house.instance, BACK]
    if change == "another instance":
        value[0] = "999999999999999998"
    signed = signing.dumps(value, salt=end_session.SALT)
    if change == "too old":
        monkeypatch.setattr(end_session, "QUESTION_SECONDS", -1)
    if change == "another shape":
        signed = signing.dumps(BACK, salt=end_session.SALT)
    assert flow.web.get(f"{PAGE}?then={quote(signed)}")["Location"] == "/ui/v2/login/signedout"


def test_r13_a_hint_of_somebody_else_ends_nothing_here(house, flow):
    """Its session is another browser's: only what this browser proves can end."""
    house.person("bert")
    elsewhere = Flow(house, Client(HTTP_HOST=HOST), flow.project, flow.app, flow.client_id, flow.secret, flow.person)
    foreign = sign_in(elsewhere, "bert")
    mine = sign_in(flow)
    out(flow, id_token_hint=foreign["id_token"], post_logout_redirect_uri=BACK)
    assert alive(flow, mine) and alive(elsewhere, foreign)


def test_r14_a_second_browser_of_the_person_stays_signed_in(house, flow):
    elsewhere = Flow(house, Client(HTTP_HOST=HOST), flow.project, flow.app, flow.client_id, flow.secret, flow.person)
    other, mine = sign_in(elsewhere), sign_in(flow)
    out(flow, id_token_hint=mine["id_token"])
    assert alive(elsewhere, other) and not alive(flow, mine)


def test_time_of_the_older_sessions_counts(house, flow):
    """A session that has ended by itself is not looked for."""
    first = sign_in(flow)
    SessionRow.objects.update(expires_at=house.system.now() - timedelta(seconds=1))
    assert not alive(flow, first)
    assert alive(flow, sign_in(flow))


# ── a form of another site: browsers keep their cookies back (SameSite=Lax) ────────────────────────────────────────────


def posted(flow, origin="https://app.example", **form):
    """What a browser does with a form of another site: a POST without cookies, then it follows with them."""
    headers = {"origin": origin} if origin else {}
    return Client(HTTP_HOST=HOST).post(OUT, form, headers=headers)["Location"]


@pytest.mark.parametrize("origin", ["https://app.example", "null", "http://localhost.evil.example"])
@pytest.mark.parametrize("state", [None, "a b&c=d"])
def test_r13_a_posted_form_with_a_hint_signs_out(flow, origin, state):
    tokens = sign_in(flow)
    sent = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": BACK,
        **({"state": state} if state else {}),
    }
    answer = flow.web.get(posted(flow, origin, **sent))
    assert urlsplit(answer["Location"])._replace(query="").geturl() == BACK
    assert told(answer) == ({"state": state} if state else {})
    assert not alive(flow, tokens)


def test_r13_r14_a_posted_form_without_a_hint_asks(flow):
    tokens = sign_in(flow)
    asked = flow.web.get(posted(flow, client_id=flow.client_id, post_logout_redirect_uri=BACK))["Location"]
    assert urlsplit(asked).path == PAGE and alive(flow, tokens)


def test_r13_a_posted_form_with_a_wrong_address_is_refused_at_once(flow):
    form = {"client_id": flow.client_id, "post_logout_redirect_uri": "https://evil.example/"}
    answer = Client(HTTP_HOST=HOST).post(OUT, form, headers={"origin": "https://evil.example"})
    assert (answer.status_code, "Location" in answer) == (400, False)


@pytest.mark.parametrize("change", ["another instance", "too old", "another salt", "another shape", "none"])
def test_r13_r14_what_comes_again_was_checked_here_a_moment_ago(house, flow, monkeypatch, change):
    tokens = sign_in(flow)
    value, salt = [house.instance, "https://evil.example/", [flow.person]], end_session.AGAIN_SALT
    if change == "another instance":
        value[0] = "999999999999999998"
    if change == "too old":
        monkeypatch.setattr(end_session, "AGAIN_SECONDS", -1)
    if change == "another salt":
        salt = end_session.SALT
    if change == "another shape":
        value = value[:2]
    checked = "junk" if change == "none" else signing.dumps(value, salt=salt)
    assert urlsplit(out(flow, checked=checked)["Location"]).path == PAGE
    assert alive(flow, tokens)
