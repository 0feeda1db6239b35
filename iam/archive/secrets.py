"""Sealed texts inside payloads: opened on the way out, sealed under the target's own data keys on the way in."""

import base64
import re
from collections.abc import Callable
from typing import Any

from iam.vault import wiring

SEALED = re.compile(r"v1\.([a-z_]+)-[0-9a-f]{12}\.[A-Za-z0-9_=-]+")
MARK = "$secret"


def opened(instance: str, payload: Any) -> Any:
    """A payload whose sealed texts are replaced by what they hold."""

    def one(text: str) -> Any:
        found = SEALED.fullmatch(text)
        if not found:
            return text
        plain = wiring.envelope().open(instance, found[1], text)
        return {MARK: found[1], "plain": base64.b64encode(plain).decode()}

    return _walked(payload, one)


def sealed(instance: str, payload: Any) -> Any:
    """Undo `opened`, for another instance or server."""

    def one(found: dict[str, Any]) -> Any:
        return wiring.envelope().seal(instance, found[MARK], base64.b64decode(found["plain"]))

    return _walked(payload, lambda text: text, one)


def _walked(value: Any, text: Callable[[str], Any], secret: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    match value:
        case str():
            return text(value)
        case dict() if secret and MARK in value:
            return secret(value)
        case dict():
            return {name: _walked(part, text, secret) for name, part in value.items()}
        case list():
            return [_walked(part, text, secret) for part in value]
    return value
