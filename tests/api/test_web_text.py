"""gRPC-Web as text: what is base64, and how an answer is written."""

import asyncio
import base64
import binascii

import pytest

from iam.api.web_text import as_text, decoded

FRAME = b"\0\0\0\0\x05hello"


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(FRAME),
        base64.b64encode(FRAME[:4]) + base64.b64encode(FRAME[4:]),
        base64.encodebytes(FRAME),
        b"".join(base64.b64encode(FRAME[at : at + 1]) for at in range(len(FRAME))),
    ],
)
def test_pieces_with_their_own_padding_are_one_message(text):
    assert decoded(text) == FRAME


@pytest.mark.parametrize("text", [b"%%%%", b"AAAA=", b"A", b"=AAA", b"\xff\xfe"])
def test_what_is_not_base64_is_refused(text):
    with pytest.raises(binascii.Error):
        decoded(text)


@pytest.mark.parametrize("pieces", [[b"abcdefg"], [b"a", b"bcd", b"", b"efg"], [b"ab", b"cd", b"ef", b"g"], [b""]])
def test_an_answer_in_pieces_is_one_base64_with_padding_at_its_end(pieces):
    async def application(scope, receive, send):
        kinds = [value for name, value in scope["headers"] if name == b"content-type"]
        assert kinds == [b"application/grpc-web+proto"]
        assert (await receive())["body"] == FRAME
        headers = [(b"content-type", b"application/grpc-web+proto"), (b"content-length", b"7")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for at, piece in enumerate(pieces):
            await send({"type": "http.response.body", "body": piece, "more_body": at < len(pieces) - 1})

    sent = []

    async def receive():
        return {"type": "http.request", "body": base64.b64encode(FRAME), "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"headers": [(b"content-type", b"application/grpc-web-text+proto"), (b"content-length", b"16")]}
    asyncio.run(as_text(application)(scope, receive, send))
    assert sent[0]["headers"] == [(b"content-type", b"application/grpc-web-text+proto")]
    assert b"".join(message["body"] for message in sent[1:]) == base64.b64encode(b"".join(pieces))
