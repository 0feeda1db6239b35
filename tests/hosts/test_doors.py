"""Whatever form a Host has, every door answers with the one origin of that host, or refuses an unknown one."""

import json
import re
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from joserfc import jwt
from joserfc.jwk import RSAKey

from iam.access.caller import system_context
from iam.instance import commands as instance
from iam.outbox.models import Message
from iam.outbox.post import opened
from oidc.jose import read
from oidc.models import AccessToken, AuthRequest, Grant, RefreshToken
from projects import commands as projects
from tests.hosts.forms import KNOWN, MALFORMED, NAME, ORIGINS, SECOND, TRUSTED, UNKNOWN
from tests.oidc.support import make_flow, make_tv
from users import commands as users

ADDRESS = re.compile(r"https?://[^\s\"'<>/]+")
APP = "https://app.example"
PASSWORD = "Correct-Horse-9"


@pytest.fixture(params=["https on another port", "http"])
def behind(request, monkeypatch):
    """The configured origin: (scheme, what stands behind a name)."""
    secure, port, behind = ORIGINS[request.param]
    monkeypatch.setattr(settings.CONFIG, "ExternalSecure", secure)
    monkeypatch.setattr(settings.CONFIG, "ExternalPort", port)
    return ("https" if secure else "http"), behind


@pytest.fixture
def served(house, behind):
    """An instance with two hosts and a trusted domain: name → origin."""
    for name in (NAME, SECOND):
        instance.add_domain(house.system, domain=name)
    instance.trust_domain(house.system, domain=TRUSTED)
    return lambda name: f"{behind[0]}://{name}{behind[1]}"


def browser(host):
    return Client(HTTP_HOST=host)


def flow_at(house, host):
    return make_flow(house, browser(host))


@pytest.mark.parametrize(("form", "name"), KNOWN)
def test_h01_discovery_names_one_origin(served, form, name):
    told = browser(form).get("/.well-known/openid-configuration").json()
    assert told["issuer"] == served(name)
    addresses = ADDRESS.findall(json.dumps(told))
    assert len(addresses) > 8 and set(addresses) == {served(name)}


def mails(house, client, person):
    """Every call that sends a link: (label, response)."""
    token = {"authorization": f"Bearer {house.pat}"}
    post = lambda path, body: client.post(path, body, content_type="application/json", headers=token)
    yield client.post("/ui/v2/login/password/reset", {"login_name": "gigi"})
    yield post(f"/v2/users/{person}/password_reset", {"sendLink": {}})
    yield post(f"/v2/users/{person}/email", {"email": "new@example.com", "sendCode": {}})
    yield post(f"/v2/users/{person}/email/resend", {"sendCode": {}})
    fresh = post("/v2/users/human", human("invited"))
    yield fresh
    yield post(f"/v2/users/{fresh.json()['userId']}/invite_code", {"sendCode": {}})


def human(name):
    return {
        "username": name,
        "profile": {"givenName": "A", "familyName": "B"},
        "email": {"email": f"{name}@example.com", "sendCode": {}},
    }


@pytest.mark.parametrize(("form", "name"), KNOWN)
def test_h01_every_link_in_a_mail_leads_to_one_origin(house, served, form, name):
    person = house.person()
    for answer in mails(house, browser(form), person):
        assert answer.status_code in (200, 201), answer.content
    found = [ADDRESS.findall(opened(house.system, one).body) for one in Message.objects.all()]
    assert len(found) >= 5 and all(found)
    assert {address for one in found for address in one} == {served(name)}


@pytest.mark.parametrize(("form", "name"), KNOWN)
def test_h01_answers_and_tokens_name_one_issuer(house, served, form, name):
    flow = flow_at(house, form)
    refused = parse_qs(urlsplit(flow.authorize(prompt="none")["Location"]).query)
    assert refused["iss"] == [served(name)]
    page = flow.authorize()["Location"]
    assert page.startswith("/ui/")
    id = parse_qs(urlsplit(page).query)["authRequest"][0]
    typed = {"authRequest": id, "login_name": "gigi", "password": PASSWORD}
    flow.web.post("/ui/v2/login/loginname", typed)
    answered = flow.web.post("/ui/v2/login/password", typed)
    answer = parse_qs(urlsplit(answered["Location"]).query)
    assert answer["iss"] == [served(name)]
    got = flow.redeem(answer["code"][0]).json()
    assert read(got["id_token"]).claims["iss"] == served(name)
    assert all(not morsel["domain"] for morsel in flow.web.cookies.values())
    kept = {one.issuer for table in (AuthRequest, Grant, AccessToken, RefreshToken) for one in table.objects.all()}
    assert kept == {served(name)}


