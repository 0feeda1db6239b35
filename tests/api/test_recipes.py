"""The recipes of the handbook as printed, over REST."""

import gzip

import pytest


@pytest.fixture
def project(api):
    body = {
        "name": "billing-api",
        "project_role_assertion": True,
        "project_role_check": True,
        "has_project_check": True,
        "private_labeling_setting": "PRIVATE_LABELING_SETTING_UNSPECIFIED",
    }
    return api.post("/v2/projects", body).json()["id"]


def test_create_a_user(api, house):
    body = {
        "user_name": "jdoe",
        "profile": {"first_name": "John", "last_name": "Doe", "display_name": "John Doe", "email": "j@example.com"},
        "email": {"email": "j@example.com", "is_email_verified": True},
        "phone": {"phone": "+1234567890"},
    }
    made = api.post("/v2/users/human/_import", body)
    assert made.status_code == 200
    user = api.get(f"/v2/users/{made.json()['userId']}").json()["user"]
    assert user["human"]["profile"]["givenName"] == "John"
    assert user["human"]["email"] == {"email": "j@example.com", "isVerified": True}
    assert len(user["userId"]) == 18


def test_create_an_oidc_application(api, project):
    body = {
        "name": "billing-web",
        "redirect_uris": ["https://billing.example.com/auth/callback"],
        "post_logout_redirect_uris": ["https://billing.example.com/"],
        "response_types": ["OIDC_RESPONSE_TYPE_CODE"],
        "grant_types": ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE", "OIDC_GRANT_TYPE_REFRESH_TOKEN"],
        "app_type": "OIDC_APP_TYPE_WEB",
        "auth_method_type": "OIDC_AUTH_METHOD_TYPE_PKCE",
        "version": "OIDC_VERSION_1_0",
    }
    made = api.post(f"/v2/projects/{project}/apps/oidc", body).json()
    assert made["appId"] and made["clientId"] and "clientSecret" not in made


def test_service_user_token_and_introspection(api, project, web):
    body = {"user_name": "sa", "name": "SA", "description": "M2M", "access_token_type": "ACCESS_TOKEN_TYPE_JWT"}
    user = api.post("/v2/users/machine", body).json()["userId"]
    pat = {
        "expiration_date": "2037-01-01T00:00:00Z",
        "scopes": ["openid", f"urn:zitadel:iam:org:project:id:{project}:aud"],
    }
    token = api.post(f"/v2/users/{user}/pats", pat).json()["token"]
    app = api.post(f"/v2/projects/{project}/apps/api", {"name": "api"}).json()
    form = {"client_id": app["clientId"], "client_secret": app["clientSecret"], "token": token}
    told = post_form(web, "/oauth/v2/introspect", form).json()
    assert told["active"] is True and told["sub"] == user
    denied = web.get(f"/v2/users/{user}", headers={"authorization": f"Bearer {token}"})
    assert denied.status_code == 401  # the scopes do not reach the API


def post_form(web, path, form, **headers):
    from urllib.parse import urlencode

    return web.post(path, urlencode(form), content_type="application/x-www-form-urlencoded", headers=headers)


