"""What the authorization endpoint understands of a request, and where it leads."""

import logging
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from iam.kernel.errors import FailedPrecondition
from oidc import login_door
from oidc.models import AuthRequest
from projects import commands as projects
from projects.domain.project import OidcConfig
from projects.models import AppRow
from tests.conftest import HOST, Api
from tests.instance.test_settings_effect import default as set_default
from tests.oidc.support import REDIRECT, make_flow
from users import commands as users
from users.commands import sessions
from users.models import SessionRow

PASSWORD = "Correct-Horse-9"


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


def told(answer):
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def submit(flow, page, request, **values):
    return flow.web.post(f"/ui/v2/login/{page}", {"authRequest": request, **values})


def sign_in(flow, name="gigi", password=PASSWORD, **asked):
    request = told(flow.authorize(**asked))["authRequest"]
    submit(flow, "loginname", request, login_name=name)
    return submit(flow, "password", request, password=password)


# ── max_age, prompt ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("age", ["0", "1", "3600", "999999999"])
@pytest.mark.parametrize("prompt", [None, "login", "select_account"])
def test_r20_a_proof_for_this_request_is_fresh_whatever_age_is_allowed(flow, age, prompt):
    sign_in(flow)
    assert "code" in told(sign_in(flow, max_age=age, prompt=prompt or "login"))


@pytest.mark.parametrize("age", [0, 1])
def test_r20_time_may_pass_between_proof_and_answer(house, flow, age):
    """Three seconds, as on a slow page; the check is younger than the request all the same."""
    request, now = told(flow.authorize(max_age=str(age)))["authRequest"], house.system.now()
    session = flow.session()
    AuthRequest.objects.update(created_at=now - timedelta(seconds=9))
    SessionRow.objects.filter(id=session).update(password_checked_at=now - timedelta(seconds=3))
    assert "code=" in login_door.finish(house.system, request, session)
    again = told(flow.authorize(max_age=str(age)))["authRequest"]
    with pytest.raises(FailedPrecondition, match=r"auth_request\.session_insufficient"):
        login_door.finish(house.system, again, session)


@pytest.mark.parametrize("age", ["0", "1", "59"])
def test_r20_an_older_proof_is_asked_for_again(house, flow, age):
    sign_in(flow)
    SessionRow.objects.update(password_checked_at=house.system.now() - timedelta(minutes=1))
    assert told(flow.authorize(max_age=age, prompt="none"))["error"] == "login_required"
    assert "authRequest" in told(flow.authorize(max_age=age))
    assert "code" in told(flow.authorize(max_age="61"))


def test_r20_a_forced_change_of_the_password_meets_max_age_zero(house, flow):
    users.set_password(house.system, user_id=flow.person, password="First-Horse-1", change_required=True)
    answer = sign_in(flow, password="First-Horse-1", max_age="0")
    request = parse_qs(urlsplit(answer["Location"]).query)["authRequest"][0]
    new = {"current": "First-Horse-1", "password": "Second-Horse-2", "again": "Second-Horse-2"}
    assert "code" in told(submit(flow, "password/change", request, **new))


@pytest.mark.parametrize("page", ["password", "accounts", "change", "change without bound"])
def test_another_persons_proof_is_a_page_and_never_an_error_of_the_server(house, flow, page):
    """The application named somebody by a hint; whoever signs in instead may try another account."""
    hint = flow.tokens()["id_token"]
    house.person("bert")
    forced = "change" in page
    if forced:
        users.set_password(house.system, user_id=users_id("bert"), password="First-Horse-1", change_required=True)
    if page == "accounts":
        sign_in(flow, "bert", prompt="login")
        request = told(flow.authorize(id_token_hint=hint))["authRequest"]
        answer = submit(flow, "accounts", request, session=SessionRow.objects.latest("changed_at").id)
        assert urlsplit(answer["Location"]).path == "/ui/v2/login/password"
        answer = submit(flow, "password", request, password=PASSWORD)
    else:
        answer = sign_in(flow, "bert", "First-Horse-1" if forced else PASSWORD, id_token_hint=hint)
    if forced:
        request = parse_qs(urlsplit(answer["Location"]).query)["authRequest"][0]
        new = {"current": "First-Horse-1", "password": "Second-Horse-2", "again": "Second-Horse-2"}
        answer = submit(flow, "password/change", request, **new)
        assert urlsplit(answer["Location"]).path == "/ui/v2/login/loginname"
    else:
        assert answer.status_code == 422 and "another account" in answer.content.decode()
    request = told(flow.authorize(id_token_hint=hint, prompt="login"))["authRequest"]
    submit(flow, "loginname", request, login_name="gigi")
    assert "code" in told(submit(flow, "password", request, password=PASSWORD))


