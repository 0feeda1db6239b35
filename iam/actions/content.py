"""What a target is told of a fact: the body that clients of the reference know, without secrets and without personal data.

A fact's personal fields are sealed so that they end with the person; what has left the house does not. A receiver that needs
them asks the API for the person.
"""

import json
from typing import Any

from eventstore.events import to_payload, without_secrets
from eventstore.store import Recorded


def content(one: Recorded) -> bytes:
    """The body. Type and id of the aggregate with the sequence name the fact for good: the same at every try."""
    told = {
        "aggregateID": one.stream.id,
        "aggregateType": one.stream.kind,
        "resourceOwner": one.owner,
        "instanceID": one.stream.instance,
        "version": f"v{one.fact.revision}",
        "sequence": one.version,
        "event_type": one.fact.stored_name,
        "created_at": one.at.isoformat().replace("+00:00", "Z"),
        "userID": one.actor,
        "event_payload": _payload(one),
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _payload(one: Recorded) -> dict[str, Any]:
    payload, personal = to_payload(one.fact)
    for path in personal:
        _drop(payload, path)
    return without_secrets(payload)


def _drop(payload: dict[str, Any], path: tuple[str, ...]) -> None:
    *branches, last = path
    for branch in branches:
        payload = payload[branch]
    del payload[last]
