"""The device grant (RFC 8628): a device asks, a person decides, the device gets tokens; both doors of the decision."""

import base64
import json
import re
from datetime import timedelta

import pytest
from django.conf import settings

from eventstore.models import ActivityRow
from iam.instance import commands as instance
from iam.settings.tree import UserCodeSection
from oidc import cleaning, devices, user_codes
from oidc.models import DeviceAuthorization
from projects import commands as projects
from tests.conftest import Api
from tests.oidc.support import DEVICE, make_tv
from users import commands as users
from users.commands import sessions

PASSWORD = "Correct-Horse-9"


@pytest.fixture
def tv(house, web):
    return make_tv(house, web)


@pytest.fixture
def login_client(house):
    """The service user of a login of one's own."""
    id, token = house.machine("login")
    instance.add_member(house.system, user_id=id, roles=("IAM_LOGIN_CLIENT",))
    return Api(token)


def test_a_device_is_told_what_to_show_and_how_to_wait(tv):
    answer = tv.start()
    told = answer.json()
    assert answer.status_code == 200 and answer["Cache-Control"] == "no-store"
    assert set(told) == {
        *("device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval")
    }
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", told["user_code"])
    assert told["verification_uri"] == "http://localhost/device"
    assert told["verification_uri_complete"] == f"http://localhost/device?user_code={told['user_code']}"
    assert (told["expires_in"], told["interval"]) == (300, 5)


def test_discovery_tells_of_devices(tv):
    told = tv.flow.web.get("/.well-known/openid-configuration").json()
    assert told["device_authorization_endpoint"] == "http://localhost/oauth/v2/device_authorization"
    assert DEVICE in told["grant_types_supported"]


def test_no_code_is_kept_in_clear(tv):
    told = tv.start().json()
    kept = str(DeviceAuthorization.objects.values().get())
    assert told["device_code"] not in kept
    assert told["user_code"] not in kept and told["user_code"].replace("-", "") not in kept


def test_after_the_yes_the_device_has_the_tokens_of_the_code_flow(tv):
    tv.start()
    assert tv.poll().json()["error"] == "authorization_pending"
    session = tv.flow.session()
    tv.approve(session)
    tokens = tv.poll().json()
    assert tokens["token_type"] == "Bearer" and tokens["expires_in"] == 12 * 3600
    assert tokens["scope"] == "openid profile email offline_access"
    claims = json.loads(base64.urlsafe_b64decode(tokens["id_token"].split(".")[1] + "=="))
    assert (claims["sub"], claims["azp"], claims["sid"]) == (tv.flow.person, tv.client_id, session)
    assert claims["auth_time"] and claims["amr"] == ["pwd"] and "nonce" not in claims
    assert tv.flow.userinfo(tokens["access_token"]).json()["email"] == "gigi@example.com"
    again = tv.flow.refresh(tokens["refresh_token"], client_id=tv.client_id).json()
    assert again["refresh_token"] != tokens["refresh_token"]
    assert tv.flow.userinfo(again["access_token"]).status_code == 200


def test_scopes_decide_on_id_token_and_refresh_token_and_unknown_ones_are_dropped(house, tv):
    for scope, answered in (
        (None, {"access_token"}),
        ("profile nonsense", {"access_token"}),
        ("openid", {"access_token", "id_token"}),
        ("openid offline_access", {"access_token", "id_token", "refresh_token"}),
    ):
        tv.start(scope=scope)
        tv.approve()
        told = tv.poll().json()
        assert set(told) - {"token_type", "expires_in", "scope"} == answered
        assert "nonsense" not in told["scope"]


def test_without_the_refresh_grant_there_is_no_refresh_token(house, web):
    tv = make_tv(house, web, grant_types=(3,))
    tv.start()
    tv.approve()
    assert "refresh_token" not in tv.poll().json()


def test_roles_are_told_as_in_the_code_flow(house, tv):
    projects.add_role(house.system, project_id=tv.flow.project, key="viewer")
    projects.add_authorization(
        house.system, org_id=house.org, user_id=tv.flow.person, project_id=tv.flow.project, roles=("viewer",)
    )
    tv.start(scope="openid urn:zitadel:iam:org:projects:roles")
    tv.approve()
    told = tv.flow.userinfo(tv.poll().json()["access_token"]).json()
    assert [*told["urn:zitadel:iam:org:project:roles"]] == ["viewer"]