def users_id(name):
    from users.models import UserRow

    return UserRow.objects.get(user_name=name).id


def test_a_session_that_is_stopped_meanwhile_leads_back_to_the_first_page(house, flow, monkeypatch):
    """Whatever the last look finds: somebody's state may change between two statements."""

    def refused(*_):
        raise FailedPrecondition("auth_request.session_insufficient")

    monkeypatch.setattr(login_door, "finish", refused)
    answer = sign_in(flow)
    assert answer.status_code == 422
    request = AuthRequest.objects.latest("created_at").id
    assert submit(flow, "accounts", request, session=SessionRow.objects.get().id).status_code == 303


PROMPTS = [
    ("", ()),
    ("Welcome back!", ()),
    ("nonsense", ()),
    ("select_account foo", ("select_account",)),
    ("login login", ("login",)),
    ("login consent", ("login", "consent")),
    ("LOGIN", ()),
    ("NONE", ()),
    ("create", ("create",)),
]


@pytest.mark.parametrize(("prompt", "understood"), PROMPTS)
def test_unknown_prompts_are_passed_over(flow, prompt, understood):
    assert "authRequest" in told(flow.authorize(prompt=prompt))
    assert tuple(AuthRequest.objects.get().prompt) == understood


# ── scopes, response types ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scope", ["profile", "email phone", "offline_access", "nonsense"])
def test_without_openid_the_flow_is_plain_oauth(flow, scope):
    tokens = flow.tokens(scope=scope)
    assert "id_token" not in tokens and "access_token" in tokens
    assert ("refresh_token" in tokens) is (scope == "offline_access")
    assert flow.userinfo(tokens["access_token"]).status_code == 403


def test_c06_a_code_is_given_only_to_who_may_redeem_it(house, flow):
    AppRow.objects.filter(client_id=flow.client_id).update(grant_types=[2])
    assert told(flow.authorize())["error"] == "unauthorized_client"


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────

HTTP = "http://app.example/cb"


def registered(house, *uris, **config):
    project = projects.add_project(house.system, org_id=house.org, name=f"p{house.system.ports.new_id()}").id
    config = OidcConfig(**{"redirect_uris": uris, "auth_method_type": 2, **config})
    return projects.add_oidc_app(house.system, project_id=project, name="web", config=config).client_id


def test_r06_an_unprotected_address_is_registered_and_listed_and_refused_when_asked_for(house, api, flow):
    project = api.post("/v2/projects", {"name": "p", "organizationId": house.org}).json()["id"]
    body = {
        "name": "web",
        "redirectUris": [HTTP],
        "postLogoutRedirectUris": ["http://app.example/out"],
        "responseTypes": ["OIDC_RESPONSE_TYPE_CODE"],
        "grantTypes": ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE"],
        "appType": "OIDC_APP_TYPE_WEB",
        "authMethodType": "OIDC_AUTH_METHOD_TYPE_BASIC",
    }
    made = api.post(f"/management/v1/projects/{project}/apps/oidc", body).json()
    assert made["noneCompliant"] and [one["key"] for one in made["complianceProblems"]]
    page = flow.authorize(client_id=made["clientId"], redirect_uri=HTTP)
    assert (page.status_code, "Location" in page) == (400, False) and "not protected" in page.content.decode()
    out = flow.web.get(
        f"/oidc/v1/end_session?client_id={made['clientId']}&post_logout_redirect_uri=http://app.example/out"
    )
    assert (out.status_code, "Location" in out) == (400, False)


@pytest.mark.parametrize(
    ("config", "uri", "answered"),
    [
        ({"dev_mode": True}, HTTP, True),
        ({}, HTTP, False),
        ({"application_type": 1}, HTTP, False),
        ({"application_type": 2}, HTTP, False),
        ({"application_type": 2}, "com.example:/cb", True),
        ({}, "com.example:/cb", False),
        ({}, "http://localhost:9/cb", True),
    ],
)
def test_r06_what_is_registered_is_answered_where_it_is_safe(house, flow, config, uri, answered):
    client = registered(house, uri, **config)
    answer = flow.authorize(client_id=client, redirect_uri=uri)
    assert (answer.status_code == 303) is answered


