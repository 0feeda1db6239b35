"""Where settings take effect: sign-in, passwords, login names, codes, mails, domains, tokens, the pages' look."""

from datetime import UTC, datetime, timedelta

import pytest

from eventstore.portable import facts_of_instance
from iam.instance import setting_commands as commands
from iam.instance.commands import set_default_language
from iam.instance.domain.kinds import KINDS
from iam.instance.settings import settings_of
from iam.kernel.errors import InvalidInput
from iam.login.look import links_of
from iam.outbox.models import Message
from iam.settings.tree import DefaultInstanceSection, LabelPolicySection, LockoutSection, LoginPolicySection
from iam.setup.first_instance import _settings
from iam.vault import wiring
from orgs import commands as orgs
from orgs.models import OrgDomainRow
from orgs.settings import of_org
from projections.projection import projection
from tests.api.test_recipes import post_form
from tests.login.test_login import sign_in, start, submit
from tests.oidc.support import make_flow
from tests.users.test_sessions_api import create, login_client  # noqa: F401 - a fixture
from users import commands as users
from users.commands import codes
from users.commands.codes import Wish
from users.commands.sessions import must_know_password
from users.models import CodeRow, UserRow
from users.queries import find_user_by_login

PASSWORD = "Correct-Horse-9"


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


def own(house, kind, **values):
    """Give the first organization settings of its own."""
    complete = {
        name: getattr(settings_of(house.instance).resolve(KINDS[kind]).values, name) for name in KINDS[kind].fields()
    }
    commands.add_setting(house.system, of_org(house.org, kind), kind=kind, values={**complete, **values})


def default(house, kind, **values):
    """Change a default of the instance."""
    commands.change_setting(house.system, commands.of_instance(house.system), kind=kind, values=values)


def test_l07_passwords_that_are_switched_off_are_refused_at_every_door(flow, login_client):  # noqa: F811
    own(flow.house, "login", allow_username_password=False)
    wrong, right = sign_in(flow, password="wrong-one"), sign_in(flow)
    assert (wrong.status_code, right.status_code) == (422, 422)
    page = flow.web.get(right.wsgi_request.path, {"authRequest": start(flow)})
    assert b'name="password"' not in page.content
    refused = create(login_client, user={"loginName": "gigi"}, password={"password": PASSWORD})
    assert refused.status_code == 400
    with pytest.raises(InvalidInput):
        users.change_own_password(flow.house.system, user_id=flow.person, current=PASSWORD, password="Other-Horse-1")


def test_an_organization_of_its_own_accepts_passwords_where_the_instance_does_not(flow):
    default(flow.house, "login", allow_username_password=False)
    own(flow.house, "login", allow_username_password=True)
    assert sign_in(flow)["Location"].startswith("https://app.example/cb?code=")


def test_passwords_follow_the_rules_of_the_users_organization(house):
    other = orgs.add_org(house.system, name="Other").id
    own(house, "password_complexity", min_length=20)
    with pytest.raises(InvalidInput, match="too_short"):
        house.person("gigi")
    id = house.person("giga", other)
    users.set_password(house.system, user_id=id, password="Short-Horse-1")
    own_rules = house.person("gigo", password="Very-Long-Correct-Horse-9")
    with pytest.raises(InvalidInput, match="too_short"):
        users.set_password(house.system, user_id=own_rules, password="Short-Horse-1")


def test_a_password_that_is_too_old_must_be_changed_before_anything_else(flow):
    own(flow.house, "password_age", max_age_days=30)
    assert "code=" in sign_in(flow)["Location"]
    UserRow.objects.filter(id=flow.person).update(password_changed_at=datetime.now(UTC) - timedelta(days=31))
    request = start(flow, prompt="login")
    submit(flow, "loginname", request, login_name="gigi")
    answer = submit(flow, "password", request, password=PASSWORD)
    assert answer["Location"].startswith("/ui/v2/login/password/change")
    silent = flow.authorize(prompt="none")
    assert "code=" not in silent["Location"]
    changed = submit(
        flow, "password/change", request, current=PASSWORD, password="Newer-Horse-9", again="Newer-Horse-9"
    )
    assert "code=" in changed["Location"]