def test_health_and_my_org(api, web):
    assert web.get("/admin/v1/healthz").status_code == 200
    assert web.get("/debug/ready").content == b"ok"
    assert api.get("/management/v1/orgs/me").json()["org"]["name"] == "ZITADEL"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v2/projects", "{bad", 400, 3),
        ("/v2/projects", {}, 400, 3),
        ("/v2/projects", {"name": "x" * 201}, 400, 3),
        ("/v2/projects", {"name": "x", "private_labeling_setting": "NOPE"}, 400, 3),
        ("/v2/projects/123/apps/oidc", {"name": "x", "redirect_uris": ["https://a/cb"]}, 404, 5),
        (
            "/v2/users/human/_import",
            {"user_name": "a b", "profile": {"first_name": "a", "last_name": "b"}, "email": {"email": "a@b.c"}},
            400,
            3,
        ),
        ("/v2/nothing", {}, 404, 5),
    ],
)
def test_bad_input_is_refused_with_a_clear_error(api, path, body, status, code):
    answer = api.post(path, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_duplicate_name_says_so(api, project):
    answer = api.post("/v2/projects", {"name": "billing-api"})
    assert (answer.status_code, answer.json()["code"]) == (409, 6)
    assert answer.json()["details"][0]["id"] == "V3-DKcYh"


def test_t10_unknown_members_are_ignored(api):
    made = api.post("/v2/projects", {"name": "x", "isAdmin": True, "state": "PROJECT_STATE_INACTIVE", "id": "1"})
    assert made.status_code == 200 and made.json()["id"] != "1"


def test_h11_an_unknown_host_is_refused(web):
    answer = web.get("/v2/users/1", headers={"host": "evil.example"})
    assert answer.status_code == 404


def test_no_token_and_a_bad_token(web):
    assert web.get("/v2/users/1").json() == {"code": 16, "message": "auth header missing", "details": []}
    assert web.get("/v2/users/1", headers={"authorization": "Bearer nonsense"}).status_code == 401


def test_another_verb_and_another_wish_are_answered_in_the_form_of_the_api(web, api, house):
    refused = web.put("/v2/users")
    assert (refused.status_code, refused.json()["code"], refused["Allow"]) == (405, 12, "POST, OPTIONS")
    for wish in ({"accept": "application/xml"}, {"accept": "text/html"}):
        answer = api.client.get(f"/v2/users/{house.admin}?format=xml", headers={**api.headers, **wish})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_a_compressed_body_is_refused_by_the_name_of_its_coding(api):
    packed = gzip.compress(b'{"name": "packed"}')
    headers = {**api.headers, "content-encoding": "gzip"}
    answer = api.client.post("/v2/projects", packed, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["code"], answer["Accept-Encoding"]) == (415, 3, "identity")
    assert answer.json()["message"] == "The body is compressed (gzip) (API-z4c1d)"
    plain = {**api.headers, "content-encoding": "Identity"}
    answer = api.client.post("/v2/projects", b'{"name": "plain"}', content_type="application/json", headers=plain)
    assert answer.status_code == 200


def test_whoever_asks_for_the_verbs_of_a_path_is_told(web):
    answer = web.options("/v2/users")
    assert (answer.status_code, answer.content, answer["Allow"]) == (204, b"", "POST, OPTIONS")


def test_a_method_that_is_not_built_says_so_under_its_address(web, api):
    """As on the other wires: 501 is no 404, and no wrong verb of what is built there."""
    for verb, path in (
        ("get", "/v2/saml/saml_requests/1"),
        ("post", "/v2/users/1/totp"),
        ("delete", "/management/v1/idps/1"),
    ):
        answer = api.client.generic(verb.upper(), path, headers=api.headers)
        assert (answer.status_code, answer.json()["code"]) == (501, 12), path
    for path, name in (
        ("/v2/users/1/passkeys/registration_link", "CreatePasskeyRegistrationLink"),
        ("/v2/users/1/passkeys/_search", "ListPasskeys"),
        ("/v2/users/1/passkeys/2", "VerifyPasskeyRegistration"),
    ):
        assert web.post(path, {}, content_type="application/json").json()["message"].count(f"UserService/{name}") == 1
    unbuilt = web.get("/v2/saml/saml_requests/1")
    assert (unbuilt.status_code, "SAMLService/GetSAMLRequest" in unbuilt.json()["message"]) == (501, True)
    assert web.get("/v2/nothing").json() == {"code": 5, "message": "Not Found"}


def test_every_address_of_the_definitions_is_built_or_says_that_it_is_not():
    from django.urls import resolve

    from iam.api import descriptors
    from iam.api.methods import registered
    from iam.api.rest import unknown_route
    from iam.api.routes import _routes, unbuilt, variables_of

    there = registered()
    for service in descriptors.services():
        for one in descriptors.service(service).methods:
            for route in _routes(f"{service}/{one.name}"):
                path = route.path.replace("=**", "")
                for name in variables_of(path):
                    path = path.replace(f"{{{name}}}", "1")
                view = resolve(path).func
                handlers = () if view is unknown_route else dir(view.view_class)
                if route.method in there:
                    assert route.verb in handlers, route
                else:
                    assert unbuilt(route.verb, path) and route.verb not in handlers, route


def test_a_key_in_an_address_may_have_colons(api, house):
    path = f"/management/v1/users/{house.admin}/metadata/urn:team:1"
    assert api.post(path, {"value": "YQ=="}).status_code == 200
    assert api.get(path).json()["metadata"]["key"] == "urn:team:1"


def test_not_verified_in_the_older_spelling_is_not_said_in_todays(api):
    body = {
        "user_name": "jdoe",
        "profile": {"first_name": "John", "last_name": "Doe"},
        "email": {"email": "j@example.com", "is_email_verified": False},
        "phone": {"phone": "+41791234567", "is_phone_verified": False},
    }
    made = api.post("/v2/users/human/_import", body)
    assert made.status_code == 200
    phone = api.get(f"/v2/users/{made.json()['userId']}").json()["user"]["human"]["phone"]
    assert phone == {"phone": "+41791234567"}
