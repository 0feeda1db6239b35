"""The head of a request before anybody reads it: its size, and the one host that it is for (checklist H01, N07).

What comes after sees a single `host`: the name that was asked for, as a trusted proxy says or as the client does, with the
port of the configuration.
"""

from typing import Any

from django.conf import settings

from iam.access.hosts import host_asked, origin_of
from iam.api.cors import Asgi, Scope
from iam.api.gate import refuse
from iam.kernel.errors import InvalidInput, TooLarge

HOST = b"host"
BESIDE = 4
"""What stands between name and value of a header, and behind it."""
BAD_HOST = 4400


def at_its_host(application: Asgi) -> Asgi:
    """Give a request its host, or refuse it."""

    async def answer(scope: Scope, receive: Any, send: Any) -> None:
        try:
            _must_fit(scope)
            netloc = _netloc(scope)
        except (InvalidInput, TooLarge) as wrong:
            await _refuse(scope, send, wrong)
            return
        others = [(name, value) for name, value in scope["headers"] if name != HOST]
        await application({**scope, "headers": [*others, (HOST, netloc)]}, receive, send)

    return answer


async def _refuse(scope: Scope, send: Any, wrong: InvalidInput | TooLarge) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": BAD_HOST})
    else:
        await refuse(scope, send, wrong, 431 if isinstance(wrong, TooLarge) else 400)


def _must_fit(scope: Scope) -> None:
    head = len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"")
    head += sum(len(name) + len(value) + BESIDE for name, value in scope["headers"])
    if head > settings.CONFIG.Limits.HeaderBytes:
        raise TooLarge("api.head_too_large")


def _netloc(scope: Scope) -> bytes:
    """Host and port of the public origin; raises InvalidInput for a request line or a host of another form."""
    if not (scope.get("raw_path") or scope["path"].encode("latin-1", "replace")).startswith((b"/", b"*")):
        raise InvalidInput("auth.host_invalid", field="host")  # an absolute form names a second host (RFC 9112 §3.2.2)
    headers = _joined(scope)
    if (
        "host" not in headers and scope.get("http_version") == "1.0"
    ):  # may leave it out; then it is nobody's (RFC 9112 §3.2)
        headers["host"] = "{}:{}".format(*(scope.get("server") or ("localhost", 0)))
    peer = (scope.get("client") or ("",))[0]
    return origin_of(host_asked(headers, peer)).partition("://")[2].encode()


def _joined(scope: Scope) -> dict[str, str]:
    """Headers by name; several of one name are a list (RFC 9110 §5.3), and two hosts so are no name."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found