def test_the_lockout_of_the_organization_counts_and_is_told_to_who_knows_the_password_only(flow):
    own(flow.house, "lockout", max_password_attempts=2)
    for _ in range(2):
        sign_in(flow, password="wrong-one")
    assert UserRow.objects.get(id=flow.person).state == 4
    guessed, known = sign_in(flow, password="wrong-one"), sign_in(flow)
    assert b"locked" not in guessed.content and b"The user is locked" in known.content
    assert known.status_code == 422


def test_a_lockout_may_stay_untold(flow):
    own(flow.house, "lockout", max_password_attempts=1, show_lock_out_failures=False)
    sign_in(flow, password="wrong-one")
    assert b"locked" not in sign_in(flow).content


def test_login_names_end_with_the_domain_where_the_organization_asks_for_it(house):
    id = house.person("gigi")
    at, _ = house.machine("giga@mail.example")
    commands.add_setting(
        house.system, of_org(house.org, "domain"), kind="domain", values={"user_login_must_be_domain": True}
    )
    names = dict(UserRow.objects.filter(id__in=(id, at)).values_list("id", "preferred_login_name"))
    assert names == {id: "gigi@zitadel.localhost", at: "giga@mail.example@zitadel.localhost"}
    assert find_user_by_login(house.instance, "gigi") is None
    assert find_user_by_login(house.instance, "gigi@zitadel.localhost").id == id
    new, _ = house.machine("gigo@mail.example")
    assert UserRow.objects.get(id=new).preferred_login_name == "gigo@mail.example@zitadel.localhost"
    commands.reset_setting(house.system, of_org(house.org, "domain"), kind="domain")
    assert UserRow.objects.get(id=at).preferred_login_name == "giga@mail.example"
    assert find_user_by_login(house.instance, "gigi").id == id


def test_an_address_is_no_login_name_where_that_is_switched_off(house):
    id = house.person("gigi")
    assert find_user_by_login(house.instance, "gigi@example.com").id == id
    own(house, "login", disable_login_with_email=True)
    assert find_user_by_login(house.instance, "gigi@example.com") is None
    assert find_user_by_login(house.instance, "gigi").id == id


def test_domains_need_a_proof_where_the_policy_says_so(house):
    orgs.add_org_domain(house.system, org_id=house.org, domain="a.example")
    default(house, "domain", validate_org_domains=True)
    orgs.add_org_domain(house.system, org_id=house.org, domain="b.example")
    found = dict(OrgDomainRow.objects.filter(domain__endswith=".example").values_list("domain", "is_verified"))
    assert found == {"a.example": True, "b.example": False}


def test_the_way_to_a_new_password_can_be_hidden(flow):
    link = b"/ui/v2/login/password/reset"
    request = start(flow)
    submit(flow, "loginname", request, login_name="gigi")
    page = f"/ui/v2/login/password?authRequest={request}"
    assert link in flow.web.get(page).content
    own(flow.house, "login", hide_password_reset=True)
    assert link not in flow.web.get(page).content
    assert flow.web.post("/ui/v2/login/password/reset", {"login_name": "gigi"}).status_code == 403
    assert not Message.objects.exists()


@pytest.mark.parametrize(("told", "mails"), [(True, 1), (False, 0)])
def test_people_are_told_of_a_new_password_unless_the_organization_says_no(house, told, mails):
    id = house.person("gigi")
    own(house, "notification", password_change=told)
    users.set_password(house.system, user_id=id, password="Other-Horse-1")
    for fact in facts_of_instance(
        wiring.store(), house.instance
    ):  # the horizon does not move inside a test's transaction
        projection("notices").apply(fact)
    assert Message.objects.filter(topic="password_changed").count() == mails


def test_codes_are_drawn_as_the_instance_says(house):
    id = house.person("gigi")
    default(house, "generator_4", length=12, include_upper_letters=False, expiry=timedelta(minutes=2))
    code = codes.request_password_code(house.system, user_id=id, wish=Wish(returned=True)).code
    assert len(code) == 12 and code.isdigit()
    row = CodeRow.objects.get(user_id=id)
    assert row.expires_at - row.created_at == timedelta(minutes=2)
    default(house, "generator_4", include_lower_letters=True, include_digits=False)
    code = codes.request_password_code(house.system, user_id=id, wish=Wish(returned=True)).code
    assert code.islower()
    users.set_password_by_code(house.system, user_id=id, code=code, password="Other-Horse-1")
    must_know_password(house.system, user_id=id, password="Other-Horse-1")