def test_a_no_is_told_to_the_device(house, tv):
    tv.start()
    devices.deny(house.system, tv.row.id)
    answer = tv.poll()
    assert (answer.status_code, answer.json()["error"]) == (400, "access_denied")


@pytest.mark.parametrize("approved", [False, True])
def test_when_its_time_is_up_a_device_is_told_so(house, tv, approved):
    tv.start()
    if approved:
        tv.approve()
    DeviceAuthorization.objects.update(expires_at=house.system.now())
    answer = tv.poll()
    assert (answer.status_code, answer.json()["error"]) == (400, "expired_token")


def test_the_way_a_client_authenticates_counts_at_both_endpoints(house, web):
    tv = make_tv(house, web, application_type=0, auth_method_type=0)
    assert tv.start().status_code == 401
    basic = "Basic " + base64.b64encode(f"{tv.client_id}:{tv.secret}".encode()).decode()
    tv.started = tv.flow.form("/oauth/v2/device_authorization", {"scope": "openid"}, authorization=basic).json()
    tv.approve()
    assert tv.poll().status_code == 401
    form = {"grant_type": DEVICE, "device_code": tv.started["device_code"]}
    assert "access_token" in tv.flow.form("/oauth/v2/token", form, authorization=basic).json()


def test_a_client_without_the_grant_may_not_start_nor_poll(house, tv):
    answer = tv.start(client_id=tv.flow.client_id)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    tv.start()
    tv.approve()
    projects.change_oidc_app(house.system, project_id=tv.flow.project, app_id=tv.app, changes={"grant_types": (0,)})
    assert tv.poll().json()["error"] == "unauthorized_client"


def test_what_somebody_decided_is_shown_as_activity_and_no_fact_is_made(house, tv):
    from eventstore.models import EventRow

    tv.start()
    tv.approve()
    tv.poll()
    tv.start()
    devices.deny(house.system, tv.row.id, actor=tv.flow.person)
    noted = ActivityRow.objects.filter(aggregate_type="device_auth").order_by("created_at")
    assert [(row.event_type.rsplit(".", 1)[1], row.actor, row.owner) for row in noted] == [
        ("approved", tv.flow.person, house.org),
        ("done", tv.flow.person, house.org),
        ("canceled", tv.flow.person, house.org),
    ]
    assert noted[0].payload["UserID"] == tv.flow.person and noted[2].payload == {"Reason": "denied"}
    assert not EventRow.objects.filter(aggregate_type="device_auth").exists()


def test_devices_whose_time_is_long_up_are_removed(house, tv):
    tv.start()
    DeviceAuthorization.objects.update(expires_at=house.system.now() - timedelta(days=2))
    cleaning.remove_expired()
    assert not DeviceAuthorization.objects.exists()


def test_the_operator_sets_lifetime_interval_and_code(tv, monkeypatch):
    shape = UserCodeSection(CharSet="0123456789", CharAmount=9, DashInterval=3)
    asked = {"Lifetime": timedelta(minutes=2), "PollInterval": timedelta(seconds=7), "UserCode": shape}
    own = settings.CONFIG.OIDC.DeviceAuth.model_copy(update=asked)
    monkeypatch.setattr(settings.CONFIG.OIDC, "DeviceAuth", own)
    told = tv.start().json()
    assert (told["expires_in"], told["interval"]) == (120, 7)
    assert re.fullmatch(r"\d{3}-\d{3}-\d{3}", told["user_code"])
    assert devices.get_by_user_code(tv.flow.house.system, told["user_code"].replace("-", " ")).id == tv.row.id


def test_a_taken_code_is_drawn_again(tv, monkeypatch):
    codes = iter(["BBBB-BBBB", "BBBB-BBBB", "CCCC-CCCC"])
    monkeypatch.setattr(user_codes, "draw", lambda shape: next(codes))
    assert tv.start().json()["user_code"] == "BBBB-BBBB"
    assert tv.start().json()["user_code"] == "CCCC-CCCC"


@pytest.mark.parametrize(
    ("signs", "typed", "counts"),
    [
        ("BCDFGHJKLM", "bcdf-ghjk", "BCDFGHJK"),
        ("BCDFGHJKLM", " bcdf ghjk\u2013", "BCDFGHJK"),
        ("abcdefghij", "ABCD", "abcd"),
        ("abcdeABCDE", "aB-cD", "aBcD"),
        ("0123456789", "12 34.5", "12345"),
    ],
)
def test_what_counts_of_a_typed_code(signs, typed, counts):
    assert user_codes.bare(typed, UserCodeSection(CharSet=signs)) == counts


