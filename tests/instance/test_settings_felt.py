"""Settings at the door where a person or a client feels them: how long a password check counts, numbers as login names,
where a sign-in without application ends, the note before a password expires, secrets, hosts that links may be made with."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from iam.access.caller import RequestMeta, context_for
from iam.instance import commands as instances
from iam.instance.settings import settings_of
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from iam.outbox.models import Message
from iam.outbox.post import opened
from oidc import login_door
from oidc.models import AuthRequest, Grant
from orgs import commands as orgs
from projects import commands as projects
from tests.api.test_recipes import post_form
from tests.instance.test_settings_effect import PASSWORD, default, own
from tests.login.test_login import sign_in, start, submit
from tests.oidc.support import make_flow
from tests.users.test_sessions_api import create, login_client  # noqa: F401 - a fixture
from users import commands as users
from users.models import SessionRow, UserRow
from users.queries import find_user_by_login

NUMBER = "+41791234567"
LOGIN = "/ui/v2/login/login"


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


def checked(ago):
    """Let the password checks of all sessions be so long ago."""
    SessionRow.objects.update(password_checked_at=datetime.now(UTC) - ago)


def test_a_password_check_counts_as_long_as_the_organization_says(flow):
    own(flow.house, "login", password_check_lifetime=timedelta(hours=1))
    sign_in(flow)
    checked(timedelta(minutes=59))
    assert "code=" in flow.authorize(prompt="none")["Location"]
    checked(timedelta(minutes=61))
    assert "error=login_required" in flow.authorize(prompt="none")["Location"]
    assert flow.authorize()["Location"].startswith("/ui/v2/login/login")


def test_who_picks_a_known_account_proves_the_password_again_when_the_check_is_too_old(flow):
    own(flow.house, "login", password_check_lifetime=timedelta(hours=1))
    sign_in(flow)
    checked(timedelta(hours=2))
    request = start(flow)
    session = SessionRow.objects.get(terminated=False).id
    answer = submit(flow, "accounts", request, session=session)
    assert answer["Location"].startswith("/ui/v2/login/password?")
    assert "code=" in submit(flow, "password", request, password=PASSWORD)["Location"]


def test_without_any_lifetime_every_request_asks_for_the_password_once(flow):
    own(flow.house, "login", password_check_lifetime=timedelta(0))
    assert "code=" in sign_in(flow)["Location"]
    assert "error=login_required" in flow.authorize(prompt="none")["Location"]
    assert "code=" in sign_in(flow)["Location"]


def test_a_login_of_ones_own_cannot_finish_with_a_stale_session_either(flow):
    own(flow.house, "login", password_check_lifetime=timedelta(hours=1))
    session = flow.session()
    SessionRow.objects.filter(id=session).update(password_checked_at=datetime.now(UTC) - timedelta(hours=2))
    with pytest.raises(FailedPrecondition, match="session_insufficient"):
        login_door.finish(flow.house.system, start(flow), session)


def test_the_lifetime_is_that_of_the_persons_organization(flow):
    other = orgs.add_org(flow.house.system, name="Other").id
    flow.house.person("giga", other)
    own(flow.house, "login", password_check_lifetime=timedelta(hours=1))
    sign_in(flow, "giga")
    checked(timedelta(hours=2))
    assert "code=" in flow.authorize(prompt="none")["Location"]


def with_number(house, name="gigi", org="", verified=True, number=NUMBER):
    id = house.person(name, org)
    users.change_phone(house.system, user_id=id, phone=number, verified=verified)
    return id


@pytest.mark.parametrize("typed", [NUMBER, "+41 79 123 45 67", "+41 (0)79 123 45 67", " +41-79-123-45-67 "])
def test_a_verified_number_is_a_login_name(house, typed):
    id = with_number(house)
    assert find_user_by_login(house.instance, typed).id == id


def test_a_number_signs_in_unless_that_is_switched_off(flow, login_client):  # noqa: F811
    users.change_phone(flow.house.system, user_id=flow.person, phone=NUMBER, verified=True)
    assert "code=" in sign_in(flow, "+41 79 123 45 67")["Location"]
    assert create(login_client, user={"loginName": NUMBER}, password={"password": PASSWORD}).status_code == 201
    own(flow.house, "login", disable_login_with_phone=True)
    right = sign_in(flow, NUMBER, prompt="login")
    wrong = sign_in(flow, NUMBER, "wrong-one", prompt="login")
    assert (right.status_code, wrong.status_code) == (422, 422)
    assert create(login_client, user={"loginName": NUMBER}, password={"password": PASSWORD}).status_code != 201
    assert "code=" in sign_in(flow, prompt="login")["Location"]


@pytest.mark.parametrize("typed", ["0791234567", "41791234567", "791234567", "+4179123456", "+"])
def test_what_is_not_the_whole_number_finds_nobody(house, typed):
    with_number(house)
    assert find_user_by_login(house.instance, typed) is None


def test_p01_a_number_that_is_not_verified_finds_nobody(house):
    with_number(house, verified=False)
    assert find_user_by_login(house.instance, NUMBER) is None


def test_t12_a_number_of_several_people_leads_to_who_proved_it_first(house):
    first = with_number(house)
    other = orgs.add_org(house.system, name="Other").id
    with_number(house, "giga", other)
    assert find_user_by_login(house.instance, NUMBER).id == first
    assert find_user_by_login(house.instance, NUMBER, org_id=other).user_name == "giga"
    for number in range(12):
        with_number(house, f"more-{number}", other)
    assert find_user_by_login(house.instance, NUMBER).id == first
    own(house, "login", disable_login_with_phone=True)  # of the first one's organization
    assert find_user_by_login(house.instance, NUMBER) is None


def test_u03_a_user_name_cannot_be_the_number_of_somebody_else(house):
    id = with_number(house)
    for typed in (NUMBER, "+41 79 123 45 67"):
        with pytest.raises(AlreadyExists):
            house.machine(typed)
    users.rename_user(house.system, user_id=id, user_name=NUMBER)
    assert find_user_by_login(house.instance, NUMBER).id == id


HOME = "https://portal.example/welcome"


def test_a_sign_in_without_application_ends_where_the_settings_say(flow):
    assert flow.web.get(LOGIN)["Location"] == "/ui/console/"
    own(flow.house, "login", default_redirect_uri=HOME)
    begun = flow.web.get(LOGIN)
    request = parse_qs(urlsplit(begun["Location"]).query)["authRequest"][0]
    page = flow.web.get(begun["Location"])
    assert page["Location"].startswith("/ui/v2/login/loginname")
    shown = flow.web.get(page["Location"])
    assert "form-action 'self' https://portal.example" in shown["Content-Security-Policy"]
    submit(flow, "loginname", request, login_name="gigi")
    done = submit(flow, "password", request, password=PASSWORD)
    assert (done.status_code, done["Location"]) == (303, HOME)
    assert not Grant.objects.exists()  # nobody asked for a code
    again = flow.web.get(flow.web.get(LOGIN)["Location"])
    assert again["Location"].startswith("/ui/v2/login/accounts")


@pytest.mark.parametrize(
    ("uri", "end"),
    [
        ("localhost:8080", "http://localhost:8080"),  # what the Terraform provider's documentation sets
        ("127.0.0.1:3000/start", "http://127.0.0.1:3000/start"),
        ("portal.example/{{.Lang}}", "https://portal.example/en"),
        ("portal:8443", "https://portal:8443"),
        ("localhost.evil.example", "https://localhost.evil.example"),
    ],
)
def test_an_end_that_names_no_scheme_is_kept_as_sent_and_gets_one_when_it_is_used(flow, uri, end):
    own(flow.house, "login", default_redirect_uri=uri)
    assert settings_of(flow.house.instance, flow.house.org).login.default_redirect_uri == uri
    request = parse_qs(urlsplit(flow.web.get(LOGIN)["Location"]).query)["authRequest"][0]
    submit(flow, "loginname", request, login_name="gigi")
    assert submit(flow, "password", request, password=PASSWORD)["Location"] == end


def test_l01_such_a_sign_in_belongs_to_the_browser_that_began_it(flow, client):
    own(flow.house, "login", default_redirect_uri=HOME)
    request = parse_qs(urlsplit(flow.web.get(LOGIN)["Location"]).query)["authRequest"][0]
    stranger = client.get(f"/ui/v2/login/loginname?authRequest={request}", headers={"host": "localhost"})
    assert stranger.status_code == 404


def test_n08_requests_that_nobody_ends_do_not_pile_up(flow):
    own(flow.house, "login", default_redirect_uri=HOME)
    flow.web.get(LOGIN)
    AuthRequest.objects.update(expires_at=datetime.now(UTC) - timedelta(hours=2))
    flow.web.get(LOGIN)
    assert AuthRequest.objects.count() == 1


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "//evil.example",
        "/relative",
        "https://",
        "https://a b",
        "http://[",
        "localhost:1@evil.example",
    ],
)
def test_r15_only_an_address_of_the_web_is_kept(house, uri):
    with pytest.raises(InvalidInput):
        own(house, "login", default_redirect_uri=uri)


def test_r15_the_browser_cannot_name_another_end(flow):
    own(flow.house, "login", default_redirect_uri=HOME)
    begun = flow.web.get(f"{LOGIN}?redirect_uri=https://evil.example&next=https://evil.example")
    request = parse_qs(urlsplit(begun["Location"]).query)["authRequest"][0]
    submit(flow, "loginname", request, login_name="gigi")
    assert submit(flow, "password", request, password=PASSWORD)["Location"] == HOME


def aged(flow, days):
    UserRow.objects.filter(id=flow.person).update(password_changed_at=datetime.now(UTC) - timedelta(days=days))


def test_who_signs_in_is_told_that_the_password_expires_soon(flow):
    own(flow.house, "password_age", max_age_days=30, expire_warn_days=5)
    aged(flow, 24)
    assert "code=" in sign_in(flow)["Location"]
    aged(flow, 27.5)
    request = start(flow, prompt="login")
    submit(flow, "loginname", request, login_name="gigi")
    told = submit(flow, "password", request, password=PASSWORD)
    assert told["Location"].startswith("/ui/v2/login/password/expiring")
    page = flow.web.get(told["Location"]).content.decode()
    assert "within 3 days" in page and f"/ui/v2/login/password/change?authRequest={request}" in page
    german = flow.web.get(told["Location"], headers={"accept-language": "de"}).content.decode()
    assert "innerhalb von 3 Tagen" in german
    assert "code=" in submit(flow, "password/expiring", request)["Location"]


def test_the_password_can_be_changed_right_then(flow):
    own(flow.house, "password_age", max_age_days=30, expire_warn_days=5)
    aged(flow, 29.5)
    request = start(flow)
    submit(flow, "loginname", request, login_name="gigi")
    told = submit(flow, "password", request, password=PASSWORD)
    assert "within 1 day." in flow.web.get(told["Location"]).content.decode()
    page = flow.web.get(f"/ui/v2/login/password/change?authRequest={request}").content.decode()
    assert "must be changed" not in page
    new = {"current": PASSWORD, "password": "Newer-Horse-9", "again": "Newer-Horse-9"}
    assert "code=" in submit(flow, "password/change", request, **new)["Location"]


def test_l03_the_note_is_nothing_without_a_sign_in(flow):
    request = start(flow)
    for answer in (
        flow.web.get(f"/ui/v2/login/password/expiring?authRequest={request}"),
        submit(flow, "password/expiring", request),
    ):
        assert answer["Location"].startswith("/ui/v2/login/loginname")


def test_the_days_before_the_end_are_told_over_the_api(flow, api):
    own(flow.house, "password_age", max_age_days=30, expire_warn_days=5)
    told = api.get(f"/v2/settings/password/expiry?ctx.orgId={flow.house.org}").json()["settings"]
    assert (told["maxAgeDays"], told["expireWarnDays"]) == ("30", "5")


def secrets_of(house):
    project = projects.add_project(house.system, org_id=house.org, name="p").id
    app = projects.add_api_app(house.system, project_id=project, name="a")
    robot, _ = house.machine("robot")
    return [
        app.secret,
        projects.change_app_secret(house.system, project_id=project, app_id=app.id).secret,
        users.set_machine_secret(house.system, user_id=robot).secret,
    ]


def test_secrets_of_applications_and_service_users_are_drawn_as_the_instance_says(house, web):
    default(house, "generator_6", length=40, include_upper_letters=False, include_lower_letters=False)
    made = secrets_of(house)
    assert all(re.fullmatch(r"\d{40}", one) for one in made)
    form = {"grant_type": "client_credentials", "scope": "openid", "client_id": "robot", "client_secret": made[-1]}
    assert post_form(web, "/oauth/v2/token", form).status_code == 200


def test_secrets_are_as_before_where_nothing_is_said(house):
    assert all(re.fullmatch(r"[A-Za-z0-9]{64}", one) for one in secrets_of(house))


def test_symbols_in_a_secret_travel_as_they_are(house, web):
    default(house, "generator_6", include_digits=False, include_upper_letters=False, include_symbols=True)
    assert all(re.fullmatch(r"[a-z._~-]{64}", one) for one in secrets_of(house))


def test_d03_a_secret_cannot_be_made_guessable(house):
    with pytest.raises(InvalidInput, match="length"):
        default(house, "generator_6", length=16)
    with pytest.raises(InvalidInput, match="length"):
        default(house, "generator_6", length=20, include_upper_letters=False, include_lower_letters=False)
    default(house, "generator_6", length=20)


def acting(house, public_host=""):
    headers = {"authorization": f"Bearer {house.pat}"}
    return context_for(RequestMeta(host="localhost", headers=headers, public_host=public_host))


def link_of(house, ctx):
    from users.commands.codes import Wish, request_password_code

    Message.objects.all().delete()
    request_password_code(ctx, user_id=UserRow.objects.get(user_name="gigi").id, wish=Wish())
    return opened(house.system, Message.objects.get()).body


def test_h01_links_lead_to_a_trusted_domain_when_the_caller_names_it(house):
    house.person()
    with pytest.raises(NotFound, match="domain_not_found"):
        acting(house, "Login.example:8443")
    instances.trust_domain(house.system, domain="login.example")
    assert "http://login.example/ui/v2/login/password/set" in link_of(house, acting(house, "Login.example:8443"))
    assert "http://localhost/ui/v2/login/password/set" in link_of(house, acting(house))
    assert "http://localhost/ui/v2/login/password/set" in link_of(house, acting(house, "localhost"))
    instances.distrust_domain(house.system, domain="login.example")
    with pytest.raises(NotFound):
        acting(house, "login.example")


def test_h01_a_trusted_domain_is_no_issuer_and_leads_nowhere_itself(house, web):
    instances.trust_domain(house.system, domain="login.example")
    told = web.get("/.well-known/openid-configuration", headers={"x-zitadel-public-host": "login.example"}).json()
    assert told["issuer"] == "http://localhost"
    with pytest.raises(NotFound):
        context_for(RequestMeta(host="login.example"))


def test_h01_a_domain_that_another_instance_trusts_is_not_trusted_here(house):
    from iam.access.caller import system_context

    other = system_context("999999999999999999", base_url="http://other.example")
    instances.add_instance(other, name="Other", domains=("other.example",))
    instances.trust_domain(other, domain="login.example")
    for host in ("login.example", "other.example"):
        with pytest.raises(NotFound):
            acting(house, host)
