"""Facts: how a class becomes a stored name and a payload, and back."""

import base64
import dataclasses
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform

T = TypeVar("T")
E = TypeVar("E", bound="Event")

_PERSONAL, _SEALED, _NEW_ID = "personal", "sealed", "new id"
Personal = Annotated[T, _PERSONAL]
"""Marks a field as data about a person: it is stored sealed under that person's key (DESIGN §5)."""
Sealed = Annotated[T, _SEALED]
"""Marks a field as sealed under a data key of the instance before it came into the fact: what an archive has to open."""
NewId = Annotated[T, _NEW_ID]
"""Marks a field as the id of a thing that begins with the fact and has no stream of its own: nothing else may have it."""

NANOSECONDS = 1_000_000_000


class Event:
    """Something that happened. Subclasses are declared with `@event` and become frozen dataclasses."""

    stored_name: ClassVar[str]
    revision: ClassVar[int] = 1

    def subject(self, stream_id: str) -> str:
        """The id whose key seals the personal fields; the stream's own id unless a class says otherwise."""
        return stream_id


class Activity(Event):
    """A record of use (a sign-in, a token issued): never in the log, so that nobody who follows it is told."""


class UnknownEventError(LookupError):
    """A stored name that no class of this version declares (a newer version may have written it)."""


