"""The pages for devices without a browser, through a browser without JavaScript."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client

from oidc.models import AuthRequest, DeviceAuthorization
from orgs import commands as orgs
from projects import commands as projects
from tests.oidc.support import make_tv
from users import commands as users
from users.commands import sessions
from users.models import SessionRow

PASSWORD = "Correct-Horse-9"
PAGE, CONFIRM = "/ui/v2/login/device", "/ui/v2/login/device/confirm"


@pytest.fixture
def tv(house, web):
    made = make_tv(house, web)
    made.start()
    return made


def enter(web, code):
    return web.post(PAGE, {"user_code": code})


def request_in(answer):
    return parse_qs(urlsplit(answer["Location"]).query)["authRequest"][0]


def sign_in(web, code, name="gigi", password=PASSWORD):
    """Enter the code and sign in; answers the request and the last redirect."""
    request = request_in(enter(web, code))
    web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": name})
    return request, web.post("/ui/v2/login/password", {"authRequest": request, "password": password})


def decide(web, request, decision):
    return web.post(CONFIRM, {"authRequest": request, "decision": decision})


def test_the_address_that_devices_show_leads_to_the_page(tv, web):
    answer = web.get("/device?user_code=BCDF-GHJK")
    assert answer["Location"] == f"{PAGE}?user_code=BCDF-GHJK"
    page = web.get(answer["Location"]).content.decode()
    assert 'value="BCDF-GHJK"' in page and "your device must show this very code" in page
    assert "Enter the code that your device shows." in web.get("/device", follow=True).content.decode()


@pytest.mark.parametrize(
    "write", [str, str.lower, lambda code: code.replace("-", ""), lambda code: f" {code.lower()} "]
)
def test_code_sign_in_question_yes(tv, web, write):
    request, answer = sign_in(web, write(tv.started["user_code"]))
    assert (answer.status_code, answer["Location"]) == (303, f"{CONFIRM}?authRequest={request}")
    assert tv.poll().json()["error"] == "authorization_pending", "signing in decides nothing"
    page = web.get(answer["Location"]).content.decode()
    for told in ("Television", "shop", "ZITADEL", "Gigi Giraffe", "see your e-mail address", "stay signed in"):
        assert told in page, told
    assert "The device is signed in" in decide(web, request, "approve").content.decode()
    assert tv.flow.userinfo(tv.poll().json()["access_token"]).json()["sub"] == tv.flow.person
    assert decide(web, request, "deny").status_code == 404


def test_no(tv, web):
    request, _ = sign_in(web, tv.started["user_code"])
    assert "The device stays outside." in decide(web, request, "deny").content.decode()
    assert tv.poll().json()["error"] == "access_denied"
    assert enter(web, tv.started["user_code"]).status_code == 422


def test_who_is_signed_in_already_goes_straight_to_the_question_and_may_be_somebody_else(house, tv, web):
    sign_in(web, tv.started["user_code"])
    tv.start()
    answer = enter(web, tv.started["user_code"])
    request = request_in(answer)
    assert answer["Location"] == f"{CONFIRM}?authRequest={request}"
    page = web.get(answer["Location"]).content.decode()
    assert "· gigi ·" in page and f"/ui/v2/login/login?authRequest={request}&amp;switch=1" in page
    bert = house.person("bert")
    assert web.get(f"/ui/v2/login/login?authRequest={request}&switch=1")["Location"].startswith(
        "/ui/v2/login/loginname"
    )
    web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": "bert"})
    assert "password" in decide(web, request, "approve")["Location"], "the step that is due comes first"
    web.post("/ui/v2/login/password", {"authRequest": request, "password": PASSWORD})
    decide(web, request, "approve")
    assert tv.flow.userinfo(tv.poll().json()["access_token"]).json()["sub"] == bert


def test_c15_opening_a_link_with_a_code_decides_and_binds_nothing(tv, web):
    sign_in(web, tv.started["user_code"])
    before = AuthRequest.objects.count()
    page = web.get(f"/device?user_code={tv.started['user_code']}", follow=True)
    assert page.status_code == 200 and AuthRequest.objects.count() == before
    request = request_in(enter(web, tv.started["user_code"]))
    for query in ("", "&decision=approve"):
        assert web.get(f"{CONFIRM}?authRequest={request}{query}").status_code == 200
    assert tv.poll().json()["error"] == "authorization_pending"


def test_l01_another_browser_does_not_go_on_with_a_sign_in(tv, web):
    request, answer = sign_in(web, tv.started["user_code"])
    other = Client(HTTP_HOST="localhost")
    assert other.get(answer["Location"]).status_code == 404
    assert decide(other, request, "approve").status_code == 404
    mine = request_in(enter(other, tv.started["user_code"]))
    AuthRequest.objects.filter(id=mine).update(session_id=SessionRow.objects.get().id)
    assert "/loginname" in decide(other, mine, "approve")["Location"], "a session of a browser that is not this one"
    assert tv.poll().json()["error"] == "authorization_pending"


@pytest.mark.parametrize("path", [PAGE, CONFIRM])
def test_l12_a_post_without_its_token_is_refused(tv, web, path):
    request, _ = sign_in(web, tv.started["user_code"])
    strict = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    strict.cookies = web.cookies
    form = {"user_code": tv.started["user_code"], "authRequest": request, "decision": "approve"}
    assert strict.post(path, form).status_code == 403
    assert tv.poll().json()["error"] == "authorization_pending"


def test_l03_l05_no_decision_comes_before_the_steps_that_are_due(house, tv, web):
    """The same table of steps decides as for every other sign-in, at the question and at the answer."""
    request = request_in(enter(web, tv.started["user_code"]))
    for answer in (web.get(f"{CONFIRM}?authRequest={request}"), decide(web, request, "approve")):
        assert urlsplit(answer["Location"]).path == "/ui/v2/login/loginname"
    request, answer = sign_in(web, tv.started["user_code"])
    users.set_password(house.system, user_id=tv.flow.person, password="Next-Horse-9", change_required=True)
    for answer in (web.get(f"{CONFIRM}?authRequest={request}"), decide(web, request, "approve")):
        assert answer.status_code == 303 and urlsplit(answer["Location"]).path != CONFIRM
    _, answer = sign_in(web, tv.started["user_code"], password="Next-Horse-9")
    request = request_in(answer)
    assert urlsplit(answer["Location"]).path == "/ui/v2/login/password/change"
    assert "/password/change" in decide(web, request, "approve")["Location"]
    form = {"authRequest": request, "current": "Next-Horse-9", "password": "Last-Horse-9", "again": "Last-Horse-9"}
    changed = web.post("/ui/v2/login/password/change", form)
    assert changed["Location"] == f"{CONFIRM}?authRequest={request}"
    decide(web, request, "approve")
    assert "access_token" in tv.poll().json()


def test_a_session_that_ended_meanwhile_lets_no_device_in(house, tv, web):
    request, _ = sign_in(web, tv.started["user_code"])
    sessions.terminate_session(house.system, session_id=SessionRow.objects.get().id)
    assert decide(web, request, "approve").status_code == 303
    assert tv.poll().json()["error"] == "authorization_pending"


def test_who_the_project_does_not_admit_is_told_so(house, tv, web):
    projects.change_project(house.system, project_id=tv.flow.project, settings={"project_role_check": True})
    request, _ = sign_in(web, tv.started["user_code"])
    answer = decide(web, request, "approve")
    assert answer.status_code == 403 and "does not admit this user" in answer.content.decode()
    assert tv.poll().json()["error"] == "access_denied"


def test_when_the_time_is_up_the_question_is_over(house, tv, web):
    request, answer = sign_in(web, tv.started["user_code"])
    DeviceAuthorization.objects.update(expires_at=house.system.now())
    assert web.get(answer["Location"]).status_code == 404
    assert decide(web, request, "approve").status_code == 404


def test_c15_wrong_codes_are_told_and_stopped(tv, web):
    for _ in range(settings.CONFIG.RateLimits.Client.Burst):
        answer = enter(web, "BBBB-BBBB")
        assert answer.status_code == 422 and "No device waits under this code" in answer.content.decode()
    stopped = enter(web, tv.started["user_code"])
    assert (stopped.status_code, int(stopped["Retry-After"]) > 0) == (429, True)
    assert 'role="alert"' in stopped.content.decode()


@pytest.mark.parametrize("typed", ["", " ", "\0", "é" * 5000, "<script>alert(1)</script>", "-" * 9])
def test_h05_whatever_is_typed_is_a_wrong_code(tv, web, typed):
    answer = enter(web, typed)
    assert answer.status_code == (400 if "\0" in typed else 422)  # a NUL gets no further than the front door
    assert "<script>alert" not in answer.content.decode()


def test_c15_names_of_applications_cannot_pose_as_the_page(house, web):
    tv = make_tv(house, web)
    name = '<b>System</b> \u202eupdate"> <a href="https://evil.example">go</a>'
    projects.rename_app(house.system, project_id=tv.flow.project, app_id=tv.app, name=name)
    tv.start(scope="openid urn:zitadel:iam:org:project:id:zitadel:aud urn:zitadel:iam:org:project:role:<i>x</i>")
    _, answer = sign_in(web, tv.started["user_code"])
    page = web.get(answer["Location"]).content.decode()
    assert "<b>System" not in page and "<i>x" not in page and 'href="https://evil' not in page
    assert "<bdi>&lt;b&gt;System" in page, "signs that turn the direction of writing end with the name"
    assert "use the programming interface of this server in your name" in page
    assert "ZITADEL" in page and "shop" in page, "who registered it is told beside the name that it gave itself"


@pytest.mark.parametrize(
    ("language", "first", "question"),
    [
        ("de", "Auf einem Gerät anmelden", "Dieses Gerät anmelden?"),
        ("es", "Iniciar sesión en un dispositivo", "¿Dejar entrar a este dispositivo?"),
    ],
)
def test_u05_pages_speak_the_languages_of_the_login(tv, web, language, first, question):
    web.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    assert first in web.get(PAGE).content.decode()
    request, answer = sign_in(web, tv.started["user_code"])
    page = web.get(answer["Location"]).content.decode()
    assert question in page
    for english in ("Application", "It asks to", "Go on only", "Let it in", "Turn away", "see your", "Not you?"):
        assert english not in page, english
    done = decide(web, request, "approve").content.decode()
    assert "The device" not in done


def test_r21_r22_pages_have_their_headers_and_post_to_this_host_only(tv, web):
    _, answer = sign_in(web, tv.started["user_code"])
    for page in (web.get(PAGE), web.get(answer["Location"])):
        policy = page["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy and "form-action 'self';" in policy + ";" and "unsafe" not in policy
        assert "no-store" in page["Cache-Control"] and "<script" not in page.content.decode()


def test_c15_only_people_of_the_organization_asked_for_get_to_the_question(house, web):
    elsewhere = orgs.add_org(house.system, name="Elsewhere").id
    person = house.person("bert", org=elsewhere)
    tv = make_tv(house, web)
    tv.start(scope=f"openid urn:zitadel:iam:org:id:{elsewhere}")
    assert sign_in(web, tv.started["user_code"], "gigi")[1].status_code == 422
    request, answer = sign_in(web, tv.started["user_code"], "bert")
    assert web.get(answer["Location"]).status_code == 200
    decide(web, request, "approve")
    assert tv.flow.userinfo(tv.poll().json()["access_token"]).json()["sub"] == person