@pytest.mark.parametrize(("dev_mode", "answered"), [(True, True), (False, False)])
def test_r06_d10_scripts_of_an_address_that_is_not_answered_read_nothing(house, flow, dev_mode, answered):
    registered(house, HTTP, dev_mode=dev_mode)
    answer = flow.web.options("/oauth/v2/token", headers={"origin": "http://app.example"})
    assert ("Access-Control-Allow-Origin" in answer) is answered


@pytest.mark.parametrize("config", [{"redirect_uris": (REDIRECT,)}, {"additional_origins": ("https://app.example",)}])
@pytest.mark.parametrize("address", ["https://app.example.evil.example/", "https://evil.example/?https://app.example/"])
def test_d10_addresses_that_hold_an_origin_somewhere_push_its_application_out_of_nothing(house, flow, config, address):
    """Anybody who may register applications may register many of these."""
    AppRow.objects.all().delete()
    made = OidcConfig(**{"redirect_uris": ("https://evil.example/",), **config})
    app = projects.add_oidc_app(house.system, project_id=flow.project, name="real", config=made).id
    row = AppRow.objects.get(id=app)
    more = {field.attname: getattr(row, field.attname) for field in AppRow._meta.concrete_fields}
    more |= {"redirect_uris": [address], "additional_origins": []}
    AppRow.objects.bulk_create(AppRow(**more | {"id": f"0{at}", "client_id": f"c{at}"}) for at in range(1, 70))
    answer = flow.web.options("/oauth/v2/token", headers={"origin": "https://app.example"})
    assert answer.get("Access-Control-Allow-Origin") == "https://app.example"


LOOPBACK = [  # (registered, asked, answered) for a native application
    ("http://127.0.0.1/cb", "http://127.0.0.1:53211/cb", True),
    ("http://127.0.0.1:9/cb", "http://127.0.0.1/cb", True),
    ("http://[::1]/cb", "http://[::1]:53211/cb", True),
    ("http://localhost/cb", "http://localhost:53211/cb", True),
    ("http://127.0.0.1/cb", "http://127.0.0.1:53211/other", False),
    ("http://127.0.0.1/cb", "http://[::1]:53211/cb", False),
    ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", False),
    ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb", False),
    ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", False),
    ("http://127.0.0.1/cb", "https://127.0.0.1:53211/cb", False),
    ("http://app.example:8/cb", "http://app.example:9/cb", False),
    ("https://app.example/cb", "https://app.example:9/cb", False),
]


@pytest.mark.parametrize(("uri", "asked", "answered"), LOOPBACK)
@pytest.mark.parametrize("app_type", [0, 1, 2])
def test_r06_a_native_application_chooses_its_port_on_this_machine(house, flow, app_type, uri, asked, answered):
    """RFC 8252 §7.3; nobody else does."""
    client = registered(house, uri, application_type=app_type)
    answer = flow.authorize(client_id=client, redirect_uri=asked)
    assert (answer.status_code == 303) is (answered and app_type == 2)


def test_r07_wildcards_count_in_dev_mode_only(house, flow):
    pattern, uri = "https://*.app.example/cb", "https://pr-7.app.example/cb"
    client = registered(house, pattern, dev_mode=True)
    assert flow.authorize(client_id=client, redirect_uri=uri).status_code == 303
    for other in (pattern, "https://app.example/cb", "https://a.b.app.example/cb", "https://evil.example/cb"):
        assert flow.authorize(client_id=client, redirect_uri=other).status_code == 400
    AppRow.objects.filter(client_id=client).update(dev_mode=False)
    for other in (uri, pattern):
        assert flow.authorize(client_id=client, redirect_uri=other).status_code == 400


SECRET = "https://internal-staging.example/cb"


@pytest.mark.parametrize("asked", [None, "https://evil.example/", SECRET + "x"])
def test_r01_the_page_shows_what_was_asked_and_the_log_what_is_registered(house, flow, caplog, asked):
    client = registered(house, SECRET)
    with caplog.at_level(logging.INFO):
        page = flow.authorize(client_id=client, redirect_uri=asked)
    text = page.content.decode()
    assert page.status_code == 400 and f"<code>{SECRET}</code>" not in text
    assert asked is None or asked in text
    assert asked is None or SECRET in caplog.text


def test_r13_the_logout_page_shows_no_registered_addresses_either(house, flow):
    page = flow.web.get(
        f"/oidc/v1/end_session?client_id={flow.client_id}&post_logout_redirect_uri=https://evil.example/"
    )
    assert page.status_code == 400 and "app.example" not in page.content.decode()


# ── a login of one's own ─────────────────────────────────────────────────────────────────────────────────────────────


