"""Attacks of the security checklist on the login's pages, one test per row."""

import logging
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings

from iam.peers import client_address
from iam.settings.logs import lines
from tests.oidc.support import make_flow
from users.models import AttemptRow, SessionRow


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


def request_of(flow, **asked):
    return parse_qs(urlsplit(flow.authorize(**asked)["Location"]).query)["authRequest"][0]


def guess(flow, request, **headers):
    flow.web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": "gigi"})
    return flow.web.post("/ui/v2/login/password", {"authRequest": request, "password": "wrong"}, headers=headers)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP"])
def test_p04_a_forged_address_gives_no_new_guesses(flow, header):
    request = request_of(flow)
    for number in range(5):
        assert guess(flow, request, **{header: f"198.51.100.{number}"}).status_code == 422
    refused = guess(flow, request, **{header: "198.51.100.200"})
    assert (refused.status_code, "Retry-After" in refused) == (429, True)
    assert {row.network for row in AttemptRow.objects.all()} == {"127.0.0.0/24"}


@pytest.mark.parametrize(
    ("peer", "told", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", ",".join(["10.0.0.9"] * 1000), "10.0.0.9"),
    ],
)
def test_p04_only_trusted_proxies_tell_the_address(monkeypatch, peer, told, client):
    monkeypatch.setattr(settings.CONFIG, "TrustedProxies", "10.0.0.0/8, ::1")
    assert client_address(peer, told) == client


def test_p05_what_is_counted_can_end_by_itself(house, flow):
    request = request_of(flow)
    for _ in range(6):
        guess(flow, request)
    AttemptRow.objects.update(wait_until=house.system.now())
    flow.web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": "gigi"})
    good = flow.web.post("/ui/v2/login/password", {"authRequest": request, "password": "Correct-Horse-9"})
    assert good.status_code == 303 and "code=" in good["Location"]


def test_r14_opening_the_logout_page_ends_nothing(house, flow):
    request = request_of(flow)
    flow.web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": "gigi"})
    flow.web.post("/ui/v2/login/password", {"authRequest": request, "password": "Correct-Horse-9"})
    assert SessionRow.objects.filter(terminated=False).count() == 1
    flow.web.get("/ui/v2/login/logout")
    flow.web.get("/oidc/v1/end_session")
    assert SessionRow.objects.filter(terminated=False).count() == 1


def test_r15_nothing_in_the_address_says_where_to_go_next(flow):
    request = request_of(flow)
    for name in ("next", "return_to", "RelayState", "redirect", "continue"):
        page = flow.web.get(f"/ui/v2/login/loginname?authRequest={request}&{name}=https://evil.example/")
        assert "Location" not in page or "evil" not in page["Location"]
        assert 'action="https://evil' not in page.content.decode()


def test_r22_pages_load_nothing_from_elsewhere_and_tell_no_address_to_others(flow):
    page = flow.web.get(f"/ui/v2/login/loginname?authRequest={request_of(flow)}")
    assert page["Referrer-Policy"] == "same-origin"
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert not [one for one in page.content.decode().split('"') if one.startswith(("http://", "https://", "//"))]


@pytest.mark.parametrize("name", ["a\r\nadmin signed in", "\x1b[31mred", '", "level": "info', "\u2028"])
def test_h08_what_people_type_cannot_forge_lines_of_the_log(flow, name, caplog):
    request = request_of(flow)
    flow.web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": name})
    flow.web.post("/ui/v2/login/password", {"authRequest": request, "password": "planted-secret"})
    assert "planted-secret" not in caplog.text
    line = lines("json").format(logging.LogRecord("x", logging.INFO, "f", 1, "user %s", (name,), None))
    assert len(line.splitlines()) == 1 and "\x1b" not in line


def test_n07_a_cookie_of_flows_stays_small(flow):
    for _ in range(30):
        flow.authorize()
    assert len(flow.web.cookies["gatehouse_flows"].value) < 1000


def test_l07_a_step_cannot_be_skipped(flow):
    request = request_of(flow)
    for path in ("password", "password/change", "accounts"):
        page = flow.web.post(f"/ui/v2/login/{path}", {"authRequest": request, "password": "Correct-Horse-9"})
        assert "code=" not in page.get("Location", "")


