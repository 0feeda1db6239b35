"""ETag, If-None-Match, If-Match over REST: nothing is overwritten that the caller has not seen."""

import pytest

from iam.api import versions
from iam.api.routes import resources_of, routes
from iam.kernel import change as kernel
from users import commands as users


def patch(api, path, body, **headers):
    return api.client.patch(path, body, content_type="application/json", headers={**api.headers, **headers})


def post(api, path, body=None, **headers):
    return api.client.post(path, body or {}, content_type="application/json", headers={**api.headers, **headers})


def tag(api, path):
    return api.get(path)["ETag"]


@pytest.fixture
def path(house):
    return f"/v2/users/{house.person('gigi')}"


def test_a_resource_has_a_strong_tag_that_changes_with_it(api, path):
    first = api.get(path)
    assert first["ETag"].startswith('"') and "no-cache" in first["Cache-Control"]
    assert api.get(path)["ETag"] == first["ETag"]
    assert patch(api, path, {"username": "gina"}).status_code == 200
    assert tag(api, path) != first["ETag"]


def test_who_has_it_already_gets_304_without_a_body(api, path):
    known = tag(api, path)
    for header in (known, f"W/{known}", f'"x", {known}', "*"):
        answer = api.client.get(path, headers={**api.headers, "if-none-match": header})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", known)
    assert api.client.get(path, headers={**api.headers, "if-none-match": '"x"'}).status_code == 200


def test_304_is_only_for_who_may_read_it(house, path, api):
    from tests.conftest import Api

    _, token = house.machine("stranger")
    stranger = Api(token)
    answer = stranger.client.get(path, headers={**stranger.headers, "if-none-match": tag(api, path)})
    assert answer.status_code in (403, 404)


def test_a_change_on_what_was_seen_succeeds_and_on_what_is_old_is_refused(api, path):
    seen = tag(api, path)
    assert patch(api, path, {"username": "gina"}, **{"if-match": seen}).status_code == 200
    refused = patch(api, path, {"username": "greta"}, **{"if-match": seen})
    assert (refused.status_code, refused.json()["code"]) == (412, 9)
    assert api.get(path).json()["user"]["username"] == "gina"


@pytest.mark.parametrize("header", ['"x"', "W/{tag}", '"1-2", "3"'])
def test_other_and_weak_tags_do_not_match(api, path, header):
    header = header.format(tag=tag(api, path))
    assert patch(api, path, {"username": "gina"}, **{"if-match": header}).status_code == 412


@pytest.mark.parametrize("header", ["", "x", '"a" b', '"'])
def test_a_malformed_if_match_is_refused(api, path, header):
    assert patch(api, path, {"username": "gina"}, **{"if-match": header}).status_code == 400


def test_an_address_of_nothing_is_refused_with_if_match_as_without(api):
    for headers in ({}, {"If-Match": '"seen"'}):
        answer = api.client.put(
            "/admin/v1/secretgenerators/nothing",
            {"length": 8},
            content_type="application/json",
            headers={**api.headers, **headers},
        )
        assert answer.status_code == 400, headers
        assert answer.json()["code"] == 3, headers


def test_a_star_matches_whatever_exists(api, path):
    assert patch(api, path, {"username": "gina"}, **{"if-match": "*"}).status_code == 200
    assert patch(api, "/v2/users/123", {"username": "x"}, **{"if-match": "*"}).status_code == 404


def test_a_request_of_several_commands_expects_its_own_changes(api, path):
    body = {"username": "gina", "human": {"profile": {"givenName": "Gina", "familyName": "G"}}}
    assert patch(api, path, body, **{"if-match": tag(api, path)}).status_code == 200
    assert api.get(path).json()["user"]["human"]["profile"]["givenName"] == "Gina"


WRITES = [("/deactivate", {}), ("/lock", {}), ("/metadata", {"metadata": [{"key": "k", "value": "dg=="}]})]


@pytest.mark.parametrize(("below", "body"), WRITES)
def test_what_lies_below_a_resource_is_bound_to_it(api, path, below, body):
    seen = tag(api, path)
    patch(api, path, {"username": "gina"})
    assert post(api, path + below, body, **{"if-match": seen}).status_code == 412
    assert post(api, path + below, body, **{"if-match": tag(api, path)}).status_code == 200


def test_deleting_is_bound_too(api, path):
    seen = tag(api, path)
    patch(api, path, {"username": "gina"})
    assert api.client.delete(path, headers={**api.headers, "if-match": seen}).status_code == 412
    assert api.client.delete(path, headers={**api.headers, "if-match": tag(api, path)}).status_code == 200


