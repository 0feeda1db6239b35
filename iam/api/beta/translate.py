"""One message into its sister, field by field, as the descriptors and the table of spellings say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from iam.api.beta.spellings import spelling_of
from iam.kernel.errors import Unimplemented

MESSAGE, ENUM = FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_ENUM
Steps = tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What to do with the fields of one kind of message."""

    moves: tuple[tuple[Steps, Steps], ...]
    constants: tuple[tuple[Steps, Steps, int], ...] = ()
    refused: tuple[str, ...] = ()


def to_v2(beta: Message, sister: Message) -> Message:
    """Fill a v2 message from a v2beta one. Raises Unimplemented for what v2 cannot say."""
    return _filled(beta, sister, True)


def to_beta(sister: Message, beta: Message) -> Message:
    """Fill a v2beta message from a v2 one; what v2beta cannot say is left out, as the table declares."""
    return _filled(sister, beta, False)


@cache
def plan(source: Descriptor, target: Descriptor, forth: bool) -> Plan:
    """How messages of `source` become messages of `target`: `forth` is v2beta to v2."""
    beta, sister = (source, target) if forth else (target, source)
    found = spelling_of(beta.full_name, sister.full_name)
    moved = {steps[0] for steps in map(_steps, found.moves)} | {*found.beta_only}
    named = {steps[0] for steps in map(_steps, found.moves.values())} if not forth else set()
    pairs = [
        (field.name, field.name)
        for field in beta.fields
        if field.name in sister.fields_by_name and field.name not in moved and field.name not in named
    ]
    pairs += found.moves.items()
    constants = [(_steps(at), _steps(to), value) for at, (to, value) in found.constants.items()] if forth else []
    moves = tuple((_steps(a), _steps(b)) if forth else (_steps(b), _steps(a)) for a, b in pairs)
    return Plan(moves, tuple(constants), found.refused if forth else ())


def _steps(path: str) -> Steps:
    return tuple(path.split("."))


def _filled(source: Message, target: Message, forth: bool) -> Message:
    if source.DESCRIPTOR is target.DESCRIPTOR:
        target.CopyFrom(source)
        return target
    found = plan(source.DESCRIPTOR, target.DESCRIPTOR, forth)
    for name in found.refused:
        if any(True for _ in _values(source, (name,))):
            raise Unimplemented("api.unimplemented", field=name)
    for at, to in found.moves:
        for value in _values(source, at):
            _put(target, to, value, forth)
    for at, to, number in found.constants:
        if any(True for _ in _values(source, at)):
            _put(target, to, number, forth)
    return target


def _values(message: Message, steps: Steps, *, inner: bool = False) -> Iterator[Any]:
    """What stands at a path: nothing, one value, or as many as the lists on the way hold."""
    field = message.DESCRIPTOR.fields_by_name[steps[0]]
    for value in _present(message, field, inner):
        if len(steps) > 1:
            yield from _values(value, steps[1:], inner=True)
        else:
            yield value


def _present(message: Message, field: FieldDescriptor, inner: bool) -> list[Any]:
    """The values of a field. Inside a message that was sent, a default counts: `{"primaryQuery": {}}` asks for false."""
    value = getattr(message, field.name)
    if field.is_repeated:
        return [value] if _is_map(field) and value else list(value)
    if field.has_presence:
        return [value] if message.HasField(field.name) else []
    return [value] if value or inner else []


def _put(target: Message, steps: Steps, value: Any, forth: bool) -> None:
    for step in steps[:-1]:
        target = _child(target, step)
    field = target.DESCRIPTOR.fields_by_name[steps[-1]]
    if _is_map(field):
        _put_map(getattr(target, field.name), value, field, forth)
    elif field.type == MESSAGE:
        _filled(value, _child(target, field.name), forth)
    elif field.type != ENUM or value in field.enum_type.values_by_number:
        if field.is_repeated:
            getattr(target, field.name).append(value)
        else:
            setattr(target, field.name, value)


def _child(message: Message, name: str) -> Any:
    child = getattr(message, name)
    if message.DESCRIPTOR.fields_by_name[name].is_repeated:
        return child.add()
    child.SetInParent()
    return child


def _is_map(field: FieldDescriptor) -> bool:
    return field.type == MESSAGE and bool(field.message_type.GetOptions().map_entry)


def _put_map(target: Any, entries: Mapping[Any, Any], field: FieldDescriptor, forth: bool) -> None:
    nested = field.message_type.fields_by_name["value"].type == MESSAGE
    for key, value in entries.items():
        if nested:
            _filled(value, target[key], forth)
        else:
            target[key] = value