def sign_in(flow, **headers):
    request = request_of(flow)
    flow.web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": "gigi"}, headers=headers)
    return flow.web.post(
        "/ui/v2/login/password", {"authRequest": request, "password": "Correct-Horse-9"}, headers=headers
    )


def test_l08_cookies_of_a_secure_origin_belong_to_one_host(house, flow, monkeypatch):
    """The `__Host-` prefix keeps a sibling host from setting or reading them (RFC 6265bis §4.1.3)."""
    monkeypatch.setattr(settings.CONFIG, "ExternalSecure", True)
    flow.web.get("/ui/console/", secure=True)
    request = parse_qs(urlsplit(flow.authorize()["Location"]).query)["authRequest"][0]
    flow.web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": "gigi"})
    flow.web.post("/ui/v2/login/password", {"authRequest": request, "password": "Correct-Horse-9"})
    flow.web.get(f"/ui/v2/login/loginname?authRequest={request}")
    names = {name for name in flow.web.cookies if "csrf" not in name}  # that one's name is chosen at the start
    assert {"__Host-gatehouse_sessions", "__Host-gatehouse_flows"} <= names
    for name in names:
        cookie = flow.web.cookies[name]
        assert name.startswith("__Host-") and cookie["secure"] and cookie["httponly"], name
        assert (cookie["path"], cookie["domain"], cookie["samesite"]) == ("/", "", "Lax"), name


def test_l08_a_browsers_sessions_mean_nothing_at_another_tenant(house, flow):
    from iam.access.caller import system_context
    from iam.instance import commands as instance

    sign_in(flow)
    assert "gigi" in flow.web.get("/ui/v2/login/logout").content.decode()
    foreign = system_context("999999999999999998", base_url="http://other.example")
    instance.add_instance(foreign, name="Other", domains=("other.example",))
    flow.web.defaults["HTTP_HOST"] = "other.example"
    page = flow.web.get("/ui/v2/login/logout")
    assert page.status_code == 303 and page["Location"].endswith("signedout")


def test_l08_many_sessions_do_not_grow_the_cookie_for_ever(house, flow):
    from iam.login.browser import MOST
    from users.commands import set_password

    for number in range(MOST + 3):
        set_password(house.system, user_id=house.person(f"p{number}"), password="Correct-Horse-9")
        request = request_of(flow, prompt="login")
        flow.web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": f"p{number}"})
        flow.web.post("/ui/v2/login/password", {"authRequest": request, "password": "Correct-Horse-9"})
    assert len(flow.web.cookies["gatehouse_sessions"].value) < 2000


@pytest.mark.parametrize("stop", ["lock_user", "deactivate_user", "remove_user", "set_password"])
def test_l10_whatever_ends_a_person_ends_the_browser_at_once(house, flow, stop):
    from users import commands as users

    sign_in(flow)
    assert "code=" in flow.authorize(prompt="none")["Location"]
    more = {"password": "Another-Horse-7"} if stop == "set_password" else {}
    getattr(users, stop)(house.system, user_id=flow.person, **more)
    assert "error=login_required" in flow.authorize(prompt="none")["Location"]
    page = flow.web.get("/ui/v2/login/logout")
    assert page.status_code == 303, "nobody is known in this browser any more"


NAMES = ["{{7*7}}", "{% load x %}", "${7*7}", "%(code)s %s %d", "{0.__class__}", "{{.Code}}"]


@pytest.mark.parametrize("name", NAMES)
def test_h06_names_are_no_templates_on_pages_and_in_mails(house, flow, settings, tmp_path, name):
    from html import escape

    from iam.outbox import delivery
    from users import commands as users
    from users.commands import codes
    from users.domain.profile import Profile

    settings.VAR = tmp_path
    users.change_profile(house.system, user_id=flow.person, profile=Profile(name, "X", display_name=name))
    codes.request_password_code(house.system, user_id=flow.person, wish=codes.Wish())
    while delivery.deliver():
        pass
    mail = next(tmp_path.glob("mail/*.eml")).read_text().replace("=\n", "")
    assert name in mail or name.replace("=", "=3D") in mail
    assert "49" not in mail.split("Hello")[1].split(",")[0]
    sign_in(flow)
    assert escape(name) in flow.web.get("/ui/v2/login/logout").content.decode()
