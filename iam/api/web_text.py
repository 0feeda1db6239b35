"""gRPC-Web as text: the same frames as gRPC-Web, in base64 both ways (gRPC-Web protocol, application/grpc-web-text)."""

import base64
import binascii
import re
from typing import Any
from urllib.parse import quote

from iam.api.cors import Asgi, Scope
from iam.api.errors import told
from iam.kernel.errors import InvalidInput

TEXT, BINARY = b"application/grpc-web-text", b"application/grpc-web"
QUANTUM = 4
"""Signs of base64 that stand for whole bytes."""
PIECE = re.compile(rb"[^=]+=*|=+")
"""What ends with padding; a client may send several."""


def is_text(kind: bytes) -> bool:
    """Whether a content type is gRPC-Web as text."""
    return kind.startswith(TEXT)


def decoded(text: bytes) -> bytes:
    """The bytes of pieces of base64, each with its own padding; raises binascii.Error."""
    pieces = PIECE.findall(b"".join(text.split()))
    if any(len(piece) % QUANTUM for piece in pieces):
        raise binascii.Error("no whole quantum")
    return b"".join(base64.b64decode(piece, validate=True) for piece in pieces)


def as_text(application: Asgi) -> Asgi:
    """Let an application that speaks gRPC-Web answer in text."""

    async def answer(scope: Scope, receive: Any, send: Any) -> None:
        try:
            body = decoded(await _whole(receive))
        except binascii.Error:
            await send({"type": "http.response.start", "status": 200, "headers": _refusal()})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        headers = [
            (name, _other(value, TEXT, BINARY) if name in (b"content-type", b"accept") else value)
            for name, value in scope["headers"]
            if name != b"content-length"
        ]
        length = (b"content-length", str(len(body)).encode())
        await application({**scope, "headers": [*headers, length]}, _once(body, receive), _Encoding(send).pass_on)

    return answer


def _refusal() -> list[tuple[bytes, bytes]]:
    """What is no base64 is refused in the headers alone, as gRPC-Web allows where there is no message."""
    answer = told(InvalidInput("api.base64_invalid"))
    status = (b"grpc-status", str(answer.kind.grpc).encode())
    return [(b"content-type", TEXT + b"+proto"), status, (b"grpc-message", quote(answer.message).encode())]


async def _whole(receive: Any) -> bytes:
    """The body, whose size the gate has bounded."""
    collected = bytearray()
    while True:
        message = await receive()
        collected += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(collected)


def _once(body: bytes, receive: Any) -> Any:
    waiting = [body]

    async def again() -> Any:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again


class _Encoding:
    """Passes an answer on as text. Bytes that make no whole quantum wait for the next: padding stands at the end only."""

    def __init__(self, send: Any) -> None:
        self.send, self.rest = send, b""

    async def pass_on(self, message: dict[str, Any]) -> None:
        """Pass one event of the answer on."""
        if message["type"] == "http.response.start":
            headers = [
                (name, _other(value, BINARY, TEXT) if name == b"content-type" else value)
                for name, value in message.get("headers", ())
                if name != b"content-length"
            ]
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            message = {**message, "body": self._encoded(message.get("body", b""), message.get("more_body", False))}
        await self.send(message)

    def _encoded(self, body: bytes, goes_on: bool) -> bytes:
        bytes_so_far = self.rest + body
        whole = len(bytes_so_far) // 3 * 3 if goes_on else len(bytes_so_far)
        self.rest = bytes_so_far[whole:]
        return base64.b64encode(bytes_so_far[:whole])


def _other(kind: bytes, old: bytes, new: bytes) -> bytes:
    return new + kind[len(old) :] if kind.lower().startswith(old) else kind
