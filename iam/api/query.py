"""Fields of a request in the query string: nested names have dots, a repeated parameter is a list (reference/api/README.md)."""

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

BOOLS = {"true": True, "false": False}


def place(content: dict[str, Any], described: Descriptor, name: str, values: list[str]) -> None:
    """Put a parameter where the JSON of the message has it; what the message does not know is left out."""
    *steps, last = name.split(".")
    for step in steps:
        field = _field(described, step)
        if field is None or field.message_type is None or field.is_repeated:
            return
        content, described = content.setdefault(field.json_name, {}), field.message_type
    if (field := _field(described, last)) is not None:
        typed = [_typed(field, value) for value in values]
        content[field.json_name] = typed if field.is_repeated else typed[-1]


def _field(described: Descriptor, name: str) -> FieldDescriptor | None:
    return next((field for field in described.fields if name in (field.name, field.json_name)), None)


def _typed(field: FieldDescriptor, value: str) -> Any:
    """Text as the JSON mapping wants it: numbers may stay text there, booleans and enum numbers may not."""
    if field.type == FieldDescriptor.TYPE_BOOL:
        return BOOLS.get(value.lower(), value)
    if field.type == FieldDescriptor.TYPE_ENUM and value.isascii() and value.isdigit():
        return int(value[:10])
    return value
