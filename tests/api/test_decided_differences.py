"""Where our answers differ from the reference's on purpose: the list is true, says why, and the page for migrants repeats it."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.http import JsonResponse
from google.protobuf import json_format

from iam.access.caller import RequestMeta
from iam.api.errors import told
from iam.api.methods import invoke, method
from iam.instance import commands as instance
from iam.kernel.errors import Refusal
from tests.conftest import Api
from tests.oidc.support import make_flow

DOCS = Path(__file__).parents[2] / "deploy" / "docs"
DECIDED = json.loads((DOCS / "differences.json").read_text())
PAGE = (DOCS / "differences.md").read_text()
ANSWER = re.compile(r"\d{3}( ([a-z_]+|\d+))?")
PLAIN = "plain: "
"""Calls of a service user without any role."""
PERSON = {"profile": {"givenName": "A", "familyName": "B"}, "email": {"email": "a@example.com"}}
LOGIN = "/admin/v1/policies/login"


def rpc(api, name, /, **body):
    """A call over Connect, as its method answers it."""
    full = f"zitadel.{name}"
    message = json_format.ParseDict(body, method(full).request())
    try:
        answer = invoke(full, message, RequestMeta("localhost", headers=api.headers))
    except Refusal as refusal:
        kind = told(refusal).kind
        return JsonResponse({"code": kind.connect}, status=kind.http)
    return JsonResponse(json_format.MessageToDict(answer))


def locked(api, ids):
    assert api.post(f"/v2/users/{ids['person']}/lock").status_code == 200
    return api.post("/v2/sessions", {"checks": {"user": {"userId": ids["person"]}}})


def same_login_policy(api, ids):
    before = api.get(LOGIN).json()["policy"]
    return api.put(LOGIN, {name: value for name, value in before.items() if name not in ("details", "isDefault")})


def features_twice(api, ids):
    assert api.put("/v2/features/instance", {"oidcTokenExchange": True}).status_code == 200
    return api.put("/v2/features/instance", {"oidcTokenExchange": True})


def secret_of_pkce_app(api, ids):
    where = {"projectId": ids["project"], "applicationId": ids["public app"]}
    return rpc(api, "application.v2.ApplicationService/GenerateClientSecret", **where)


def form(api, path, **sent):
    return api.client.post(path, urlencode(sent), content_type="application/x-www-form-urlencoded")


REQUESTS = "/v2/oidc/auth_requests/"
DENIED = {"error": {"error": "ERROR_REASON_ACCESS_DENIED"}}


def answered(api, ids, answer):
    """A sign-in that waits, answered by the login."""
    asked = parse_qs(urlsplit(ids["flow"].authorize()["Location"]).query)["authRequest"][0]
    return ids["login"].post(REQUESTS + asked, answer)


def answered_twice(api, ids, answer):
    asked = parse_qs(urlsplit(ids["flow"].authorize()["Location"]).query)["authRequest"][0]
    assert ids["login"].post(REQUESTS + asked, answer).status_code == 200
    return ids["login"].post(REQUESTS + asked, answer)


def read_when_over(api, ids):
    asked = parse_qs(urlsplit(ids["flow"].authorize()["Location"]).query)["authRequest"][0]
    assert ids["login"].post(REQUESTS + asked, DENIED).status_code == 200
    return ids["login"].get(REQUESTS + asked)


def session_of(ids, **wrong):
    checks = {"user": {"userId": ids["flow"].person}, "password": {"password": "Correct-Horse-9"}}
    made = ids["login"].post("/v2/sessions", {"checks": checks}).json()
    return {"session": {"sessionId": made["sessionId"], "sessionToken": made["sessionToken"], **wrong}}


EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
CALLS = {
    "plain: get other user": lambda api, ids: api.get(f"/v2/users/{ids['person']}"),
    "plain: add user": lambda api, ids: api.post("/v2/users/human", PERSON),
    "plain: add org": lambda api, ids: api.post("/v2/organizations", {"name": "Acme"}),
    "plain: mgmt org me": lambda api, ids: api.get("/management/v1/orgs/me"),
    "plain: admin instance": lambda api, ids: api.get("/admin/v1/instances/me"),
    "plain: create session": lambda api, ids: api.post("/v2/sessions", {}),
    "plain: settings login": lambda api, ids: api.get("/v2/settings/login"),
    "plain: delete me": lambda api, ids: api.delete(f"/v2/users/{ids['me']}"),
    "plain: create project": lambda api, ids: rpc(
        api, "project.v2.ProjectService/CreateProject", organizationId=ids["org"], name="x"
    ),
    "plain: list projects": lambda api, ids: rpc(api, "project.v2.ProjectService/ListProjects"),
    "plain: mgmt users search": lambda api, ids: api.post("/management/v1/users/_search", {}),
    "my project perms": lambda api, ids: api.post("/auth/v1/permissions/me/_search", {}),
    "my avatar": lambda api, ids: api.get("/assets/v1/users/me/avatar"),
    "session of locked user": locked,
    "user patch machine as human": lambda api, ids: api.patch(
        f"/v2/users/{ids['me']}", {"human": {"profile": {"givenName": "X"}}}
    ),
    "email set machine": lambda api, ids: api.post(f"/v2/users/{ids['me']}/email", {"email": "a@example.com"}),
    "pw reset machine": lambda api, ids: api.post(f"/v2/users/{ids['me']}/password_reset", {"returnCode": {}}),
    "human bad phone": lambda api, ids: api.post("/v2/users/human", {**PERSON, "phone": {"phone": "12"}}),
    "pw set empty": lambda api, ids: api.post(f"/v2/users/{ids['person']}/password", {"newPassword": {"password": ""}}),
    "secret human": lambda api, ids: api.post(f"/v2/users/{ids['person']}/secret", {}),
    "secret remove none": lambda api, ids: api.delete(f"/v2/users/{ids['person']}/secret"),
    "app secret pkce": secret_of_pkce_app,
    "features set": features_twice,
    "admin login policy put same": same_login_policy,
    "org domain bad": lambda api, ids: api.post(f"/v2/organizations/{ids['org']}/domains", {"domain": "not a domain!"}),
    "instance list": lambda api, ids: rpc(api, "instance.v2.InstanceService/ListInstances"),
    "system instances": lambda api, ids: api.post("/system/v1/instances/_search", {}),
    "assets label logo": lambda api, ids: api.get("/assets/v1/instance/policy/label/logo"),
    "token GET": lambda api, ids: api.client.get("/oauth/v2/token"),
    "introspect GET": lambda api, ids: api.client.get("/oauth/v2/introspect"),
    "saml metadata": lambda api, ids: api.get("/saml/v2/metadata"),
    "scim users": lambda api, ids: api.get(f"/scim/v2/{ids['org']}/Users"),
    "scim config": lambda api, ids: api.get(f"/scim/v2/{ids['org']}/ServiceProviderConfig"),
    "token exchange": lambda api, ids: form(
        api, "/oauth/v2/token", client_id=ids["client"], grant_type=EXCHANGE, subject_token="x"
    ),
    "callback bad session": lambda api, ids: answered(api, ids, session_of(ids, sessionId="1")),
    "callback bad session token": lambda api, ids: answered(api, ids, session_of(ids, sessionToken="bad")),
    "callback again": lambda api, ids: answered_twice(api, ids, session_of(ids)),
    "callback denied again": lambda api, ids: answered_twice(api, ids, DENIED),
    "authreq get login client": read_when_over,
    "authorize bad hint": lambda api, ids: ids["flow"].authorize(id_token_hint="bad"),
    "device not allowed": lambda api, ids: form(
        api, "/oauth/v2/device_authorization", client_id=ids["client"], scope="openid"
    ),
}
FOLLOWS = {"session get after user lock+unlock"}
"""What follows from an earlier call of the recording, and cannot be told alone."""


@pytest.fixture
def ids(house, web):
    """What the calls are about."""
    flow = make_flow(house, web)
    me, token = house.machine("plain")
    person = house.person("other")
    client, of_client = house.machine("login")
    instance.add_member(house.system, user_id=client, roles=("IAM_LOGIN_CLIENT",))
    app = {"project": flow.project, "public app": flow.app, "client": flow.client_id}
    app |= {"flow": flow, "login": Api(of_client)}
    return {**app, "org": house.org, "person": person, "me": me, "token": token}


def code_of(response):
    """The error code, wherever the answer carries it."""
    if location := response.headers.get("location"):
        return parse_qs(urlsplit(location).query).get("error", [""])[0]
    is_json = "json" in response.headers.get("content-type", "")
    content = json.loads(response.content) if is_json else {}
    return str(content.get("error") or content.get("code") or "")


def is_without_rights(name):
    return name.startswith(PLAIN) or name == "my project perms"


@pytest.mark.parametrize("name", CALLS)
def test_our_answer_is_the_one_that_was_decided(house, api, ids, name):
    answer = CALLS[name](Api(ids["token"]) if is_without_rights(name) else api, ids)
    assert f"{answer.status_code} {code_of(answer)}".strip() in DECIDED["calls"][name]["ours"], answer.content


def test_every_decision_is_well_formed_and_has_a_reason():
    for name, row in DECIDED["calls"].items():
        assert row["ours"] and all(ANSWER.fullmatch(one) for one in row["ours"]), name
        assert len(row["why"]) > 10, name
    for row in DECIDED["members"]:
        assert row["side"] in ("missing", "extra", "values") and re.compile(row["member"]) and row["why"]


def test_every_decision_is_tried_here():
    assert set(CALLS) | FOLLOWS == set(DECIDED["calls"])


def test_the_page_for_migrants_gives_every_reason():
    text = " ".join(PAGE.split())
    for row in [*DECIDED["calls"].values(), *DECIDED["members"]]:
        assert row["why"] in text, row["why"]