def test_dashes_divide_a_code():
    shown = user_codes.draw(UserCodeSection(CharAmount=10, DashInterval=4))
    assert [len(part) for part in shown.split("-")] == [4, 4, 2]
    assert "-" not in user_codes.draw(UserCodeSection(DashInterval=0))


def proof(login_client, person, **checks):
    checks = {"user": {"userId": person}, "password": {"password": PASSWORD}, **checks}
    made = login_client.post(
        "/v2/sessions", {"checks": {name: value for name, value in checks.items() if value}}
    ).json()
    return {"sessionId": made["sessionId"], "sessionToken": made["sessionToken"]}


def test_a_login_of_ones_own_reads_what_a_device_asks_and_lets_it_in(tv, login_client):
    code = tv.start().json()["user_code"]
    asked = login_client.get(f"/v2/oidc/device_authorization/{code}").json()["deviceAuthorizationRequest"]
    assert asked == {
        "id": tv.row.id,
        "clientId": tv.client_id,
        "scope": ["openid", "profile", "email", "offline_access"],
        "appName": "Television",
        "projectName": "shop",
    }
    path = f"/v2/oidc/device_authorization/{asked['id']}"
    session = proof(login_client, tv.flow.person)
    wrong = login_client.post(path, {"session": {**session, "sessionToken": "x"}})
    assert (wrong.status_code, wrong.json()["code"]) == (403, 7)
    assert login_client.post(path, {"session": session}).json() == {}
    assert tv.flow.userinfo(tv.poll().json()["access_token"]).json()["sub"] == tv.flow.person
    assert login_client.get(f"/v2/oidc/device_authorization/{code}").status_code == 404
    assert login_client.post(path, {"session": session}).status_code == 404


def test_a_login_of_ones_own_turns_a_device_away(tv, login_client):
    tv.start()
    path = f"/v2/oidc/device_authorization/{tv.row.id}"
    assert login_client.post(path, {}).status_code == 400
    assert login_client.post(path, {"deny": {}}).status_code == 200
    assert tv.poll().json()["error"] == "access_denied"


def test_l03_a_session_that_proved_no_password_lets_no_device_in(tv, login_client):
    tv.start()
    path = f"/v2/oidc/device_authorization/{tv.row.id}"
    refused = login_client.post(path, {"session": proof(login_client, tv.flow.person, password=None)})
    assert (refused.status_code, refused.json()["code"]) == (400, 9)
    assert tv.poll().json()["error"] == "authorization_pending"


def test_a_password_that_must_be_changed_lets_no_device_in(house, tv, login_client):
    users.set_password(house.system, user_id=tv.flow.person, password=PASSWORD + "9", change_required=True)
    tv.start()
    session = proof(login_client, tv.flow.person, password={"password": PASSWORD + "9"})
    path = f"/v2/oidc/device_authorization/{tv.row.id}"
    assert login_client.post(path, {"session": session}).json()["code"] == 9


def test_t02_strangers_neither_see_nor_decide_about_devices(house, tv):
    tv.start()
    _, token = house.machine("stranger")
    for client, status in ((Api(token), 403), (Api(""), 401)):
        assert client.get(f"/v2/oidc/device_authorization/{tv.started['user_code']}").status_code == status
        assert client.post(f"/v2/oidc/device_authorization/{tv.row.id}", {"deny": {}}).status_code == status
    assert tv.poll().json()["error"] == "authorization_pending"


def test_the_sign_in_for_a_device_is_no_request_of_an_application(tv, login_client):
    tv.start()
    flow = devices.begin_sign_in(tv.flow.house.system, tv.row)
    path = f"/v2/oidc/auth_requests/{flow.id}"
    assert login_client.get(path).status_code == 404
    session = proof(login_client, tv.flow.person)
    assert login_client.post(path, {"session": session}).status_code == 404
    assert login_client.post(path, {"error": {"error": "ERROR_REASON_ACCESS_DENIED"}}).status_code == 404


def test_a_session_that_ends_takes_the_devices_tokens_along(house, tv):
    tv.start()
    session = tv.flow.session()
    tv.approve(session)
    token = tv.poll().json()["access_token"]
    sessions.terminate_session(house.system, session_id=session)
    assert tv.flow.userinfo(token).status_code == 401