def test_a_condition_that_cannot_hold_is_refused_and_nothing_happens(api, house, path):
    answer = post(api, "/v2/users/machine", {"userName": "m", "name": "m"}, **{"if-match": "*"})
    assert (answer.status_code, "API-1fm4u" in answer.json()["message"]) == (400, True)
    listed = post(api, f"{path}/metadata/search", {}, **{"if-match": tag(api, path)})
    assert (listed.status_code, "API-1fm4u" in listed.json()["message"]) == (400, True)


def test_t02_a_condition_tells_strangers_nothing(house, api, path):
    from tests.conftest import Api

    seen = tag(api, path)
    _, token = house.machine("stranger")
    right, wrong = (
        patch(Api(token), path, {"username": "x"}, **{"if-match": one}).status_code for one in (seen, '"x"')
    )
    assert right == wrong and right in (403, 404)


def test_a_change_between_the_check_and_the_push_is_refused(api, house, path, monkeypatch):
    """No race: the tag is right when it is compared, and somebody writes before the command decides."""
    seen, id = tag(api, path), path.rpartition("/")[2]
    original, done = kernel.Unit.change, []

    def slow(unit, kind, stream_id, decide, **more):
        if not done:
            done.append(1)
            users.rename_user(house.system, user_id=id, user_name="faster")
        return original(unit, kind, stream_id, decide, **more)

    monkeypatch.setattr(kernel.Unit, "change", slow)
    assert patch(api, path, {"username": "slower"}, **{"if-match": seen}).status_code == 412
    assert api.get(path).json()["user"]["username"] != "slower"  # the other one shared the transaction that was refused


def test_every_single_resource_has_a_tag_and_those_of_a_known_kind_take_conditions():
    resources = {route.path for route in routes() if versions.is_resource(route.verb, route.method)}
    assert {"/v2/users/{user_id}", "/v2/sessions/{session_id}", "/management/v1/orgs/me"} <= resources
    assert {"/v2/settings/login", "/v2beta/applications/{id}", "/v2/actions/targets/{id}"} <= resources
    assert not resources & {"/v2/web_keys", "/admin/v1/healthz", "/v2/users/{user_id}/authentication_methods"}
    bound = {route.path for route in routes() if route.verb != "get" and resources_of(route.path)}
    assert {"/v2/users/{user_id}", "/v2/users/human/{user_id}", "/v2/users/{user_id}/pats/{token_id}"} <= bound
    assert not bound & {"/v2/users", "/management/v1/policies/label", "/v2/settings/hosted_login_translation"}


def send(api, verb, path, body=None, **headers):
    sent = getattr(api.client, verb)
    return sent(path, body, content_type="application/json", headers={**api.headers, **headers})


SINGLE = [
    ("/admin/v1/policies/password/age", "put", "", {"maxAgeDays": 10}, {"maxAgeDays": 20}),
    ("/admin/v1/secretgenerators/4", "put", "", {"length": 8, "expiry": "1800s", "includeDigits": True}, {"length": 9, "expiry": "1800s", "includeDigits": True}),
    ("/admin/v1/languages/default", "put", "/de", {}, {}),
    ("/admin/v1/restrictions", "put", "", {"disallowPublicOrgRegistration": True}, {"allowedLanguages": {"list": ["en"]}}),
    ("/admin/v1/policies/security", "put", "", {"enableImpersonation": True}, {"enableIframeEmbedding": True}),
    ("/v2/features/instance", "put", "", {"loginDefaultOrg": True}, {"userSchema": True}),
    ("/management/v1/policies/lockout", "post", "", {"maxPasswordAttempts": 5}, {"maxPasswordAttempts": 6}),
    ("/management/v1/metadata/plan", "post", "", {"value": "YQ=="}, {"value": "Yg=="}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "verb", "below", "first", "second"), SINGLE, ids=lambda one: str(one)[:40])
def test_settings_and_the_like_are_not_overwritten_unseen(api, path, verb, below, first, second):
    if "metadata" in path:
        assert send(api, "post", path, {"value": "MA=="}).status_code == 200
    seen = tag(api, path)
    known = api.client.get(path, headers={**api.headers, "if-none-match": seen})
    assert (known.status_code, known.content) == (304, b"")
    assert send(api, verb, path + below, first, **{"if-match": seen}).status_code == 200
    assert tag(api, path) != seen
    late = send(api, "put" if "policies" in path else verb, path + below, second, **{"if-match": seen})
    assert (late.status_code, "API-v3rch" in late.json()["message"]) == (412, True)


