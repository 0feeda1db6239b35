"""What comes over the socket and is no request: too large, too slow, smuggled, torn, random. Never a 5xx, never a hang."""

import gzip
import http.client
import json
import random
import socket
import struct
import time

import pytest

from tests.clients.test_wires import GET, SERVICE, framed, frames, send
from tests.servers import new_server

LIMIT = 4 * 1024 * 1024
SECONDS = 15


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of its own that counts no rates, so that every request gets as far as it can."""
    made = new_server(tmp_path_factory.mktemp("hostile"))
    made.environment["ZITADEL_RATELIMITS_ENABLED"] = "false"
    made.start()
    yield made
    made.kill()


def talk(server, raw, *, half=True):
    """Raw bytes in; all that comes back until the server closes, or stops talking."""
    with socket.create_connection(("localhost", server.port), timeout=SECONDS) as wire:
        wire.settimeout(SECONDS)
        try:
            wire.sendall(raw)
            if half:
                wire.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = b""
        try:
            while piece := wire.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


def head(path="/v2/users/new", *lines, verb="POST", version="1.1"):
    return "\r\n".join([f"{verb} {path} HTTP/{version}", "Host: localhost", *lines, "", ""]).encode()


def statuses(answer):
    """Every status line in what came back."""
    return [int(line.split()[1]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")]


def test_n01_a_body_that_is_announced_too_large_is_refused_unread(server):
    begun = time.monotonic()
    answer = talk(server, head("/v2/users/new", "Content-Length: 104857600"), half=False)
    assert statuses(answer) == [413] and b"API-b1g2x" in answer
    assert time.monotonic() - begun < SECONDS, "the connection ends at once"


def test_who_sends_everything_first_still_reads_why_it_was_refused(server):
    status, _, answer = send(server, "/v2/users/new", b'"' + b"x" * 3 * LIMIT + b'"', "application/json")
    assert (status, json.loads(answer)["details"][0]["id"]) == (413, "API-b1g2x")


def test_n01_a_body_that_grows_too_large_is_refused_while_it_arrives(server):
    wire = http.client.HTTPConnection("localhost", server.port, timeout=SECONDS)
    wire.putrequest("POST", "/v2/users/new")
    wire.putheader("Transfer-Encoding", "chunked")
    wire.endheaders()
    try:
        for _ in range(100):
            wire.send(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
    except OSError:
        return  # the server stopped listening, which is what it should do
    assert wire.getresponse().status == 413


def test_a_chunked_body_is_read_whole(server):
    wire = http.client.HTTPConnection("localhost", server.port, timeout=SECONDS)
    headers = {"Authorization": f"Bearer {server.pat}", "Content-Type": "application/json"}
    body = json.dumps({"queries": [{"stateQuery": {"state": "NOPE"}}]}).encode()
    wire.request("POST", "/v2/users", iter([body[:9], body[9:]]), headers, encode_chunked=True)
    assert wire.getresponse().status == 400, "the body was seen"


@pytest.mark.parametrize("kind", ["application/json", "application/proto"])
def test_n01_a_message_too_large_is_resource_exhausted_over_connect(server, kind):
    body = b'"' + b"x" * LIMIT + b'"xxxxxxx'
    status, _, answer = send(server, GET, body, kind)
    assert (status, json.loads(answer)["code"]) == (429, "resource_exhausted")


def test_n01_a_message_too_large_is_resource_exhausted_over_grpc_web(server):
    lines = ("Content-Type: application/grpc-web+proto", f"Content-Length: {LIMIT + 100}")
    answer = talk(server, head(GET, *lines), half=False)
    assert statuses(answer) == [200] and b"grpc-status: 8" in answer.lower()


@pytest.mark.parametrize("path", [GET, "/v2/users"])
def test_n02_a_bomb_is_not_inflated_past_the_limit(server, path):
    bomb = gzip.compress(gzip.compress(b"0" * 300_000_000))
    for body in (gzip.decompress(bomb), bomb):
        status, _, answer = send(server, path, body, "application/json", Content_Encoding="gzip")
        assert 400 <= status < 500 and json.loads(answer)["code"] in (3, "resource_exhausted", "invalid_argument")


def test_n02_a_bomb_in_a_grpc_frame_is_refused(server):
    packed = gzip.compress(b"0" * 300_000_000)
    body = b"\1" + struct.pack(">I", len(packed)) + packed
    status, headers, answer = send(server, GET, body, "application/grpc-web+proto", Grpc_Encoding="gzip")
    told = b"".join(part for _, part in frames(answer)) + str(headers).encode()
    assert status == 200 and b"grpc-status" in told and b"8" in told


SMUGGLED = b"GET /v2/users/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNK = b"0\r\n\r\n"
JSON = "Content-Type: application/json"
SMUGGLING = {
    "CL.TE": head("/v2/users", JSON, "Content-Length: 6", "Transfer-Encoding: chunked") + CHUNK + SMUGGLED,
    "TE.CL": head("/v2/users", JSON, "Transfer-Encoding: chunked", "Content-Length: 3") + CHUNK + SMUGGLED,
    "TE.TE": head("/v2/users", JSON, "Transfer-Encoding: chunked", "Transfer-Encoding: cow") + CHUNK + SMUGGLED,
    "TE identity": head("/v2/users", JSON, "Transfer-Encoding: identity, chunked") + CHUNK + SMUGGLED,
    "TE with tab": head("/v2/users", JSON, "Transfer-Encoding:\tchunked\x0b") + CHUNK + SMUGGLED,
    "TE with space": head("/v2/users", JSON, "Transfer-Encoding : chunked") + CHUNK + SMUGGLED,
    "CL twice": head("/v2/users", JSON, "Content-Length: 0", f"Content-Length: {len(SMUGGLED)}") + SMUGGLED,
    "CL list": head("/v2/users", JSON, f"Content-Length: 0, {len(SMUGGLED)}") + SMUGGLED,
    "CL sign": head("/v2/users", JSON, "Content-Length: +0") + SMUGGLED,
    "CL negative": head("/v2/users", JSON, "Content-Length: -1") + SMUGGLED,
    "HTTP/1.0 with TE": head("/v2/users", JSON, "Transfer-Encoding: chunked", version="1.0") + CHUNK + SMUGGLED,
    "folded": head("/v2/users", JSON, "X-A: b\r\n Transfer-Encoding: chunked", "Content-Length: 5") + CHUNK + SMUGGLED,
    "chunk size": head("/v2/users", JSON, "Transfer-Encoding: chunked") + b"0x0\r\n\r\n" + SMUGGLED,
    "chunk minus": head("/v2/users", JSON, "Transfer-Encoding: chunked") + b"-1\r\n\r\n" + SMUGGLED,
    "bare LF": b"POST /v2/users HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n" + SMUGGLED,
    "NUL": head("/v2/users", "X-A: a\0b", "Content-Length: 0") + SMUGGLED,
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_h04_a_request_of_two_lengths_ends_the_connection(server, name):
    found = statuses(talk(server, SMUGGLING[name]))
    assert found in ([], [400], [501], [405]), f"{name}: {found}"


@pytest.mark.parametrize(
    "raw",
    [
        head("/v2/users", "X-Big: " + "x" * 200_000, verb="GET"),
        head("/v2/users", *[f"X-{number}: {number}" for number in range(5_000)], verb="GET"),
        head("/v2/users", "Cookie: " + "; ".join(f"c{number}=1" for number in range(20_000)), verb="GET"),
        head("/" + "x" * 100_000, verb="GET"),
    ],
)
def test_n07_huge_headers_are_refused(server, raw):
    found = statuses(talk(server, raw))
    assert found == [] or (len(found) == 1 and 400 <= found[0] < 500)


def test_n07_half_requests_hold_no_thread(server):
    """More bodies that never end than there are threads; others are answered meanwhile."""
    slow = [socket.create_connection(("localhost", server.port), timeout=SECONDS) for _ in range(60)]
    try:
        for wire in slow:
            wire.sendall(head("/v2/users", JSON, "Content-Length: 1000") + b"{")
        begun = time.monotonic()
        status, _, _ = send(server, "/debug/healthz", None, "text/plain", method="GET")
        assert status == 200 and time.monotonic() - begun < SECONDS
        assert send(server, SERVICE + "ListUsers", b"{}", "application/json")[0] == 200
    finally:
        for wire in slow:
            wire.close()


def test_n07_ten_thousand_scopes_are_answered(server):
    path = "/oauth/v2/token"
    form = b"grant_type=client_credentials&client_id=x&client_secret=y&scope=" + b"+".join([b"scope"] * 10_000)
    status, _, _ = send(server, path, form, "application/x-www-form-urlencoded", token=False)
    assert status in (400, 401)


def test_a_body_that_does_not_arrive_is_given_up(tmp_path):
    slow = new_server(tmp_path)
    slow.environment["ZITADEL_LIMITS_BODYSECONDS"] = "1"
    slow.start()
    try:
        answer = talk(slow, head("/v2/users", JSON, "Content-Length: 1000") + b"{", half=False)
        assert statuses(answer) == [408] and b"API-sl0wb" in answer
    finally:
        slow.kill()


KINDS = [
    "application/json",
    "application/proto",
    "application/grpc-web+proto",
    "application/grpc-web+json",
    "application/grpc-web-text",
    "application/connect+json",
    "text/plain",
    "\x7f",
]
VALID = json.dumps({"userId": "1"}).encode()


def mutations(chance):
    """Bodies that are nearly right, and bodies that are nothing."""
    from iam.api.gen import user_v2

    frame = framed(user_v2.GetUserByIDRequest(user_id="1"))
    yield chance.randbytes(chance.randint(0, 200))
    yield frame[: chance.randint(0, len(frame))]
    yield bytes([chance.randint(0, 255)]) + struct.pack(">I", chance.choice([0, 1, 2**31, 2**32 - 1])) + b"abc"
    yield frame * chance.randint(2, 5)
    yield bytes(byte ^ (1 << chance.randint(0, 7)) if chance.random() < 0.2 else byte for byte in frame)
    yield VALID[: chance.randint(0, len(VALID))]
    yield bytes(byte ^ (1 << chance.randint(0, 7)) if chance.random() < 0.1 else byte for byte in VALID)


def test_random_bytes_on_the_rpc_paths_are_refused_in_order(server):
    chance = random.Random(20)
    for turn in range(30):
        for kind in KINDS:
            for body in mutations(chance):
                method = chance.choice([GET, SERVICE + "ListUsers", SERVICE + "Nothing", SERVICE + "AddHumanUser"])
                more = {"Connect_Timeout_Ms": chance.choice(["1000", "x", "-1", "9" * 30])} if turn % 3 == 0 else {}
                status, headers, answer = send(server, method, body, kind, token=turn % 2 == 0, **more)
                assert status < 500 or (status, method) == (501, SERVICE + "Nothing"), (kind, body, status, answer)
                assert b"Traceback" not in answer and b'File "' not in answer
                told = str(headers).lower() + answer.decode("latin1").lower()
                assert "grpc-status:13" not in told.replace(" ", "") and "internal error" not in told, (
                    kind,
                    body,
                    answer,
                )


def test_random_bytes_on_cleartext_http2_do_not_hang(server):
    chance = random.Random(21)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    settings = b"\0\0\0\4\0\0\0\0\0"
    for _ in range(40):
        length = chance.randint(0, 60)
        frame = struct.pack(">I", length)[1:] + bytes([chance.randint(0, 12), chance.randint(0, 255)])
        frame += struct.pack(">I", chance.randint(0, 7)) + chance.randbytes(chance.randint(0, length))
        talk(server, preface + settings + frame)
    assert send(server, SERVICE + "ListUsers", b"{}", "application/json")[0] == 200


def test_h11_nothing_of_all_this_left_a_trace_in_the_log(server):
    text = (server.var / "server.log").read_text()
    assert "Traceback" not in text, text[text.index("Traceback") - 500 :][:3000]
