"""The session API and the OIDC service: a login of one's own, from the authorization request to the code."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from iam.access.caller import RequestMeta
from iam.api.gen import application_v2, oidc_v2
from iam.api.methods import invoke
from iam.instance import commands as instance
from tests.conftest import Api
from tests.oidc.support import make_flow
from users import commands as users

SESSIONS = "/v2/sessions"
PASSWORD = "Correct-Horse-9"


@pytest.fixture
def login_client(house):
    """The service user of a login of one's own."""
    id, token = house.machine("login")
    instance.add_member(house.system, user_id=id, roles=("IAM_LOGIN_CLIENT",))
    return Api(token)


@pytest.fixture
def gigi(house):
    return house.person("gigi")


def create(client, **checks):
    return client.post("/v2/sessions", {"checks": checks, "userAgent": {"description": "Shop"}, "lifetime": "3600s"})


def test_a_session_is_made_checked_read_and_ended(house, login_client, gigi):
    made = create(login_client, user={"loginName": "gigi"}).json()
    id, token = made["sessionId"], made["sessionToken"]
    found = login_client.get(f"{SESSIONS}/{id}?sessionToken={token}").json()["session"]
    assert found["factors"]["user"]["id"] == gigi and "password" not in found["factors"]
    assert found["expirationDate"] and found["userAgent"]["description"] == "Shop"
    wrong = login_client.patch(f"{SESSIONS}/{id}", {"sessionToken": token, "checks": {"password": {"password": "no"}}})
    assert (wrong.status_code, wrong.json()["code"]) == (400, 3)
    right = {"sessionToken": token, "checks": {"password": {"password": PASSWORD}}}
    new = login_client.patch(f"{SESSIONS}/{id}", right).json()["sessionToken"]
    assert new != token
    assert Api(house.machine("stranger")[1]).patch(f"{SESSIONS}/{id}", {"sessionToken": token}).json()["code"] == 7
    found = login_client.get(f"{SESSIONS}/{id}").json()["session"]
    assert found["factors"]["password"]["verifiedAt"]
    assert login_client.delete(f"{SESSIONS}/{id}?sessionToken={new}").status_code == 200
    assert login_client.get(f"{SESSIONS}/{id}").json()["code"] == 5


def test_user_and_password_may_be_checked_at_once_and_nothing_is_left_of_a_wrong_one(login_client, gigi):
    assert create(login_client, user={"userId": gigi}, password={"password": PASSWORD}).status_code == 201
    refused = create(login_client, user={"userId": gigi}, password={"password": "wrong"})
    assert refused.status_code == 400
    listed = login_client.post(SESSIONS + "/search", {"queries": [{"userIdQuery": {"id": gigi}}]}).json()
    assert listed["details"]["totalResult"] == "1"


def test_what_is_not_understood_is_refused_and_named(login_client, gigi):
    refused = create(login_client, user={"userId": gigi}, totp={"code": "123456"})
    assert refused.status_code in (501, 404)
    assert "totp" in refused.content.decode()


def test_t02_strangers_see_and_touch_no_sessions(house, login_client, gigi):
    id = create(login_client, user={"userId": gigi}, password={"password": PASSWORD}).json()["sessionId"]
    _, token = house.machine("stranger")
    stranger = Api(token)
    path = f"{SESSIONS}/{id}"
    for answer in (stranger.get(path), stranger.patch(path, {}), stranger.delete(path)):
        assert (answer.status_code, answer.json()["code"]) == (403, 7)
    assert "sessions" not in stranger.post(SESSIONS + "/search", {}).json()
    assert create(stranger, user={"userId": gigi}).status_code == 403


def test_a_session_of_a_deactivated_user_is_worth_nothing(house, login_client, gigi):
    users.deactivate_user(house.system, user_id=gigi)
    refused = create(login_client, user={"userId": gigi}, password={"password": PASSWORD})
    assert refused.status_code in (400, 404)


def test_a_login_of_ones_own_answers_an_authorization_request(house, web, login_client):
    flow = make_flow(house, web)
    request = parse_qs(urlsplit(flow.authorize(prompt="login")["Location"]).query)["authRequest"][0]
    asked = login_client.get(f"/v2/oidc/auth_requests/{request}").json()["authRequest"]
    assert (asked["clientId"], asked["prompt"]) == (flow.client_id, ["PROMPT_LOGIN"])
    made = create(login_client, user={"userId": flow.person}, password={"password": PASSWORD}).json()
    session = {"sessionId": made["sessionId"], "sessionToken": made["sessionToken"]}
    wrong = login_client.post(f"/v2/oidc/auth_requests/{request}", {"session": {**session, "sessionToken": "x"}})
    assert wrong.status_code == 403
    url = login_client.post(f"/v2/oidc/auth_requests/{request}", {"session": session}).json()["callbackUrl"]
    code = re.search(r"[?&]code=([^&]+)", url)[1]
    assert flow.redeem(code).status_code == 200
    again = login_client.post(f"/v2/oidc/auth_requests/{request}", {"session": session})
    assert again.status_code == 404


