"""Hosts over real wires: TLS on a port that is not 443, HTTP/1.1, HTTP/2, Connect, gRPC-Web and gRPC, and raw bytes."""

import json
import socket
import ssl
import time

import grpc
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from iam.api.gen import org_v2
from tests.clients.test_protocols import ORGS, unary
from tests.servers import new_server

SCOPE = "openid urn:zitadel:iam:org:project:id:zitadel:aud"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PORTS = ("", ":443", ":80", ":6666", ":")
FORMS = tuple(name + port for name in ("localhost", "LOCALHOST", "localhost.") for port in PORTS)


def forms(server):
    return (*FORMS, f"localhost:{server.port}")


def assertion(server, audience):
    key = json.loads((server.var / "admin-key.json").read_text())
    now = int(time.time())
    claims = {"iss": key["userId"], "sub": key["userId"], "aud": audience, "iat": now, "exp": now + 300}
    return jwt.encode({"alg": "RS256", "kid": key["keyId"]}, claims, RSAKey.import_key(key["key"]))


def token(client, server, host, audience):
    form = {"grant_type": JWT_BEARER, "scope": SCOPE, "assertion": assertion(server, audience)}
    answer = client.post(f"{server.url}/oauth/v2/token", data=form, headers={"host": host})
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


@pytest.fixture(params=[False, True], ids=["HTTP/1.1", "HTTP/2"])
def client(request, tls_server):
    with httpx.Client(http1=not request.param, http2=request.param, verify=tls_server.trust, trust_env=False) as made:
        yield made


def test_h01_every_form_of_a_host_is_one_issuer(tls_server, client):
    for form in forms(tls_server):
        told = client.get(f"{tls_server.url}/.well-known/openid-configuration", headers={"host": form}).json()
        assert told["issuer"] == tls_server.url, form


def test_d02_j08_a_token_is_good_at_every_form_of_its_host_on_every_wire(tls_server, client):
    got = token(client, tls_server, "localhost:443", "https://LOCALHOST:1")
    for form in forms(tls_server):
        headers = {"host": form, "authorization": f"Bearer {got}"}
        assert client.get(f"{tls_server.url}/oidc/v1/userinfo", headers=headers).status_code == 200, form
        assert client.post(f"{tls_server.url}/v2/organizations/_search", json={}, headers=headers).status_code == 200
        connect = client.post(tls_server.url + ORGS + "ListOrganizations", json={}, headers=headers)
        assert connect.status_code == 200 and connect.json()["result"], form
    for audience in (f"https://{form}" for form in FORMS):
        assert token(client, tls_server, f"localhost:{tls_server.port}", audience)


def ask_grpc(server, authority, bearer):
    credentials = grpc.ssl_channel_credentials(server.certificate.read_bytes())
    options = [
        ("grpc.default_authority", authority),
        ("grpc.ssl_target_name_override", authority.partition(":")[0] if authority[0].isdigit() else "localhost"),
    ]
    with grpc.secure_channel(f"localhost:{server.port}", credentials, options=options) as channel:
        call = unary(channel, ORGS + "ListOrganizations", org_v2.ListOrganizationsResponse)
        return call(org_v2.ListOrganizationsRequest(), metadata=(("authorization", f"Bearer {bearer}"),), timeout=20)


@pytest.mark.parametrize("form", [*FORMS[:4], "LOCALHOST:6666", "localhost."])
def test_h01_grpc_finds_the_instance_whatever_port_the_authority_names(tls_server, form):
    with httpx.Client(verify=tls_server.trust, trust_env=False) as client:
        got = token(client, tls_server, "localhost", tls_server.url)
    for bearer in (got, tls_server.pat):
        assert ask_grpc(tls_server, form, bearer).result


@pytest.mark.parametrize("form", ["127.0.0.1", "127.0.0.1:443"])
def test_h01_an_unknown_authority_is_refused_over_grpc(tls_server, form):
    with pytest.raises(grpc.RpcError) as refused:
        ask_grpc(tls_server, form, tls_server.pat)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND


def test_h01_headers_of_a_client_name_no_host(tls_server, client):
    for name in ("x-forwarded-host", "x-zitadel-instance-host", "x-zitadel-public-host", "x-original-url", "forwarded"):
        value = "host=evil.example" if name == "forwarded" else "evil.example"
        headers = {name: value, "authorization": f"Bearer {tls_server.pat}"}
        told = client.get(f"{tls_server.url}/.well-known/openid-configuration", headers=headers).json()
        assert told["issuer"] == tls_server.url, name
        answer = client.post(tls_server.url + ORGS + "ListOrganizations", json={}, headers=headers)
        assert answer.status_code == 200, name


