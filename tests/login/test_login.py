"""The steps as a table, and the pages through a browser without JavaScript."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from eventstore.store import Write
from iam.instance import commands as instance
from iam.kernel.change import Unit
from iam.kernel.errors import InvalidInput, NotFound
from iam.login.flow import Attempt, next_step
from tests.login import browser
from tests.oidc.support import make_flow
from tests.users.support import SESSIONS, Rpc
from users import commands as users
from users.domain.events import HumanAdded
from users.domain.user import User
from users.models import SessionRow


@pytest.mark.parametrize(
    ("language", "words"), [("de", "nicht geklappt"), ("es", "ha funcionado"), ("fr", "did not work")]
)
def test_pages_of_problems_speak_the_readers_language_whatever_was_spoken_before(house, web, language, words):
    html = {"Accept": "text/html", "Accept-Language": language}
    for path in ("/oauth/v2/authorize?client_id=1", "/nowhere", "/ui/v2/login/password?authRequest=1"):
        web.get("/ui/v2/login/loginname", headers={"Accept-Language": "es" if language == "de" else "de"})
        page = web.get(path, headers=html).content.decode()
        assert words in page, path
        assert f'<html lang="{language if language != "fr" else "en"}">' in page


@pytest.mark.parametrize(
    ("known", "page"),
    [
        (Attempt(), "loginname"),
        (Attempt(sessions=2), "accounts"),
        (Attempt(login_name="gigi"), "password"),
        (Attempt(sessions=1, login_name="gigi"), "password"),
        (Attempt(login_name="gigi", password_ok=True, change_required=True), "password/change"),
    ],
)
def test_the_table(known, page):
    assert next_step(known).page == page


def test_done():
    assert next_step(Attempt(login_name="gigi", password_ok=True)) is None


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


def start(flow, **changed):
    """The id of a request that waits for a person."""
    return parse_qs(urlsplit(flow.authorize(**changed)["Location"]).query)["authRequest"][0]


def submit(flow, page, request, **values):
    return flow.web.post(f"/ui/v2/login/{page}", {"authRequest": request, **values})


def sign_in(flow, name="gigi", password="Correct-Horse-9", **changed):
    request = start(flow, **changed)
    submit(flow, "loginname", request, login_name=name)
    return submit(flow, "password", request, password=password)


@pytest.mark.parametrize("name", ["gigi", "GIGI", "gigi@zitadel.localhost", "gigi@example.com"])
def test_every_login_name_signs_in(flow, name):
    answer = sign_in(flow, name)
    assert answer.status_code == 303 and answer["Location"].startswith("https://app.example/cb?code=")


def test_p01_unknown_wrong_and_locked_look_alike(flow):
    pages = []
    users.lock_user(flow.house.system, user_id=flow.house.person("locked"))
    for name in ("gigi", "nobody", "locked"):
        answer = sign_in(flow, name, "wrong" if name == "gigi" else "Correct-Horse-9")
        text = re.sub(r'value="[^"]*"|authRequest=\w+|nobody|locked|gigi', "", answer.content.decode())
        pages.append((answer.status_code, text))
    assert pages[0] == pages[1] == pages[2]
    assert pages[0][0] == 422


@pytest.mark.parametrize("id", ["nobody", "SYSTEM", "*", "-"])
def test_p01_an_unknown_name_is_a_wrong_password_whatever_ids_people_have(flow, id):
    """Planted as an earlier release let it be made, with a password that the one who tries knows."""
    ctx = flow.house.system
    known = Unit(ctx).load(User, flow.person).password_hash
    fact = HumanAdded(user_name="odd", first_name="O", last_name="D", email="o@example.com", encoded_hash=known)
    ctx.store.push([Write(ctx.stream("user", id), 0, (fact,), flow.house.org, "", ctx.now())])
    assert sign_in(flow, "who-is-not-there", "Correct-Horse-9").status_code == 422
    checks = {"user": {"loginName": "who-is-not-there"}, "password": {"password": "Correct-Horse-9"}}
    with pytest.raises((InvalidInput, NotFound)):
        Rpc(SESSIONS, flow.house.pat)("CreateSession", {"checks": checks})


def test_a_forced_change_comes_before_anything_else(flow):
    users.set_password(flow.house.system, user_id=flow.person, password="First-Horse-1", change_required=True)
    request = start(flow)
    submit(flow, "loginname", request, login_name="gigi")
    answer = submit(flow, "password", request, password="First-Horse-1")
    assert urlsplit(answer["Location"]).path == "/ui/v2/login/password/change"
    wrong = submit(flow, "password/change", request, current="First-Horse-1", password="short", again="short")
    assert wrong.status_code == 422
    done = submit(
        flow, "password/change", request, current="First-Horse-1", password="Second-Horse-2", again="Second-Horse-2"
    )
    assert done["Location"].startswith("https://app.example/cb?code=")


def test_l03_a_skipped_step_never_succeeds(flow):
    request = start(flow)
    assert "loginname" in submit(flow, "password", request, password="Correct-Horse-9")["Location"]
    assert "loginname" in submit(flow, "password/change", request, current="x", password="y", again="y")["Location"]
    assert "loginname" in submit(flow, "accounts", request, session="1")["Location"]


def test_several_accounts_in_one_browser(flow):
    flow.house.person("bert")
    sign_in(flow)
    request = start(flow, prompt="select_account")
    submit(flow, "loginname", request, login_name="bert")
    submit(flow, "password", request, password="Correct-Horse-9")
    page = flow.web.get(f"/ui/v2/login/accounts?authRequest={start(flow)}").content.decode()
    assert ">gigi<" in page and ">bert<" in page


def test_one_account_signs_in_again_without_asking(flow):
    sign_in(flow)
    assert flow.authorize(prompt="none")["Location"].startswith("https://app.example/cb?code=")
    assert "authRequest" in flow.authorize(prompt="login")["Location"]


def test_l02_every_proof_opens_a_new_session(flow):
    sign_in(flow)
    before, cookie = SessionRow.objects.get().id, flow.web.cookies["gatehouse_sessions"].value
    sign_in(flow, prompt="login")
    after = SessionRow.objects.exclude(id=before).get().id
    assert list(browser.sessions_in(flow)) == [after], "one account to choose"
    flow.web.cookies["gatehouse_sessions"] = cookie
    assert list(browser.sessions_in(flow)) == [], "who knew the browser before knows nothing now"
    assert "error=login_required" in flow.authorize(prompt="none")["Location"]


def test_signing_out_ends_the_chosen_sessions(flow):
    sign_in(flow)
    session = SessionRow.objects.get(terminated=False).id
    assert session in flow.web.get("/ui/v2/login/logout").content.decode()
    flow.web.post("/ui/v2/login/logout", {"session": session})
    assert not SessionRow.objects.filter(terminated=False).exists()


@pytest.mark.parametrize(
    ("language", "word"), [("de", "Anmelden"), ("es", "Iniciar sesión"), ("en", "Sign in"), ("../../etc", "Sign in")]
)
def test_u05_languages(flow, language, word):
    request = start(flow, ui_locales=language)
    assert word in flow.web.get(f"/ui/v2/login/loginname?authRequest={request}").content.decode()


def test_r21_h09_pages_have_their_headers(flow):
    answer = flow.web.get(f"/ui/v2/login/loginname?authRequest={start(flow)}")
    assert (
        "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        and "unsafe" not in answer["Content-Security-Policy"]
    )
    assert "https://app.example" in answer["Content-Security-Policy"]
    for name, value in {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }.items():
        assert answer[name] == value
    assert "no-store" in answer["Cache-Control"]


def test_h05_what_was_typed_is_escaped(flow):
    request = start(flow, login_hint="<script>alert(1)</script>")
    page = flow.web.get(f"/ui/v2/login/password?authRequest={request}").content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;" in page


def test_l12_a_post_without_its_token_is_refused(flow):
    from django.test import Client

    strict = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    assert strict.post("/ui/v2/login/loginname", {"authRequest": start(flow), "login_name": "gigi"}).status_code == 403


def test_l08_the_cookie_is_not_for_scripts(flow):
    cookie = sign_in(flow).cookies["gatehouse_sessions"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


def test_t04_an_unknown_host_is_told_and_no_other_at_every_door(house):
    from django.test import Client

    instance.add_domain(house.system, domain="second.example")
    stranger = Client(HTTP_HOST="other.example")
    for path in ("/ui/console/", "/ui/console/login", "/ui/v2/login/login", "/oauth/v2/authorize"):
        page = stranger.get(path, follow=True)
        text = page.content.decode()
        assert page.status_code == 400 and "other.example" in text, path
        assert "localhost" not in text and "second.example" not in text, path


def test_an_address_that_nothing_has_is_a_page_for_people(house, web):
    page = web.get("/nothing", headers={"accept": "text/html"})
    assert page.status_code == 404 and "There is no such page" in page.content.decode()
    assert web.get("/nothing").json() == {"code": 5, "message": "Not Found"}
