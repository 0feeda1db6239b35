"""What stands before a body: how large and how slow it may be, the headers of every answer, HEAD, and who owns the files."""

import socket
import stat
import time

import httpx
import pytest

from tests.clients.test_protocols import ORGS
from tests.servers import new_server

SECONDS = 3
GUARDS = (
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "permissions-policy",
    "content-security-policy",
    "cache-control",
)


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A server that waits for a head no longer than a test does."""
    made = new_server(tmp_path_factory.mktemp("hasty"))
    made.environment["ZITADEL_LIMITS_HEADERSECONDS"] = str(SECONDS)
    made.start()
    yield made
    made.kill()


@pytest.fixture(params=[False, True], ids=["HTTP/1.1", "HTTP/2"])
def client(request, server):
    with httpx.Client(http1=not request.param, http2=request.param, trust_env=False, base_url=server.url) as made:
        yield made


@pytest.mark.parametrize("size", [4000, 8000, 30_000, 60_000])
def test_a_long_request_line_and_long_headers_are_taken(client, size):
    keys = "/oauth/v2/keys"
    assert client.get(f"{keys}?x={'y' * size}").status_code == 200
    assert client.get(keys, headers={"x-long": "y" * size}).status_code == 200
    assert client.get(keys, headers={f"x-{number}": "y" * (size // 60) for number in range(50)}).status_code == 200


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {f"x-{number}": "y" * 900 for number in range(80)}),
        ("", {"x-long": "y" * 65_500}),
        ("y" * 40_000, {"x-long": "y" * 40_000}),
        ("y" * 65_000, {"x-long": "y" * 2_000}),
    ],
)
def test_n07_a_head_that_is_too_large_in_all_is_refused(client, query, headers):
    try:
        answer = client.get(f"/oauth/v2/keys?x={query}", headers=headers)
    except httpx.RemoteProtocolError:  # HTTP/2: a header list beyond what was announced ends the connection
        return
    assert answer.status_code in (414, 431)
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"


def test_a_body_that_comes_with_its_head_is_no_part_of_it(server):
    """Both in one piece, as quick clients send them."""
    body = b'{"queries": []' + b" " * 200_000 + b"}"
    head = f"POST /v2/organizations/_search HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection(("localhost", server.port), timeout=20) as wire:
        wire.sendall(f"{head}Authorization: Bearer {server.pat}\r\n\r\n".encode() + body)
        assert wire.recv(65536).startswith(b"HTTP/1.1 200")


HEADS = {
    "nothing": b"",
    "a torn request line": b"GET /oauth/v2/ke",
    "a torn header": b"GET /oauth/v2/keys HTTP/1.1\r\nHost: local",
    "headers without an end": b"GET /oauth/v2/keys HTTP/1.1\r\nHost: localhost\r\n",
    "half of a preface": b"PRI * HTTP/2.0\r\n",
}


@pytest.mark.parametrize("begun", HEADS.values(), ids=HEADS)
def test_n07_a_head_that_trickles_is_given_up(hasty, begun):
    started = time.monotonic()
    with socket.create_connection(("localhost", hasty.port), timeout=20) as wire:
        wire.sendall(begun)
        wire.settimeout(0.5)
        answer = b""
        while time.monotonic() - started < 15:
            try:
                piece = wire.recv(4096)
                answer += piece
                if not piece:
                    break
            except TimeoutError:
                if begun.endswith(b"\r\n") and not begun.startswith(b"PRI"):
                    wire.sendall(b"x-slow: 1\r\n")
            except ConnectionResetError:
                break
        else:
            pytest.fail("still open")
    assert time.monotonic() - started < SECONDS + 5
    assert answer.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 400 ")) and b"nosniff" in answer
    if b"HTTP/1.1 408" in answer:
        assert time.monotonic() - started > SECONDS - 1


def test_n07_the_second_head_of_a_connection_may_not_trickle_either(hasty):
    with socket.create_connection(("localhost", hasty.port), timeout=20) as wire:
        for pause in (SECONDS + 1, 0.5):  # a quiet connection is another matter
            wire.sendall(b"GET /debug/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(pause)
            assert wire.recv(65536).startswith(b"HTTP/1.1 200")
        started = time.monotonic()
        wire.sendall(b"GET /debug/hea")
        assert wire.recv(65536).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - started < SECONDS + 5


def test_a_slow_body_and_a_slow_answer_are_no_slow_head(hasty):
    with socket.create_connection(("localhost", hasty.port), timeout=30) as wire:
        wire.sendall(b"POST /v2/users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{")
        time.sleep(SECONDS + 2)
        wire.sendall(b"}")
        assert wire.recv(65536).startswith(b"HTTP/1.1 401")


ANSWERS = {
    "REST": ("POST", "/v2/organizations/_search", "application/json"),
    "REST, refused": ("GET", "/v2/users/x", ""),
    "REST, unknown": ("GET", "/v2/nothing", ""),
    "Connect": ("POST", ORGS + "ListOrganizations", "application/json"),
    "Connect, refused": ("POST", "/zitadel.user.v2.UserService/GetUserByID", "application/json"),
    "Connect, malformed": ("POST", ORGS + "ListOrganizations", "text/plain"),
    "Connect, wrong verb": ("GET", ORGS + "ListOrganizations", ""),
    "gRPC-Web": ("POST", ORGS + "ListOrganizations", "application/grpc-web+proto"),
    "gRPC": ("POST", ORGS + "ListOrganizations", "application/grpc+proto"),
    "reflection": ("POST", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "application/json"),
    "discovery": ("GET", "/.well-known/openid-configuration", ""),
    "token": ("POST", "/oauth/v2/token", "application/x-www-form-urlencoded"),
    "userinfo": ("GET", "/oidc/v1/userinfo", ""),
    "a page": ("GET", "/ui/v2/login/password/reset", ""),
    "a page of a problem": ("GET", "/oauth/v2/authorize", ""),
    "the console": ("GET", "/ui/console/", ""),
    "a file": ("GET", "/static/login.css", ""),
    "health": ("GET", "/debug/healthz", ""),
    "the description": ("GET", "/openapi.json", ""),
    "nothing": ("GET", "/nothing", ""),
    "a preflight": ("OPTIONS", "/v2/users", ""),
}


@pytest.mark.parametrize(("method", "path", "kind"), ANSWERS.values(), ids=ANSWERS)
def test_h09_every_wire_has_the_same_guarding_headers(client, server, method, path, kind):
    headers = {"authorization": f"Bearer {server.pat}", "origin": "https://evil.example"}
    headers |= {"content-type": kind} if kind else {}
    body = b"\0\0\0\0\0" if "grpc" in kind else b"{}"
    answer = client.request(method, path, headers=headers, content=body if method == "POST" else None)
    assert not [name for name in GUARDS if name not in answer.headers], (answer.status_code, dict(answer.headers))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "x-frame-options" in answer.headers or "frame-ancestors" in answer.headers["content-security-policy"]
    assert all(len(answer.headers.get_list(name)) == 1 for name in GUARDS)
    for bad in ("", "evil@x"):
        refused = httpx.request(method, server.url + path, headers={**headers, "host": bad or "a b"}, trust_env=False)
        assert refused.status_code == (200 if "grpc" in kind else 400), refused.text
        assert "nosniff" in refused.headers["x-content-type-options"]
        assert "grpc" not in kind or refused.headers["grpc-status"] == "3"


READ = [path for method, path, _ in ANSWERS.values() if method == "GET"] + [
    *(
        "/oauth/v2/keys",
        "/",
        "/ui/console",
        "/ui/console/login",
        "/ui/v2/login/login",
        "/ui/v2/login/loginname",
        "/device",
    ),
    *("/oidc/v1/end_session", "/debug/ready", "/debug/metrics", "/openapi", "/auth/v1/users/me", "/v2/settings/login"),
    *("/oauth/v2/token", "/oauth/v2/introspect", "/ui/v2/login/password", "/assets/v1/x"),
]
OWN = ("date", "expires", "x-request-id", "content-length", "transfer-encoding", "set-cookie", "etag")
"""What differs between two answers to GET as well, or which GET may send in chunks."""


def test_head_answers_with_the_headers_of_get(client, server):
    headers = {"authorization": f"Bearer {server.pat}"}
    for path in READ:
        get, head = client.get(path, headers=headers), client.head(path, headers=headers)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        told = [
            {name: value for name, value in one.headers.items() if name not in OWN and not value.startswith("/oauth")}
            for one in (get, head)
        ]
        assert told[0] == told[1], path
        assert ("set-cookie" in get.headers) == ("set-cookie" in head.headers), path
        if "content-length" in head.headers and path != "/debug/metrics" and "csrf" not in get.text:
            assert int(head.headers["content-length"]) == len(get.content), path


def test_e07_files_of_the_state_are_their_owners_alone(server):
    with httpx.Client(trust_env=False) as client:
        client.post(
            f"{server.url}/v2/organizations/_search", json={}, headers={"authorization": f"Bearer {server.pat}"}
        )
    places = [server.var, *(one for one in server.var.rglob("*") if one.name not in ("server.log", "worker.log"))]
    names = {one.name for one in places}
    assert {"gatehouse.sqlite3", "gatehouse.sqlite3-wal", "gatehouse.sqlite3-shm", "masterkey"} <= names
    open_to_others = [str(one) for one in places if one.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    assert not open_to_others
