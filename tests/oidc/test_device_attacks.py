"""Attacks of the security checklist on the device grant, one test per clause."""

from datetime import timedelta

import pytest
from django.conf import settings

from iam.access.caller import RequestMeta, context_of_nobody
from iam.kernel.errors import FailedPrecondition, NotFound, PermissionDenied, ResourceExhausted
from oidc import device_start, devices
from oidc.models import AccessToken, DeviceAuthorization
from orgs import commands as orgs
from projects import commands as projects
from projects.domain.project import OidcConfig
from tests.oidc.support import make_tv
from users import commands as users
from users.commands import sessions
from users.models import AttemptRow


@pytest.fixture
def tv(house, web):
    return make_tv(house, web)


def waited(tv, seconds):
    """As if the last question were so many seconds ago."""
    DeviceAuthorization.objects.update(polled_at=tv.flow.house.system.now() - timedelta(seconds=seconds))


def test_c15_who_asks_too_often_waits_longer_from_then_on(tv):
    tv.start()
    assert tv.poll().json()["error"] == "authorization_pending"
    answer = tv.poll()
    assert (answer.status_code, answer.json()["error"]) == (400, "slow_down")
    assert tv.row.interval == 10
    waited(tv, 6)
    assert tv.poll().json()["error"] == "slow_down", "five seconds more, for this and all that follow (RFC 8628 §3.5)"
    waited(tv, 15)
    assert tv.poll().json()["error"] == "authorization_pending"
    tv.approve()
    assert "access_token" in tv.poll().json(), "an answer that is there is given at once"


def test_c15_a_device_is_decided_about_once(house, tv):
    for first in ("approve", "deny"):
        tv.start()
        id = tv.row.id
        tv.approve() if first == "approve" else devices.deny(house.system, id)
        state = tv.row.state
        with pytest.raises(NotFound):
            devices.approve(house.system, id, tv.flow.session())
        with pytest.raises(NotFound):
            devices.deny(house.system, id)
        assert tv.row.state == state
        with pytest.raises(NotFound):
            devices.get_by_user_code(house.system, tv.started["user_code"])


def test_c15_a_code_is_good_once(tv):
    tv.start()
    tv.approve()
    assert "access_token" in tv.poll().json()
    answer = tv.poll()
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert AccessToken.objects.count() == 1


def test_c15_a_device_code_of_another_client_issuer_or_tenant_is_unknown(house, tv):
    from iam.access.caller import system_context
    from iam.instance import commands as instance

    config = OidcConfig(application_type=2, grant_types=(3,), auth_method_type=2)
    other = projects.add_oidc_app(house.system, project_id=tv.flow.project, name="Radio", config=config)
    tv.start()
    tv.approve()
    assert tv.poll(client_id=other.client_id).json()["error"] == "invalid_grant"
    for wrong in ("x", tv.started["user_code"]):
        assert tv.poll(device_code=wrong).json()["error"] == "invalid_grant"
    instance.add_domain(house.system, domain="second.example")
    tv.flow.web.defaults["HTTP_HOST"] = "second.example"
    assert tv.poll().json()["error"] == "invalid_grant"
    foreign = system_context("999999999999999998", base_url="http://localhost")
    with pytest.raises(NotFound):
        devices.get_waiting(foreign, tv.row.id)
    tv.flow.web.defaults["HTTP_HOST"] = "localhost"
    assert "access_token" in tv.poll().json()


@pytest.mark.parametrize("name", ["device_code", "client_secret"])
def test_c08_secrets_in_the_address_are_refused(tv, name):
    tv.start()
    for path in ("/oauth/v2/token", "/oauth/v2/device_authorization"):
        answer = tv.flow.form(f"{path}?{name}=x", {"client_id": tv.client_id})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def someone_at(house, address):
    return context_of_nobody(RequestMeta(host="localhost", remote_addr=address), house.instance)


def test_c15_guessing_user_codes_is_stopped_for_the_address(house, tv):
    tv.start()
    ctx = someone_at(house, "192.0.2.7")
    for _ in range(settings.CONFIG.RateLimits.Client.Burst):
        with pytest.raises(NotFound):
            devices.guess_user_code(ctx, "BBBB-BBBB")
    with pytest.raises(ResourceExhausted):
        devices.guess_user_code(ctx, tv.started["user_code"])
    assert devices.guess_user_code(someone_at(house, "192.0.2.8"), tv.started["user_code"]).id == tv.row.id


def test_c15_p03_guessing_is_stopped_for_a_network_and_a_person_on_any_process(house, tv, monkeypatch):
    """Counted in the database: also when the buckets of a process know nothing."""
    monkeypatch.setattr(settings.CONFIG.RateLimits, "Enabled", False)
    tv.start()
    for number in range(6):
        person = "p" if number < 5 else ""
        with pytest.raises(NotFound):
            devices.guess_user_code(someone_at(house, f"192.0.2.{number}"), "BBBB-BBBB", person=person)
    with pytest.raises(ResourceExhausted):
        devices.guess_user_code(someone_at(house, "192.0.2.99"), tv.started["user_code"], person="p")
    monkeypatch.setattr(devices, "FREE_OF_NETWORK", 7)
    with pytest.raises(NotFound):
        devices.guess_user_code(someone_at(house, "192.0.2.100"), "BBBB-BBBB")
    with pytest.raises(ResourceExhausted):
        devices.guess_user_code(someone_at(house, "192.0.2.101"), tv.started["user_code"])
    assert devices.guess_user_code(someone_at(house, "198.51.100.1"), tv.started["user_code"], person="p").id


