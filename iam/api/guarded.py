"""Gives every answer, of whichever wire, the headers that browsers are kept in check with (checklist H09)."""

from typing import Any

from iam.api.cors import Asgi, Scope
from iam.settings.guards import headers_of_all


def guarded(application: Asgi) -> Asgi:
    """Add what an answer does not say itself."""

    async def answer(scope: Scope, receive: Any, send: Any) -> None:
        async def send_guarded(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _complete(message.get("headers", ()))}
            await send(message)

        await application(scope, receive, send_guarded)

    return answer


def _complete(headers: Any) -> list[tuple[bytes, bytes]]:
    there = [(bytes(name), bytes(value)) for name, value in headers]
    named = {name.lower() for name, _ in there}
    framed = any(name.lower() == b"content-security-policy" for name, _ in there)
    for name, value in headers_of_all().items():
        key = name.lower().encode()
        if key not in named and not (key == b"x-frame-options" and framed):  # a page says itself who may frame it
            there.append((key, value.encode()))
    return there
