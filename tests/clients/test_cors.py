"""Pages of registered applications call the API from a browser; nobody else's do (checklist D10)."""

import http.client
import json
import uuid

import pytest

from tests.clients.test_wires import framed, send

HOME = "http://app.example:3000"
EXTRA = "https://more.example"
RPC = "/zitadel.org.v2.OrganizationService/ListOrganizations"
REST = "/v2/organizations/_search"
ASKED = (
    "authorization,content-type,grpc-timeout,x-grpc-web,x-user-agent,x-zitadel-orgid,"
    "connect-protocol-version,connect-timeout-ms,idempotency-key,if-match,if-none-match"
)
PATHS = [
    RPC,
    REST,
    "/v2beta/organizations/search",
    "/management/v1/orgs/me",
    "/zitadel.management.v1.ManagementService/GetMyOrg",
]


@pytest.fixture(scope="module")
def registered(server):
    """An application at home at two origins."""
    project = json.loads(
        send(server, "/v2/projects", json.dumps({"name": uuid.uuid4().hex}).encode(), "application/json")[2]
    )["id"]
    body = {"name": "page", "redirect_uris": [HOME + "/callback"], "additional_origins": [EXTRA], "dev_mode": True}
    path = f"/v2/projects/{project}/apps/oidc"
    assert send(server, path, json.dumps(body).encode(), "application/json")[0] == 200
    return server


def preflight(server, path, origin, method="POST"):
    asked = {"Origin": origin, "Access_Control_Request_Method": method, "Access_Control_Request_Headers": ASKED}
    return send(server, path, None, "", method="OPTIONS", token=False, **asked)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", [HOME, EXTRA])
def test_d10_preflights_of_registered_origins_are_answered_without_a_token(registered, path, origin):
    status, headers, body = preflight(registered, path, origin)
    assert (status, body) == (204, b"")
    assert headers["access-control-allow-origin"] == origin
    assert {*ASKED.split(",")} <= {*headers["access-control-allow-headers"].split(", ")}
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= {*headers["access-control-allow-methods"].split(", ")}
    assert "access-control-allow-credentials" not in headers
    assert "Origin" in headers["vary"]


STRANGERS = [
    "null",
    "https://app.example:3000",
    "http://app.example",
    "http://app.example:30000",
    "http://app.example:3000.evil.example",
    "http://evil.example/?http://app.example:3000",
    "http://app.example:3000/callback",
    "http://xapp.example:3000",
    "http://localhost",
    "*",
]


@pytest.mark.parametrize("origin", STRANGERS)
def test_d10_no_other_origin_is_let_in(registered, origin):
    for path in (RPC, REST):
        status, headers, _ = preflight(registered, path, origin)
        assert status == 204
        assert not [name for name in headers if name.startswith("access-control")]
        _, headers, _ = send(registered, path, b"{}", "application/json", Origin=origin)
        assert not [name for name in headers if name.startswith("access-control")]
        assert "Origin" in headers["vary"]


@pytest.mark.parametrize("token", [True, False])
@pytest.mark.parametrize("path", PATHS)
def test_answers_and_refusals_may_be_read(registered, path, token):
    method = "GET" if path.startswith("/management") else "POST"
    status, headers, _ = send(registered, path, b"{}", "application/json", method=method, token=token, Origin=HOME)
    assert status == (200 if token else 401)
    assert headers["access-control-allow-origin"] == HOME
    exposed = {*headers["access-control-expose-headers"].split(", ")}
    assert {"grpc-status", "grpc-message", "grpc-status-details-bin", "etag", "idempotency-replayed"} <= exposed


def test_grpc_web_refusals_may_be_read(registered):
    from iam.api.gen import org_v2

    body = framed(org_v2.ListOrganizationsRequest())
    _, headers, _ = send(registered, RPC, body, "application/grpc-web+proto", token=False, Origin=HOME)
    assert headers["access-control-allow-origin"] == HOME


def test_without_an_origin_nothing_is_added(registered):
    _, headers, _ = send(registered, RPC, b"{}", "application/json")
    assert not [name for name in headers if name.startswith("access-control")]


def test_pages_of_the_login_and_the_console_stay_closed(registered):
    for path in ("/ui/console/", "/oauth/v2/authorize", "/debug/ready"):
        assert "access-control-allow-origin" not in preflight(registered, path, HOME)[1]


def test_an_origin_counts_at_its_own_instance_only(registered):
    connection = http.client.HTTPConnection("localhost", registered.port, timeout=20)
    connection.request(
        "OPTIONS", RPC, headers={"Host": "other.example", "Origin": HOME, "Access-Control-Request-Method": "POST"}
    )
    headers = {name.lower() for name, _ in connection.getresponse().getheaders()}
    assert "access-control-allow-origin" not in headers
    connection.close()