def test_a_webhook_target_is_not_overwritten_unseen(api):
    body = {"name": "crm", "endpoint": "https://hooks.example.com/x", "restWebhook": {}, "timeout": "10s"}
    path = f"/v2/actions/targets/{post(api, '/v2/actions/targets', body).json()['id']}"
    seen = tag(api, path)
    assert "no-store" in api.get(path)["Cache-Control"]  # it shows the signing key
    assert post(api, path, {"name": "erp"}, **{"if-match": seen}).status_code == 200
    assert post(api, path, {"name": "hrm"}, **{"if-match": seen}).status_code == 412
    assert send(api, "delete", path, **{"if-match": tag(api, path)}).status_code == 200


def test_an_application_that_is_addressed_alone_is_bound_to_its_project(api):
    """Its stream is that of a project which the address does not name."""
    project = post(api, "/v2/projects", {"name": "Shop"}).json()["id"]
    app = post(
        api,
        "/v2beta/applications",
        {"projectId": project, "name": "web", "apiRequest": {"authMethodType": "API_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT"}},
    ).json()["appId"]
    path = f"/v2beta/applications/{app}"
    seen = tag(api, path)
    assert patch(api, path, {"projectId": project, "name": "shop"}, **{"if-match": seen}).status_code == 200
    late = patch(api, path, {"projectId": project, "name": "other"}, **{"if-match": seen})
    assert (late.status_code, api.get(path).json()["app"]["name"]) == (412, "shop")
    body = {"appId": app, "projectId": project, "expirationDate": "2099-01-01T00:00:00Z"}
    made = post(api, "/v2beta/application_keys", body).json()
    key = f"/v2beta/application_keys/{made['id']}"
    assert (
        send(api, "delete", f"{key}?projectId={project}&applicationId={app}", **{"if-match": '"other"'}).status_code
        == 412
    )
    assert (
        send(api, "delete", f"{key}?projectId={project}&applicationId={app}", **{"if-match": tag(api, key)}).status_code
        == 200
    )
    assert (
        patch(api, "/v2beta/applications/nobody", {"projectId": project, "name": "x"}, **{"if-match": seen}).status_code
        == 404
    )


def test_an_instance_is_not_overwritten_unseen(api, house):
    path = f"/v2beta/instances/{house.instance}"
    seen = tag(api, path)
    assert send(api, "put", path, {"instanceName": "first"}, **{"if-match": seen}).status_code == 200
    assert send(api, "put", path, {"instanceName": "second"}, **{"if-match": seen}).status_code == 412
    assert api.get(path).json()["instance"]["name"] == "first"


def test_an_authorization_below_a_user_is_bound_to_itself(api, house):
    person = house.person("gigi")
    project = post(api, "/management/v1/projects", {"name": "Shop"}).json()["id"]
    for key in ("buyer", "seller"):
        post(api, f"/management/v1/projects/{project}/roles", {"roleKey": key, "displayName": key})
    grants = f"/management/v1/users/{person}/grants"
    path = f"{grants}/{post(api, grants, {'projectId': project, 'roleKeys': ['buyer']}).json()['userGrantId']}"
    seen = tag(api, path)
    assert send(api, "put", path, {"roleKeys": ["seller"]}, **{"if-match": seen}).status_code == 200
    assert send(api, "put", path, {"roleKeys": ["buyer"]}, **{"if-match": seen}).status_code == 412
    assert send(api, "delete", path, **{"if-match": tag(api, path)}).status_code == 200


def test_what_lies_below_takes_the_tag_of_the_resource_above(api, path):
    """An entry that is to be made has no tag of its own yet; one that is there has both."""
    entry = f"/management/v1/users/{path.rpartition('/')[2]}/metadata/team"
    user = entry.rpartition("/metadata")[0]
    for value in ("YQ==", "Yg=="):
        assert post(api, entry, {"value": value}, **{"if-match": tag(api, user)}).status_code == 200
    assert post(api, entry, {"value": "Yw=="}, **{"if-match": tag(api, entry)}).status_code == 200
    assert post(api, entry, {"value": "ZA=="}, **{"if-match": '"x"'}).status_code == 412
    missing = f"{user}/metadata/none"
    assert post(api, missing, {"value": "ZA=="}, **{"if-match": '"x"'}).status_code == 412
    assert post(api, missing, {"value": "ZA=="}, **{"if-match": "*"}).status_code == 404


def test_oneself_is_not_overwritten_unseen(house):
    from tests.conftest import Api

    me, path = Api(house.machine("robot")[1]), "/auth/v1/users/me"
    seen = tag(me, path)
    assert send(me, "put", f"{path}/username", {"userName": "one"}, **{"if-match": seen}).status_code == 200
    assert send(me, "put", f"{path}/username", {"userName": "two"}, **{"if-match": seen}).status_code == 412
