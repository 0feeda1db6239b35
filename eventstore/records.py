"""Between facts and rows: what is stored, how it is sealed, what its digest covers."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from eventstore.events import Event, UnknownEventError, event_class, from_payload, payload_fields, to_payload
from eventstore.models import EventRow
from eventstore.sealing import seal, unseal
from eventstore.store import Origin, Recorded, Stream

Keys = Mapping[str, bytes]


@dataclass(frozen=True)
class UnknownFact(Event):
    """A fact written by a newer version: kept as it is, understood by nobody here (checklist E12)."""

    name: str
    payload: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """It bears the name that it was stored under."""
        object.__setattr__(self, "stored_name", self.name)


@dataclass(frozen=True)
class Stored:
    """The stored form of a fact or a use, sealed, before it has a position."""

    subject: str
    payload: dict[str, Any]
    context: dict[str, Any]


def subject_of(stream: Stream, fact: Event) -> str:
    """The person whose key seals the fact's personal fields; empty when it has none."""
    has_personal = any(part.personal for part in payload_fields(type(fact)))
    return fact.subject(stream.id) if has_personal else ""


def person_of_origin(stream: Stream, actor: str) -> str:
    """Whose key seals the address and the browser: who acted, else the user it happened to, else the instance."""
    return actor or (stream.id if stream.kind == "user" else stream.instance)


def stored(stream: Stream, fact: Event, origin: Origin, actor: str, keys: Keys) -> Stored:
    """Seal a fact and where it came from."""
    payload, personal = to_payload(fact)
    subject = subject_of(stream, fact)
    for path in personal:
        place = payload
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = seal(keys[subject], place[path[-1]], _place(stream, fact.stored_name, path))
    return Stored(subject, payload, _context(stream, origin, actor, keys))


def _context(stream: Stream, origin: Origin, actor: str, keys: Keys) -> dict[str, Any]:
    context: dict[str, Any] = {}
    if origin.request_id:
        context["requestId"] = origin.request_id
    if origin.on_behalf_of:
        context["onBehalfOf"] = origin.on_behalf_of
    if origin.ip or origin.user_agent:
        key = keys[person_of_origin(stream, actor)]
        context["from"] = seal(key, {"ip": origin.ip, "userAgent": origin.user_agent}, _place(stream, "from", ()))
    return context


def has_address(origin: Origin) -> bool:
    """Whether an origin holds something to seal."""
    return bool(origin.ip or origin.user_agent)


def _place(stream: Stream, name: str, path: Iterable[str]) -> str:
    return "/".join((stream.instance, stream.kind, stream.id, name, *path))


def recorded(row: EventRow, keys: Keys) -> Recorded:
    """A row as a fact; fields of an erased person are as if they had never been given."""
    stream = Stream(row.instance_id, row.aggregate_type, row.aggregate_id)
    return Recorded(
        position=row.position,
        stream=stream,
        version=row.version,
        fact=fact_of(stream, row.event_type, row.payload, keys.get(row.subject, b"")),
        owner=row.owner,
        actor=row.actor,
        at=row.created_at,
        origin=origin_of(stream, row.context, keys.get(person_of_origin(stream, row.actor), b"")),
        digest=bytes(row.digest),
    )


def fact_of(stream: Stream, name: str, payload: dict[str, Any], key: bytes) -> Event:
    """The fact of a stored name and payload, opened with the subject's key."""
    try:
        kind = event_class(name)
    except UnknownEventError:
        return UnknownFact(name, payload)
    for part in payload_fields(kind):
        if part.personal:
            payload = _opened(stream, name, payload, part.path, key)
    return from_payload(kind, payload)


def _opened(stream: Stream, name: str, payload: dict[str, Any], path: tuple[str, ...], key: bytes) -> dict[str, Any]:
    place = payload
    for step in path[:-1]:
        if not isinstance(place.get(step), dict):
            return payload
        place = place[step]
    if path[-1] in place:
        place[path[-1]] = unseal(key, place[path[-1]], _place(stream, name, path))
    return payload


def origin_of(stream: Stream, context: dict[str, Any], key: bytes) -> Origin:
    """Where a fact came from, as far as the person's key still opens it."""
    seen = unseal(key, context.get("from"), _place(stream, "from", ())) or {}
    return Origin(
        ip=seen.get("ip", ""),
        user_agent=seen.get("userAgent", ""),
        request_id=context.get("requestId", ""),
        on_behalf_of=context.get("onBehalfOf", ""),
    )


def digest_of(
    previous: bytes,
    stream: Stream,
    version: int,
    fact: tuple[str, int],
    *,
    owner: str,
    actor: str,
    at: datetime,
    form: Stored,
) -> bytes:
    """SHA-256 over the digest of the fact before it in the stream and the canonical stored form (DESIGN §4)."""
    parts = [
        stream.instance,
        stream.kind,
        stream.id,
        version,
        *fact,
        owner,
        actor,
        at.astimezone(UTC).isoformat(timespec="microseconds"),
        form.subject,
        form.payload,
        form.context,
    ]
    return hashlib.sha256(previous + canonical(parts).encode()).digest()


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: the same text on both engines."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