def test_tokens_live_as_long_as_the_instance_says(flow):
    default(flow.house, "oidc", access_token_lifetime=timedelta(minutes=7))
    id, _ = flow.house.machine("robot")
    secret = users.set_machine_secret(flow.house.system, user_id=id).secret
    form = {"grant_type": "client_credentials", "scope": "openid", "client_id": "robot", "client_secret": secret}
    assert post_form(flow.web, "/oauth/v2/token", form).json()["expires_in"] == 420


def test_h05_links_and_colours_of_the_organization_are_on_the_login_pages(flow):
    own(flow.house, "privacy", tos_link="https://acme.example/{{.Lang}}/tos", support_email="help@acme.example")
    own(flow.house, "label", primary_color="#00ff00", disable_watermark=True)
    page = f"/ui/v2/login/loginname?authRequest={start(flow)}"
    before = flow.web.get(page)
    assert b"https://acme.example/en/tos" in before.content and b"mailto:help@acme.example" in before.content
    assert b"/ui/v2/branding/" not in before.content  # prepared, not shown
    commands.activate_label(flow.house.system, of_org(flow.house.org))
    after = flow.web.get(page).content.decode()
    assert "Gatehouse" not in after
    sheet = after.split('<link rel="stylesheet" href="')[2].split('"')[0]
    styles = flow.web.get(sheet)
    assert styles["Content-Type"].startswith("text/css") and "--main:#00ff00" in styles.content.decode()
    assert "--main-ink:#000000" in styles.content.decode()
    assert "style-src 'self'" in styles["Content-Security-Policy"]
    assert flow.web.get("/ui/v2/branding/123/1.css").status_code == 200  # an unknown one looks like the product


def test_h09_login_pages_are_framed_by_named_origins_only(flow):
    page = f"/ui/v2/login/loginname?authRequest={start(flow)}"
    assert "frame-ancestors 'none'" in flow.web.get(page)["Content-Security-Policy"]
    default(flow.house, "security", enable_iframe_embedding=True, allowed_origins=("https://shop.example",))
    framed = flow.web.get(page)
    assert "frame-ancestors https://shop.example;" in framed["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed
    assert flow.web.get("/ui/console/")["X-Frame-Options"] == "DENY"


def test_languages_that_are_not_allowed_are_not_offered(flow):
    commands.set_restrictions(flow.house.system, values={"allowed_languages": ("en", "de")})
    page = flow.web.get(f"/ui/v2/login/loginname?authRequest={start(flow)}").content.decode()
    assert "Deutsch" in page and "Español" not in page


@pytest.mark.parametrize(
    ("default", "allowed", "wished", "word"),
    [
        ("en", ("en", "de"), "es", "Sign in"),
        ("de", ("en", "de"), "es", "Anmelden"),
        ("de", ("es",), "de", "Iniciar sesión"),
        ("es", (), "fr", "Iniciar sesión"),
        ("es", (), "de", "Anmelden"),
    ],
)
def test_pages_speak_a_wished_language_that_is_allowed_else_that_of_the_instance(flow, default, allowed, wished, word):
    set_default_language(flow.house.system, language=default)
    commands.set_restrictions(flow.house.system, values={"allowed_languages": allowed})
    flow.web.defaults["HTTP_ACCEPT_LANGUAGE"] = wished
    page = f"/ui/v2/login/loginname?authRequest={start(flow, ui_locales=wished)}&lang={wished}"
    assert word in flow.web.get(page).content.decode()


def test_links_without_an_address_are_not_shown():
    assert links_of(KINDS["privacy"].values(custom_link="https://x.example"), "en") == [
        {"text": "https://x.example", "to": "https://x.example"}
    ]


def test_the_configuration_gives_defaults_at_set_up():
    section = DefaultInstanceSection(
        LoginPolicy=LoginPolicySection(ForceMFA=True, AllowExternalIDP=False),
        LockoutPolicy=LockoutSection(ShouldShowLockoutFailure=False, MaxOTPAttempts=4),
        LabelPolicy=LabelPolicySection(PrimaryColor="#abcdef"),
    )
    assert _settings(section) == {
        "login": {"force_mfa": True, "allow_external_idp": False},
        "lockout": {"show_lock_out_failures": False, "max_otp_attempts": 4},
        "label": {"primary_color": "#abcdef"},
    }
    assert _settings(DefaultInstanceSection()) == {}