def test_a_request_is_refused_by_a_login_of_ones_own(house, web, login_client):
    flow = make_flow(house, web)
    request = parse_qs(urlsplit(flow.authorize()["Location"]).query)["authRequest"][0]
    body = {"error": {"error": "ERROR_REASON_ACCESS_DENIED", "errorDescription": "not today"}}
    url = login_client.post(f"/v2/oidc/auth_requests/{request}", body).json()["callbackUrl"]
    told = parse_qs(urlsplit(url).query)
    assert (told["error"], told["error_description"], told["state"]) == (["access_denied"], ["not today"], ["st"])


REASONS = oidc_v2.ErrorReason.keys()[1:]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_to_refuse_reaches_the_application(house, web, login_client, reason):
    """In the words of RFC 6749 §4.1.2.1 and OpenID Connect Core §3.1.2.6."""
    request = parse_qs(urlsplit(make_flow(house, web).authorize()["Location"]).query)["authRequest"][0]
    body = {"error": {"error": reason, "errorUri": "https://help.example/why?a=b&c"}}
    url = login_client.post(f"/v2/oidc/auth_requests/{request}", body).json()["callbackUrl"]
    told = parse_qs(urlsplit(url).query)
    word = reason.removeprefix("ERROR_REASON_").lower().replace("temporary_", "temporarily_")
    assert (told["error"], told["error_uri"]) == ([word], ["https://help.example/why?a=b&c"])


def test_l03_a_session_that_proved_no_password_gets_no_code(house, web, login_client):
    flow = make_flow(house, web)
    request = parse_qs(urlsplit(flow.authorize()["Location"]).query)["authRequest"][0]
    made = create(login_client, user={"userId": flow.person}).json()
    session = {"sessionId": made["sessionId"], "sessionToken": made["sessionToken"]}
    refused = login_client.post(f"/v2/oidc/auth_requests/{request}", {"session": session})
    assert (refused.status_code, refused.json()["code"]) == (400, 9)


def test_lists_of_organizations_and_application_keys(house, api):
    from orgs import commands as orgs
    from projects import commands as projects

    orgs.set_org_metadata(house.system, org_id=house.org, values={"colour": b"red", "size": b"9"})
    found = api.post(f"/v2/organizations/{house.org}/metadata/search", {}).json()
    assert {one["key"] for one in found["metadata"]} == {"colour", "size"}
    domains = api.post(f"/v2/organizations/{house.org}/domains/search", {}).json()["domains"]
    assert domains[0]["isPrimary"]
    project = projects.add_project(house.system, org_id=house.org, name="p").id
    app = projects.add_api_app(house.system, project_id=project, name="a", method=1).id
    key = projects.add_app_key(house.system, project_id=project, app_id=app).id
    service, meta = "zitadel.application.v2.ApplicationService/", RequestMeta(host="localhost", headers=api.headers)
    asked = application_v2.ListApplicationKeysRequest()
    asked.filters.add().application_id_filter.application_id = app
    assert [one.key_id for one in invoke(service + "ListApplicationKeys", asked, meta).keys] == [key]
    one = application_v2.GetApplicationKeyRequest(key_id=key)
    assert invoke(service + "GetApplicationKey", one, meta).key_id == key


@pytest.mark.parametrize("wrong", ["bad", "the one before", "of another session"])
def test_whoever_may_write_any_session_needs_no_token_of_it(house, api, login_client, gigi, wrong):
    """The right suffices to change; to read or end a session with a token, the token has to be its own."""
    made = create(login_client, user={"loginName": "gigi"}).json()
    path, token = f"{SESSIONS}/{made['sessionId']}", made["sessionToken"]
    if wrong == "the one before":
        assert api.patch(path, {"sessionToken": token}).status_code == 200
    other = create(login_client).json()["sessionToken"]
    sent = {"bad": "bad", "the one before": token, "of another session": other}[wrong]
    changed = api.patch(path, {"sessionToken": sent, "metadata": {"c": "Yw=="}})
    assert (changed.status_code, bool(changed.json().get("sessionToken"))) == (200, True)
    stranger = Api(house.machine("stranger")[1])
    for answer in (
        stranger.patch(path, {"sessionToken": sent}),
        stranger.patch(path, {}),
        api.get(f"{path}?sessionToken={sent}"),
        api.client.delete(path, {"sessionToken": sent}, content_type="application/json", headers=api.headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, 7)
    assert api.get(path).status_code == 200