def test_c15_right_codes_of_ones_own_give_no_guesses_back(house, tv, monkeypatch):
    monkeypatch.setattr(settings.CONFIG.RateLimits, "Enabled", False)
    tv.start()
    ctx = someone_at(house, "192.0.2.7")
    for _ in range(4):
        with pytest.raises(NotFound):
            devices.guess_user_code(ctx, "BBBB-BBBB", person="p")
        devices.guess_user_code(ctx, tv.started["user_code"], person="p")
    assert sorted(AttemptRow.objects.values_list("failures", flat=True)) == [4, 4]


@pytest.mark.parametrize("check", ["project_role_check", "has_project_check"])
def test_c15_the_project_admits_by_the_same_rules_as_in_the_code_flow(house, tv, check):
    elsewhere = orgs.add_org(house.system, name="Elsewhere").id
    projects.change_project(house.system, project_id=tv.flow.project, settings={check: True})
    stranger = house.person("bert", org=elsewhere)
    tv.flow.person = stranger
    tv.start()
    with pytest.raises(PermissionDenied):
        tv.approve()
    answer = tv.poll()
    assert (answer.status_code, answer.json()["error"]) == (400, "access_denied")


def test_c15_the_organization_of_a_scope_is_demanded_here_too(house, tv):
    elsewhere = orgs.add_org(house.system, name="Elsewhere").id
    tv.start(scope=f"openid urn:zitadel:iam:org:id:{elsewhere}")
    with pytest.raises(FailedPrecondition):
        tv.approve()
    assert tv.poll().json()["error"] == "authorization_pending"


@pytest.mark.parametrize("end", ["user", "org", "session"])
def test_c15_l10_who_is_stopped_between_yes_and_tokens_gets_none(house, tv, end):
    elsewhere = orgs.add_org(house.system, name="Elsewhere").id
    tv.flow.person = house.person("bert", org=elsewhere)
    session = tv.flow.session()
    tv.start()
    tv.approve(session)
    match end:
        case "user":
            users.deactivate_user(house.system, user_id=tv.flow.person)
        case "org":
            orgs.deactivate_org(house.system, org_id=elsewhere)
        case "session":
            sessions.terminate_session(house.system, session_id=session)
    assert tv.poll().json()["error"] == "invalid_grant"
    assert not AccessToken.objects.exists()


def test_d07_devices_of_a_stopped_client_are_dead_at_once(house, tv):
    tv.start()
    code, id = tv.started["user_code"], tv.row.id
    started = dict(tv.started)
    tv.start()
    tv.approve()
    projects.deactivate_app(house.system, project_id=tv.flow.project, app_id=tv.app)
    assert (tv.poll().status_code, tv.poll().json()["error"]) == (401, "invalid_client")
    with pytest.raises(NotFound):
        devices.get_by_user_code(house.system, code)
    with pytest.raises(NotFound):
        devices.approve(house.system, id, tv.flow.session())
    assert tv.start().status_code == 401
    tv.started = started
    assert tv.poll().json()["error"] == "invalid_client"


def test_n08_devices_that_wait_are_limited_for_address_and_client(house, tv, monkeypatch):
    monkeypatch.setattr(device_start, "MOST_OF_SOURCE", 3)
    assert [tv.start().status_code for _ in range(3)] == [200] * 3
    refused = tv.start()
    assert (refused.status_code, refused.json()["error"]) == (429, "temporarily_unavailable")
    assert int(refused["Retry-After"]) > 0 and DeviceAuthorization.objects.count() == 3
    DeviceAuthorization.objects.update(source="198.51.100.1")
    assert tv.start().status_code == 200, "another address"
    monkeypatch.setattr(device_start, "MOST_OF_CLIENT", 4)
    DeviceAuthorization.objects.update(source="198.51.100.1")
    assert tv.start().status_code == 429, "wherever they are"
    DeviceAuthorization.objects.update(expires_at=house.system.now())
    assert tv.start().status_code == 200


def test_n08_devices_are_forgotten_by_those_that_follow(house, tv):
    tv.start()
    DeviceAuthorization.objects.update(expires_at=house.system.now() - timedelta(minutes=4))
    assert tv.poll().json()["error"] == "expired_token"
    DeviceAuthorization.objects.update(expires_at=house.system.now() - timedelta(minutes=6))
    first = dict(tv.started)
    tv.start()
    assert DeviceAuthorization.objects.count() == 1
    tv.started = first
    assert tv.poll().json()["error"] == "invalid_grant"


def test_n08_starting_is_counted_on_the_address(tv, monkeypatch):
    monkeypatch.setattr(settings.CONFIG.RateLimits.Address, "Burst", 5)
    monkeypatch.setattr(settings.CONFIG.RateLimits.Address, "PerSecond", 0.001)
    statuses = [tv.start().status_code for _ in range(7)]
    assert statuses.count(200) <= 5 and statuses[-1] == 429


def test_d10_scripts_of_registered_origins_may_start_a_device(house, web):
    tv = make_tv(house, web, additional_origins=("https://tv.example",))
    form = {"client_id": tv.client_id, "scope": "openid"}
    path = "/oauth/v2/device_authorization"
    assert tv.flow.form(path, form, origin="https://tv.example")["Access-Control-Allow-Origin"] == "https://tv.example"
    assert "Access-Control-Allow-Origin" not in tv.flow.form(path, form, origin="https://evil.example")