_declared: dict[str, type[Event]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(stored_name: str, *, revision: int = 1) -> Callable[[type[E]], type[E]]:
    """Declare a fact under its stored name (`reference/events.tsv`); names and payload keys never change."""

    def declare(cls: type[E]) -> type[E]:
        made = dataclass(frozen=True, kw_only=True)(cls)
        made.stored_name = stored_name
        made.revision = revision
        taken = _declared.setdefault(stored_name, made)
        if taken is not made:
            raise TypeError(f"{stored_name} is declared by {taken.__name__} and {made.__name__}")
        return made

    return declare


def key(path: str, **options: Any) -> Any:
    """A dataclass field whose payload key is not its name in camelCase; dots nest (`user_agent.ip`)."""
    return field(metadata={"key": path}, **options)


def event_class(stored_name: str) -> type[Event]:
    """The class declared under a stored name; raises UnknownEventError."""
    try:
        return _declared[stored_name]
    except KeyError:
        raise UnknownEventError(stored_name) from None


def declared_events() -> Iterator[tuple[str, type[Event]]]:
    """Every declared fact, by stored name."""
    return iter(sorted(_declared.items()))


@dataclass(frozen=True)
class PayloadField:
    """One field of a fact: where it lies in the payload and how its value is written."""

    name: str
    path: tuple[str, ...]
    annotation: Any
    marks: frozenset[str]
    default: Any

    @property
    def personal(self) -> bool:
        """Whether it is data about a person."""
        return _PERSONAL in self.marks

    @property
    def sealed(self) -> bool:
        """Whether it is sealed under a data key."""
        return _SEALED in self.marks

    @property
    def is_new_id(self) -> bool:
        """Whether a thing with this id begins."""
        return _NEW_ID in self.marks


@cache
def payload_fields(cls: type[Event]) -> tuple[PayloadField, ...]:
    """The payload layout of a fact class."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return tuple(_payload_field(f, hints[f.name]) for f in dataclasses.fields(cls))  # type: ignore[arg-type]


def _payload_field(declared: "dataclasses.Field[Any]", hint: Any) -> PayloadField:
    default = declared.default
    if declared.default_factory is not dataclasses.MISSING:
        default = declared.default_factory()
    path = tuple(declared.metadata.get("key", camel(declared.name)).split("."))
    return PayloadField(declared.name, path, _plain(hint), _marks(hint), default)


def _marks(hint: Any) -> frozenset[str]:
    own = frozenset(one for one in getattr(hint, "__metadata__", ()) if isinstance(one, str))
    return own.union(*(_marks(part) for part in typing.get_args(hint)))


def _plain(hint: Any) -> Any:
    """The annotation without Personal[...] and without `| None`."""
    if hasattr(hint, "__metadata__"):
        return _plain(hint.__origin__)
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        parts = [part for part in typing.get_args(hint) if part is not type(None)]
        return _plain(parts[0]) if len(parts) == 1 else Any
    return hint


def camel(name: str) -> str:
    """A field's name as payloads and the API spell it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def to_payload(fact: Event) -> tuple[dict[str, Any], frozenset[tuple[str, ...]]]:
    """The payload of a fact, and the paths in it that are personal. A value at its default is left out."""
    payload: dict[str, Any] = {}
    personal: set[tuple[str, ...]] = set()
    for part in payload_fields(type(fact)):  # type: ignore[arg-type]
        value = getattr(fact, part.name)
        if part.default is not dataclasses.MISSING and value == part.default:
            continue
        _place(payload, part.path, _encode(value))
        if part.personal:
            personal.add(part.path)
    return payload, frozenset(personal)


def new_ids(fact: Event) -> frozenset[str]:
    """The ids of the things that begin with a fact inside its stream."""
    given = (getattr(fact, part.name) for part in _new_id_fields(type(fact)))  # type: ignore[arg-type]
    return frozenset(id for id in given if id)


@cache
def _new_id_fields(cls: type[Event]) -> tuple[PayloadField, ...]:
    return tuple(part for part in payload_fields(cls) if part.is_new_id)  # type: ignore[arg-type]


SECRET = ("secret", "digest", "hash", "password", "private", "token", "code", "verifier", "signingkey")


def is_secret(name: str) -> bool:
    """Whether the value under a payload key is for nobody's eyes, not even sealed or as a digest."""
    lowered = name.lower()
    return any(word in lowered for word in SECRET) and not lowered.endswith(("type", "required", "lifetime"))


def without_secrets(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload as it may be shown: keys of secrets are left out, on every level."""
    return {name: _shown(value) for name, value in payload.items() if not is_secret(name)}


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return without_secrets(value)
    return [_shown(one) for one in value] if isinstance(value, list) else value


def from_payload(cls: type[E], payload: Mapping[str, Any] | None) -> E:
    """Build a fact from its payload; unknown keys are ignored, missing ones take the zero of their type."""
    values: dict[str, Any] = {}
    for part in payload_fields(cls):  # type: ignore[arg-type]
        found, value = _find(payload or {}, part.path)
        if found and value is not None:
            values[part.name] = _decode(value, part.annotation)
        elif part.default is dataclasses.MISSING:
            values[part.name] = _zero(part.annotation)
    return cls(**values)


def _place(payload: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        payload = payload.setdefault(step, {})
    payload[path[-1]] = value


def _find(payload: Any, path: tuple[str, ...]) -> tuple[bool, Any]:
    for step in path:
        if not isinstance(payload, Mapping) or step not in payload:
            return False, None
        payload = payload[step]
    return True, payload


def _encode(value: Any) -> Any:
    match value:
        case IntEnum():
            return int(value)
        case timedelta():
            return round(value.total_seconds() * NANOSECONDS)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case bytes():
            return base64.b64encode(value).decode()
        case tuple() | list() | set() | frozenset():
            items = sorted(value) if isinstance(value, (set, frozenset)) else value
            return [_encode(item) for item in items]
        case dict():
            return {name: _encode(item) for name, item in value.items()}
    return value


def _decode(value: Any, annotation: Any) -> Any:
    origin = typing.get_origin(annotation)
    if origin in (tuple, list, frozenset):
        inner = (typing.get_args(annotation) or (Any,))[0]
        return origin(_decode(item, inner) for item in value)
    if origin is dict:
        inner = (typing.get_args(annotation) or (Any, Any))[1]
        return {name: _decode(item, inner) for name, item in value.items()}
    if annotation is timedelta:
        return timedelta(seconds=value / NANOSECONDS)
    if annotation is datetime:
        return datetime.fromisoformat(value)
    if annotation is bytes:
        return base64.b64decode(value)
    if isinstance(annotation, type) and issubclass(annotation, IntEnum):
        return annotation(value)
    return value


def _zero(annotation: Any) -> Any:
    origin = typing.get_origin(annotation) or annotation
    if origin is datetime:
        return datetime.fromtimestamp(0, UTC)
    try:
        return origin()
    except TypeError:
        return None


def told(fact: Event, *names: str) -> dict[str, Any]:
    """The fields of a `.changed` fact that say something; None means unchanged."""
    return {name: getattr(fact, name) for name in names if getattr(fact, name) is not None}
