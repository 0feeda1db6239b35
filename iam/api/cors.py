"""Which pages may call the API from a browser: those at home at an origin that an application of the instance registered.

No credentials, never `null`, never an origin that nobody registered (checklist D10). Preflights carry no token and are
answered before anybody asks for one. Source: reference/clients.md §2.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections

Scope = dict[str, Any]
Asgi = Callable[[Scope, Any, Any], Awaitable[None]]
OriginCheck = Callable[[str, str], bool]
"""(host asked for, origin) → whether an application of the host's instance is at home there."""

_checks: list[OriginCheck] = []

ALLOWED = (
    "authorization, content-type, grpc-timeout, x-grpc-web, x-user-agent, x-zitadel-orgid,"
    " connect-protocol-version, connect-timeout-ms, idempotency-key, if-match, if-none-match"
)
EXPOSED = "grpc-status, grpc-message, grpc-status-details-bin, etag, retry-after, idempotency-replayed"
PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    (b"access-control-allow-headers", ALLOWED.encode()),
    (b"access-control-max-age", b"600"),
)


def knows_origins(check: OriginCheck) -> OriginCheck:
    """Register who knows the applications' origins (oidc does)."""
    _checks[:] = [check]
    return check


def with_cors(application: Asgi) -> Asgi:
    """Answer preflights, and mark answers for the pages that may read them, refusals too."""

    async def answer(scope: Scope, receive: Any, send: Any) -> None:
        origin = _header(scope, b"origin")
        if not origin:
            await application(scope, receive, send)
            return
        allowed = await sync_to_async(_is_registered, thread_sensitive=False)(_header(scope, b"host"), origin)
        marks = _marks(origin) if allowed else [(b"vary", b"Origin")]
        if scope["method"] == "OPTIONS":
            await _preflight(send, [*marks, *(PREFLIGHT if allowed else ())])
        else:
            await application(scope, receive, _marking(send, marks))

    return answer


def _is_registered(host: str, origin: str) -> bool:
    try:
        return any(check(host, origin) for check in _checks)
    finally:
        close_old_connections()


def _header(scope: Scope, name: bytes) -> str:
    return next((value for key, value in scope["headers"] if key == name), b"").decode("latin-1")


def _marks(origin: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", EXPOSED.encode()),
        (b"vary", b"Origin"),
    ]


def _marking(send: Any, marks: list[tuple[bytes, bytes]]) -> Any:
    async def marked(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *marks]}
        await send(message)

    return marked


async def _preflight(send: Any, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