def own_login(house, name="login"):
    id, token = house.machine(name)
    return id, Api(token)


def asked_by(flow, user_id):
    flow.web.defaults["HTTP_X_ZITADEL_LOGIN_CLIENT"] = user_id
    request = told(flow.authorize())["authRequest"]
    del flow.web.defaults["HTTP_X_ZITADEL_LOGIN_CLIENT"]
    return request


def proof(house, flow):
    session = flow.session()
    return {"sessionId": session, "sessionToken": sessions.set_session_token(house.system, session_id=session).token}


def test_the_login_that_passed_a_request_on_answers_it_without_any_right(house, flow):
    id, login = own_login(house)
    request = asked_by(flow, id)
    assert login.get(f"/v2/oidc/auth_requests/{request}").json()["authRequest"]["id"] == request
    answer = login.post(f"/v2/oidc/auth_requests/{request}", {"session": proof(house, flow)})
    assert answer.status_code == 200
    assert flow.redeem(parse_qs(urlsplit(answer.json()["callbackUrl"]).query)["code"][0]).status_code == 200


def test_it_turns_its_own_request_away(house, flow):
    id, login = own_login(house)
    body = {"error": {"error": "ERROR_REASON_ACCESS_DENIED"}}
    assert login.post(f"/v2/oidc/auth_requests/{asked_by(flow, id)}", body).status_code == 200


@pytest.mark.parametrize("named", ["another", "nobody", "", "*", "SYSTEM", "the client"])
def test_t02_nobody_else_answers_or_reads_it(house, flow, named):
    """Somebody else's id, none, and words that are no user's."""
    _, login = own_login(house)
    other, _ = own_login(house, "other")
    request = asked_by(flow, {"another": other, "the client": flow.client_id}.get(named, named))
    path, body = f"/v2/oidc/auth_requests/{request}", {"session": proof(house, flow)}
    for answer in (login.get(path), login.post(path, body), login.post(path, {"error": {"error": 4}})):
        assert (answer.status_code, answer.json()["code"]) == (403, 7)
    nobody = Api("")
    for answer in (nobody.get(path), nobody.post(path, body)):
        assert answer.status_code == 401
    assert AuthRequest.objects.get(id=request).finished_at is None


def test_it_needs_the_sessions_token_and_a_session_that_proves_enough(house, flow):
    id, login = own_login(house)
    path, right = f"/v2/oidc/auth_requests/{asked_by(flow, id)}", proof(house, flow)
    assert login.post(path, {"session": {**right, "sessionToken": "x"}}).status_code == 403
    empty = sessions.create_session(house.system)
    token = sessions.set_session_token(house.system, session_id=empty).token
    assert login.post(path, {"session": {"sessionId": empty, "sessionToken": token}}).status_code == 400
    assert login.post(path, {"session": right}).status_code == 200


# ── a sign-in that is over ───────────────────────────────────────────────────────────────────────────────────────────


def link_of(page):
    assert page.status_code == 404
    return re.search(r'<a class="button[^"]*" href="([^"]*)"', page.content.decode())[1]


@pytest.mark.parametrize("over", ["finished", "expired"])
def test_a_sign_in_that_is_over_leads_back_to_the_application(house, flow, over):
    request = told(flow.authorize())["authRequest"]
    if over == "finished":
        submit(flow, "loginname", request, login_name="gigi")
        assert "code" in told(submit(flow, "password", request, password=PASSWORD))
    AuthRequest.objects.filter(id=request).update(expires_at=house.system.now() - timedelta(seconds=1))
    for page in ("login", "loginname", "password", "accounts"):
        assert link_of(flow.web.get(f"/ui/v2/login/{page}?authRequest={request}")) == "https://app.example/"


@pytest.mark.parametrize("address", ["", "https://start.example/?lang={{.Lang}}", "start.example/home"])
def test_where_no_application_is_known_the_default_address_is(house, flow, address):
    """Somebody else's link tells nothing of whose request it was."""
    if address:
        set_default(house, "login", default_redirect_uri=address)
    request = told(flow.authorize())["authRequest"]
    stranger = Client(HTTP_HOST=HOST)
    wanted = {"": "/ui/console/", "start.example/home": "https://start.example/home"}.get(
        address, "https://start.example/?lang=en"
    )
    for id in (request, "V2_1", "x" * 500):
        assert link_of(stranger.get(f"/ui/v2/login/loginname?authRequest={id}")) == wanted
    assert REDIRECT not in stranger.get(f"/ui/v2/login/loginname?authRequest={request}").content.decode()