@pytest.mark.parametrize(("form", "name"), KNOWN)
def test_h01_redirects_and_device_pages_stay_at_one_origin(house, served, form, name):
    client = browser(form)
    away = client.get("/ui/console/login")["Location"]
    assert parse_qs(urlsplit(away).query)["redirect_uri"] == [f"{served(name)}/ui/console/callback"]
    out = client.post("/ui/console/logout")["Location"]
    assert parse_qs(urlsplit(out).query)["post_logout_redirect_uri"] == [f"{served(name)}/ui/console/"]
    tv = make_tv(house, client)
    told = tv.start().json()
    assert told["verification_uri"] == f"{served(name)}/device"
    assert told["verification_uri_complete"].startswith(f"{served(name)}/device?")
    for path in ("/", "/device", "/ui/console", "/ui/login/login", "/oidc/v1/end_session", "/ui/v2/login/login"):
        target = client.get(path).get("Location", "/")
        assert target.startswith("/") and not target.startswith("//"), path


@pytest.mark.parametrize(("form", "name"), KNOWN)
def test_h01_d10_origins_of_applications_are_those_of_the_host(house, served, form, name):
    flow = flow_at(house, form)
    for origin, allowed in ((APP, APP), ("https://evil.example", None)):
        answer = flow.web.post("/oauth/v2/token", headers={"origin": origin})
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed


@pytest.mark.parametrize(("form", "name"), KNOWN)
def test_l12_a_form_is_taken_from_the_one_origin_only(served, form, name):
    client = Client(HTTP_HOST=form, enforce_csrf_checks=True)
    page = client.get("/ui/v2/login/password/reset")
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.content.decode())[1]
    for origin, status in ((served(name), 200), ("https://evil.example", 403), (f"{served(name)}1", 403)):
        typed = {"login_name": "nobody", "csrfmiddlewaretoken": token}
        assert client.post("/ui/v2/login/password/reset", typed, headers={"origin": origin}).status_code == status


@pytest.fixture
def robot(house):
    """A service user with a key: claims → the answer of the token endpoint at a host."""
    id, _ = house.machine("robot")
    made = users.add_machine_key(house.system, user_id=id)
    private = RSAKey.import_key(made.secret)

    def ask(host, audience):
        now = int(time.time())
        claims = {"iss": id, "sub": id, "aud": audience, "iat": now, "exp": now + 300}
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": jwt.encode({"alg": "RS256", "kid": made.id}, claims, private),
            "scope": "openid urn:zitadel:iam:org:project:id:zitadel:aud",
        }
        return browser(host).post("/oauth/v2/token", urlencode(form), content_type="application/x-www-form-urlencoded")

    return ask


@pytest.mark.parametrize("host", [NAME, f"{SECOND.upper()}:6666"])
def test_d02_j08_an_assertion_is_for_any_host_of_the_instance(served, behind, robot, host):
    for form, _ in KNOWN:
        for audience in (f"{behind[0]}://{form}", [f"{behind[0]}://{form}/oauth/v2/token"]):
            assert robot(host, audience).status_code == 200, audience


