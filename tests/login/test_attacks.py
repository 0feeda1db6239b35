"""Attacks of the security checklist on the login's pages, one test per row."""

import logging
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings

from iam.access.peers import client_address
from iam.settings.logs import json_lines
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
    line = json_lines().format(logging.LogRecord("x", logging.INFO, "f", 1, "user %s", (name,), None))
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
