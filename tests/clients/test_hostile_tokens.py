"""Hostile bearer tokens and messages on each wire of a running server: refused in the wire's own words, never a 5xx (J09, N01)."""

import base64
import json
import struct

import grpc
import pytest

from iam.api.gen import user_v2
from tests.clients.test_wires import GET, framed, frames, send

DIGITS = b"9" * 5000
HEAD = b'{"alg":"RS256","kid":"1"}'
VALUES = {
    "5,000 digits": b'{"iss":' + DIGITS + b"}",
    "1e400": b'{"iss":1e400}',
    "NaN": b'{"iss":NaN}',
    "depth": b'{"a":' * 500 + b"1" + b"}" * 500,
    "a lone surrogate": b'{"iss":"\\ud800"}',
    "a lone surrogate as name": b'{"\\ud800":1}',
    "a member twice": b'{"iss":"a","iss":"b"}',
    "a mark of bytes": b'\xef\xbb\xbf{"iss":"a"}',
    "NUL": b'{"iss":"\\u0000"}',
    "broken UTF-8": b'{"iss":"\xff"}',
}
TEXTS = {"not ASCII": "é.é.é", "dots": "." * 500, "a prefix": "gths_" + "0" * 49, "empty": ""}


def packed(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def tokens():
    for name, raw in VALUES.items():
        yield pytest.param(f"{packed(HEAD)}.{packed(raw)}.c2ln", id=name)
        yield pytest.param(f"{packed(raw)}.{packed(HEAD)}.c2ln", id=f"{name}, in the header")
    for name, text in TEXTS.items():
        yield pytest.param(text, id=name)


REQUEST = user_v2.GetUserByIDRequest(user_id="1")
WIRES = {
    "REST": ("/v2/users/1", None, "application/json", "GET"),
    "Connect JSON": (GET, b'{"userId":"1"}', "application/json", "POST"),
    "Connect binary": (GET, REQUEST.SerializeToString(), "application/proto", "POST"),
}


@pytest.mark.parametrize("token", tokens())
def test_j09_a_hostile_bearer_is_unauthenticated_on_each_wire(server, token):
    header = {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    for wire, (path, body, kind, verb) in WIRES.items():
        status, _, answer = send(server, path, body, kind, method=verb, token=False, **header)
        assert status == 401, (wire, status, answer)
        assert json.loads(answer)["code"] in (16, "unauthenticated"), wire
    status, headers, answer = send(server, GET, framed(REQUEST), "application/grpc-web+proto", token=False, **header)
    trailers = headers.get("grpc-status", "") or frames(answer)[-1][1].decode()
    assert status == 200 and "16" in trailers, (headers, answer)
    if token and token.isascii():  # a blank at the end is no header of HTTP/2
        with grpc.insecure_channel(f"localhost:{server.port}") as channel:
            call = channel.unary_unary(GET, lambda one: one.SerializeToString(), user_v2.GetUserByIDResponse.FromString)
            with pytest.raises(grpc.RpcError) as refused:
                call(REQUEST, metadata=(("authorization", f"Bearer {token}"),), timeout=20)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def varint(number):
    made = b""
    while number > 127:
        made, number = made + bytes([number & 127 | 128]), number >> 7
    return made + bytes([number])


def text(raw):
    return b"\x0a" + varint(len(raw)) + raw


MESSAGES = {
    "surrogates in UTF-8": text(b"\xed\xa0\x80"),
    "broken UTF-8": text(b"\xff\xfe"),
    "NUL": text(b"a\0b"),
    "1 MB of text": text(b"x" * 1_000_000),
    "a length beyond the end": b"\x0a\xff\xff\xff\xff\x0f",
    "a number without an end": b"\x08" + b"\xff" * 20,
    "groups that never close": b"\x0b" * 10_000,
    "field zero": b"\x00\x00",
    "a wire type that is none": b"\x0f",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_n01_a_hostile_message_is_refused_on_each_binary_wire(server, name):
    raw = MESSAGES[name]
    status, _, answer = send(server, GET, raw, "application/proto")
    assert 400 <= status < 500, answer
    frame = b"\0" + struct.pack(">I", len(raw)) + raw
    status, headers, answer = send(server, GET, frame, "application/grpc-web+proto")
    told = headers.get("grpc-status") or frames(answer)[-1][1].decode()
    assert not any(f"{code}" in told.split("grpc-message")[0] for code in (13, 2)) or "12" in told, told
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        call = channel.unary_unary(GET, lambda one: one, lambda one: one)
        with pytest.raises(grpc.RpcError) as refused:
            call(raw, metadata=(("authorization", f"Bearer {server.pat}"),), timeout=20)
    assert refused.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)
