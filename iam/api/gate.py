"""Takes the body of a request, bounded in bytes and time, before anything else works on it (checklist N01, N07).

The web part runs in few threads: a body that trickles in must not hold one. So it is collected here, where waiting costs
nothing, and handed on whole. Too many bytes are refused before they are kept: by the length that is announced, else while
they arrive. A body without an announced length (chunked, HTTP/2) gets one.
"""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.utils import translation
from django.utils.html import escape
from django.utils.translation.trans_real import parse_accept_lang_header

from iam.api import admission, reflection
from iam.api.errors import rest_body, told
from iam.kernel.errors import Refusal, ResourceExhausted, TooLarge

MOST_HELD = 256 * 1024 * 1024
"""Bytes of unfinished bodies in this process; beyond it who sends the next one waits."""
LINGERING_BYTES = 16 * 1024 * 1024
LINGERING_SECONDS = 2
"""How much is still read of a body that is refused, so that whoever sends it all first sees the answer (RFC 9112 §9.6)."""
FRAME = 5
BODILESS = ("GET", "HEAD", "OPTIONS")

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


class _Gone(Exception):
    """The client left."""


class _TooMuchHeld(ResourceExhausted):
    """There is no room for another body."""


class _Held:
    bytes = 0


async def passed(scope: Scope, receive: Any, send: Any, application: Application) -> None:
    """Let a request through to an application, or refuse it."""
    if _is_stream(scope["path"]):
        await application(scope, receive, send)
        return
    collected = bytearray()
    try:
        async with asyncio.timeout(settings.CONFIG.Limits.BodySeconds):
            await _collect(scope, receive, collected)
        body = bytes(collected)
        async with admission.turn(scope, body):
            await application(_announced(scope, len(body)), _replay(body, receive), send)
    except TimeoutError:
        await refuse(scope, send, ResourceExhausted("api.body_too_slow"), 408)
    except TooLarge as large:
        await _linger(scope, receive)
        await refuse(scope, send, large, 413)
    except ResourceExhausted as full:
        await refuse(scope, send, full, 503 if isinstance(full, _TooMuchHeld) else 429)
    except _Gone:
        return
    finally:
        _Held.bytes -= len(collected)


def _is_stream(path: str) -> bool:
    return path[1:].partition("/")[0] in reflection.SERVICES


async def _collect(scope: Scope, receive: Any, collected: bytearray) -> None:
    most = settings.CONFIG.Limits.RequestBytes + FRAME
    if (length := _header(scope, b"content-length")) and int(length) > most:
        raise TooLarge("api.body_too_large")
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body = message.get("body", b"")
        if len(collected) + len(body) > most:
            raise TooLarge("api.body_too_large")
        if _Held.bytes + len(body) > MOST_HELD:
            raise _TooMuchHeld("api.too_many_requests")
        collected += body
        _Held.bytes += len(body)
        if not message.get("more_body", False):
            return


async def _linger(scope: Scope, receive: Any) -> None:
    announced = int(_header(scope, b"content-length") or 0)
    if announced > LINGERING_BYTES or _header(scope, b"expect"):  # who waits to be asked for the body need not send it
        return
    read = 0
    try:
        async with asyncio.timeout(LINGERING_SECONDS):
            while read < LINGERING_BYTES:
                message = await receive()
                if not message.get("more_body", False):
                    return
                read += len(message["body"])
    except TimeoutError:
        return


def _announced(scope: Scope, length: int) -> Scope:
    if _header(scope, b"content-length") is not None or scope["method"] in BODILESS:
        return scope
    headers = [(name, value) for name, value in scope["headers"] if name != b"transfer-encoding"]
    return {**scope, "headers": [*headers, (b"content-length", str(length).encode())]}


def _replay(body: bytes, receive: Any) -> Any:
    waiting: list[bytes] = [body]

    async def again() -> Any:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)


async def refuse(scope: Scope, send: Any, refusal: Refusal, status: int) -> None:
    """Answer in the form of the wire, and end a connection whose rest nobody will read."""
    kind = (_header(scope, b"content-type") or b"").decode("latin1").partition(";")[0]
    answer = told(refusal)
    headers: Headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
    if scope["http_version"].startswith("1") and status != 429:
        headers.append((b"connection", b"close"))
    trailers: Headers = []
    if kind.startswith("application/grpc"):
        status, body = 200, b""
        headers.append((b"content-type", kind.encode("latin1")))
        told_there = headers if kind.startswith("application/grpc-web") else trailers
        told_there.append((b"grpc-status", str(answer.kind.grpc).encode()))
        told_there.append((b"grpc-message", quote(answer.message).encode()))
    elif "." in scope["path"][1:].partition("/")[0]:
        body = json.dumps({"code": answer.kind.connect, "message": answer.message}).encode()
        status = 429 if status == 413 else status
        headers.append((b"content-type", b"application/json"))
    elif scope["path"].startswith("/ui/"):
        body = _page(scope, answer.text)
        headers.append((b"content-type", b"text/html; charset=utf-8"))
        headers.append((b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"))
    else:
        body = json.dumps(rest_body(answer)).encode()
        headers.append((b"content-type", b"application/json"))
    wait = getattr(refusal, "retry_after", None)
    if wait is not None and status != 408:
        headers.append((b"retry-after", str(math.ceil(wait.total_seconds())).encode()))
    await _answer(scope, send, status, headers, body, trailers)


async def _answer(scope: Scope, send: Any, status: int, headers: Headers, body: bytes, trailers: Headers) -> None:
    """Send it; what belongs behind the body goes there where the wire can, as gRPC over HTTP/2 reads it nowhere else."""
    behind = bool(trailers) and "http.response.trailers" in scope.get("extensions", {})
    if not behind:
        headers = [*headers, *trailers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": behind})
    await send({"type": "http.response.body", "body": body, "more_body": False})
    if behind:
        await send({"type": "http.response.trailers", "headers": trailers, "more_trailers": False})


def _page(scope: Scope, text: str) -> bytes:
    """For people, without a template: there is no time for one."""
    wanted = (_header(scope, b"accept-language") or b"").decode("latin1")
    known = dict(settings.LANGUAGES)
    language = next((one for one, _ in parse_accept_lang_header(wanted) if one in known), settings.LANGUAGE_CODE)
    with translation.override(language):
        said = escape(translation.gettext(text))
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{said}</title>'
    return f'<!doctype html><html lang="{language}"><head>{head}</head><body><p>{said}</p></body></html>'.encode()