def raw(server, lines, tls=True):
    """The whole answer to some bytes."""
    with socket.create_connection(("localhost", server.port), timeout=20) as wire:
        context = ssl.create_default_context(cafile=str(server.certificate))
        context.set_alpn_protocols(["http/1.1"])
        with context.wrap_socket(wire, server_hostname="localhost") as inner:
            inner.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
            answer = b""
            while piece := inner.recv(65536):
                answer += piece
    return answer.decode()


PATHS = (
    "/.well-known/openid-configuration",
    "/v2/users/x",
    "/ui/v2/login/login",
    ORGS + "ListOrganizations",
    "/static/x",
)
BAD = {
    "two hosts": ["GET {path} HTTP/1.1", "Host: localhost", "Host: evil.example"],
    "one host twice": ["GET {path} HTTP/1.1", "Host: localhost", "Host: localhost"],
    "no host": ["GET {path} HTTP/1.1"],
    "an empty host": ["GET {path} HTTP/1.1", "Host:"],
    "user information": ["GET {path} HTTP/1.1", "Host: user@localhost"],
    "a list": ["GET {path} HTTP/1.1", "Host: localhost, localhost"],
    "a path": ["GET {path} HTTP/1.1", "Host: localhost/x"],
    "a port that is none": ["GET {path} HTTP/1.1", "Host: localhost:x"],
    "an absolute form": ["GET https://evil.example{path} HTTP/1.1", "Host: localhost"],
    "an absolute form of ours": ["GET https://localhost{path} HTTP/1.1", "Host: localhost"],
    "an absolute form, host unlike it": ["GET https://localhost{path} HTTP/1.1", "Host: evil.example"],
    "an absolute form of another scheme": ["GET ftp://localhost{path} HTTP/1.1", "Host: localhost"],
}


@pytest.mark.parametrize("lines", BAD.values(), ids=BAD)
def test_h01_a_request_without_one_host_is_a_bad_request(tls_server, lines):
    for path in PATHS:
        answer = raw(tls_server, [line.format(path=path) for line in lines])
        assert answer.startswith("HTTP/1.1 400 "), (path, answer[:200])
        body = answer.partition("\r\n\r\n")[2]
        assert "host" in body.lower() or "request line" in body.lower(), answer
        assert "evil" not in body


def test_probes_of_http_1_0_need_no_host(tls_server):
    assert raw(tls_server, ["GET /debug/healthz HTTP/1.0"]).startswith(("HTTP/1.0 200", "HTTP/1.1 200"))


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    """A server behind a proxy on the loopback that cannot keep Host."""
    made = new_server(tmp_path_factory.mktemp("proxied"))
    made.environment |= {
        "ZITADEL_TRUSTEDPROXIES": "127.0.0.0/8,::1",
        "ZITADEL_EXTERNALSECURE": "true",
        "ZITADEL_EXTERNALPORT": "443",
    }
    made.start()
    yield made
    made.kill()


TOLD = (
    {"x-forwarded-host": "localhost"},
    {"x-forwarded-host": "LOCALHOST:8443"},
    {"forwarded": 'for=198.51.100.4;host="localhost:8443";proto=https'},
    {"forwarded": "host=evil.example, for=198.51.100.4;host=localhost"},
    {"x-zitadel-instance-host": "localhost"},
)


@pytest.mark.parametrize("headers", TOLD)
def test_h01_a_trusted_proxy_that_rewrites_the_host_tells_it(proxied, headers):
    inside = {"host": "gatehouse.internal:8080", "authorization": f"Bearer {proxied.pat}", **headers}
    with httpx.Client(trust_env=False) as client:
        told = client.get(f"{proxied.url}/.well-known/openid-configuration", headers=inside).json()
        assert told["issuer"] == "https://localhost"
        for path in ("/v2/organizations/_search", ORGS + "ListOrganizations"):
            assert client.post(proxied.url + path, json={}, headers=inside).status_code == 200
    metadata = [(name, value) for name, value in inside.items() if name != "host"]
    options = [("grpc.default_authority", "gatehouse.internal")]
    with grpc.insecure_channel(f"localhost:{proxied.port}", options=options) as channel:
        call = unary(channel, ORGS + "ListOrganizations", org_v2.ListOrganizationsResponse)
        assert call(org_v2.ListOrganizationsRequest(), metadata=metadata, timeout=20).result


def test_h01_without_such_a_header_the_inner_name_is_unknown(proxied):
    with httpx.Client(trust_env=False) as client:
        answer = client.get(f"{proxied.url}/oauth/v2/keys", headers={"host": "gatehouse.internal:8080"})
        assert answer.status_code == 404
        broken = {"host": "gatehouse.internal", "forwarded": 'host="localhost'}
        assert client.get(f"{proxied.url}/oauth/v2/keys", headers=broken).status_code == 400
