"""Sealed fields inside payloads: opened on the way out, sealed under the target's own data keys on the way in.

Which fields are sealed is said by the fact's class (`Sealed`). What a text looks like says nothing: people write what they
like, also what looks as if it were ours.
"""

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

from eventstore.events import Event, payload_fields
from iam.vault import wiring

SEALED = re.compile(r"v1\.([a-z_]+)-[0-9a-f]{12}\.[A-Za-z0-9_=-]+")
"""What a sealed field holds: the purpose is the beginning of its key's name."""
MARK = "$secret"


def opened(instance: str, kind: type[Event], payload: dict[str, Any]) -> dict[str, Any]:
    """The payload with its sealed fields replaced by what they hold."""

    def one(value: Any) -> Any:
        found = SEALED.fullmatch(value) if isinstance(value, str) else None
        if not found:  # not given, or taken back
            return value
        plain = wiring.envelope().open(instance, found[1], value)
        return {MARK: found[1], "plain": base64.b64encode(plain).decode()}

    return _replaced(kind, payload, one)


def sealed(instance: str, kind: type[Event], payload: dict[str, Any]) -> dict[str, Any]:
    """Undo `opened`, for another instance or server."""

    def one(value: Any) -> Any:
        if not isinstance(value, dict) or MARK not in value:
            return value
        return wiring.envelope().seal(instance, value[MARK], base64.b64decode(value["plain"]))

    return _replaced(kind, payload, one)


def _replaced(kind: type[Event], payload: dict[str, Any], one: Callable[[Any], Any]) -> dict[str, Any]:
    for place, name in _sealed_places(kind, payload):
        place[name] = one(place[name])
    return payload


def _sealed_places(kind: type[Event], payload: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for part in payload_fields(kind):
        place: Any = payload
        for step in part.path[:-1]:
            place = place.get(step, {})
        if part.sealed and part.path[-1] in place:
            yield place, part.path[-1]