@pytest.mark.parametrize(
    "audience",
    [
        "{other}://" + NAME,
        "{scheme}://" + NAME + "/",
        "{scheme}://" + NAME + "//oauth/v2/token",
        "{scheme}://" + NAME + "/oauth/v2/token/",
        "{scheme}://" + NAME + "/oauth/v2/tokens",
        "{scheme}://" + NAME + "/oauth/v2/token?x=1",
        "{scheme}://" + NAME + "?x",
        "{scheme}://" + NAME + "#x",
        "{scheme}://user@" + NAME,
        "{scheme}://" + NAME + "@evil.example",
        "{scheme}:" + NAME,
        "//" + NAME,
        NAME,
        *("{scheme}://" + one for one in UNKNOWN),
        *("{scheme}://" + one for one in MALFORMED if one not in ("", ":") and not one.endswith("#x")),
        "",
    ],
)
def test_d02_j08_an_assertion_for_somebody_else_is_refused(served, behind, robot, audience):
    other = "http" if behind[0] == "https" else "https"
    answer = robot(NAME, audience.format(scheme=behind[0], other=other))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_d02_j08_t02_hosts_of_another_tenant_are_nobody_here(house, served, behind, robot):
    other = system_context("999999999999999999", base_url="http://other.example")
    instance.add_instance(other, name="Other", domains=("other.example",))
    for audience in ("other.example", "OTHER.example:8443", "other.example."):
        answer = robot(NAME, [f"{behind[0]}://{audience}", f"{behind[0]}://{audience}/oauth/v2/token"])
        assert answer.json()["error"] == "invalid_grant", audience
    flow = flow_at(house, NAME)
    got = flow.tokens()
    for table in (AccessToken, RefreshToken):
        table.objects.update(issuer=f"{behind[0]}://other.example{behind[1]}")
    assert flow.userinfo(got["access_token"]).status_code == 401
    assert flow.refresh(got["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("form", "name"), KNOWN)
def test_j08_tokens_of_an_instance_are_good_at_each_of_its_hosts(house, served, form, name):
    flow = flow_at(house, NAME)
    for changes in ({}, {"access_token_type": 1}):
        if changes:
            projects.change_oidc_app(house.system, project_id=flow.project, app_id=flow.app, changes=changes)
        got = flow.tokens(scope="openid profile offline_access urn:zitadel:iam:org:project:id:zitadel:aud")
        here = browser(form)
        bearer = {"authorization": f"Bearer {got['access_token']}"}
        assert here.get("/oidc/v1/userinfo", headers=bearer).json()["sub"] == flow.person
        assert here.get("/auth/v1/users/me", headers=bearer).status_code == 200
        hint = {"id_token_hint": got["id_token"], "prompt": "none", "client_id": flow.client_id}
        flow.web = here
        error = parse_qs(urlsplit(flow.authorize(**hint)["Location"]).query)["error"]
        assert error == ["login_required"]
        refreshed = flow.refresh(got["refresh_token"])
        assert refreshed.status_code == 200
        assert read(refreshed.json()["id_token"]).claims["iss"] == served(name)
        flow.web = browser(NAME)


def test_j08_r12_codes_stay_at_their_host_whatever_its_spelling(house, served):
    flow = flow_at(house, NAME)
    for form in (f"{NAME}:6666", f"{NAME.upper()}."):
        code = flow.code()
        flow.web = browser(form)
        assert "access_token" in flow.redeem(code).json()
        flow.web = browser(NAME)
    code = flow.code()
    flow.web = browser(SECOND)
    assert flow.redeem(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("stored", [f"http://{NAME}:9203", f"https://{NAME.upper()}", f"https://{NAME}.:443"])
def test_what_was_issued_under_another_spelling_stays_good(house, served, stored):
    flow = flow_at(house, NAME)
    got = flow.tokens()
    for table in (AccessToken, RefreshToken, Grant, AuthRequest):
        table.objects.update(issuer=stored)
    for host in (NAME, f"{NAME}:1", SECOND):
        flow.web = browser(host)
        assert flow.userinfo(got["access_token"]).status_code == 200
    assert flow.refresh(got["refresh_token"]).status_code == 200


def test_t02_what_another_hosts_instance_issued_is_nothing_here(house, served):
    flow = flow_at(house, NAME)
    got = flow.tokens()
    AccessToken.objects.update(issuer="https://evil.example")
    RefreshToken.objects.update(issuer="https://evil.example")
    assert flow.userinfo(got["access_token"]).status_code == 401
    assert flow.refresh(got["refresh_token"]).json()["error"] == "invalid_grant"
    instance.remove_domain(house.system, domain=NAME)
    assert browser(NAME).get("/.well-known/openid-configuration").status_code == 404


DOORS = {
    "discovery": "/.well-known/openid-configuration",
    "keys": "/oauth/v2/keys",
    "authorize": "/oauth/v2/authorize",
    "logout": "/oidc/v1/end_session",
    "login": "/ui/v2/login/login",
    "reset": "/ui/v2/login/password/reset",
    "device": "/ui/v2/login/device",
    "console": "/ui/console/callback",
    "REST": "/v2/users/x",
    "userinfo": "/oidc/v1/userinfo",
}


@pytest.mark.parametrize("path", DOORS.values(), ids=DOORS)
def test_h01_t04_an_unknown_host_is_refused_everywhere(served, path):
    for form in UNKNOWN:
        answer = browser(form).get(path, headers={"authorization": "Bearer x"}, follow=True)
        text = answer.content.decode()
        assert answer.status_code in (400, 401, 404), (form, text)
        assert NAME not in text.replace(form, "") and "localhost" not in text and SECOND not in text, form


@pytest.mark.parametrize("path", DOORS.values(), ids=DOORS)
def test_h01_what_is_no_host_is_a_bad_request_everywhere(served, path):
    for form in MALFORMED:
        answer = browser(form.encode().decode("latin-1")).get(path)
        assert answer.status_code == 400 and "host" in answer.content.decode().lower(), form


def test_h01_a_stored_host_with_the_configured_port_still_leads_to_its_instance(house, behind):
    from iam.instance.models import InstanceDomainRow

    stored = f"older.example:{settings.CONFIG.ExternalPort}"
    InstanceDomainRow.objects.create(instance_id=house.instance, domain=stored, created_at=house.system.now())
    told = browser("older.example").get("/.well-known/openid-configuration").json()
    assert told["issuer"] == f"{behind[0]}://older.example{behind[1]}"


@pytest.mark.parametrize(
    "domain", ["a.example:443", "a.example:", "a.example:x", "user@a.example", "a b", "[::1]:1", ""]
)
def test_h01_a_host_is_added_without_a_port(house, domain):
    from iam.kernel.errors import InvalidInput

    for add in (instance.add_domain, instance.trust_domain):
        with pytest.raises(InvalidInput):
            add(house.system, domain=domain)
