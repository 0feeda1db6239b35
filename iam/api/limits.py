"""Limits of a message as its descriptor declares them: required, lengths, enum values, one-ofs."""

import re
from collections.abc import Collection
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from iam.api import descriptors
from iam.kernel.errors import InvalidInput

BASE64 = re.compile(r"(?:[A-Za-z0-9+/\r\n]*|[A-Za-z0-9_\r\n-]*)=?[\r\n]*=?[\r\n]*")
"""Either alphabet of RFC 4648, with padding or without (the JSON mapping of Protocol Buffers); tools break its lines."""
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
STRING, BYTES, ENUM = FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_ENUM
MESSAGE = FieldDescriptor.TYPE_MESSAGE
MOST_ITEMS = 1000
MOST_CONDITIONS = 100
CONDITIONS = ("queries", "filters", "filter")
"""Lists that become conditions of one SQL statement."""


def check(message: Message, spared: Collection[str] = ()) -> None:
    """Raises InvalidInput naming the first field that breaks a limit. `spared` fields need not be there."""
    _message(message, "", spared)


def _message(message: Message, path: str, spared: Collection[str] = ()) -> None:
    described = message.DESCRIPTOR
    for one in described.oneofs:
        if one.GetOptions().Extensions[descriptors.extension("oneof_required")] and not message.WhichOneof(one.name):
            raise InvalidInput("api.field_missing", field=path + one.name)
    for field in described.fields:
        if field.name not in spared or getattr(message, field.name):
            _field(message, field, path + field.json_name)


def _is_choice(field: FieldDescriptor) -> bool:
    """Whether the field is one of several; the one-of that stands for `optional` begins with an underscore."""
    return field.containing_oneof is not None and not field.containing_oneof.name.startswith("_")


def _field(message: Message, field: FieldDescriptor, path: str) -> None:
    if _is_choice(field) and not message.HasField(field.name):
        return
    rules = field.GetOptions().Extensions[descriptors.extension("rules")]
    if field.is_repeated:
        _repeated(getattr(message, field.name), field, rules, path)
    elif field.type == MESSAGE:
        if message.HasField(field.name):
            _message(getattr(message, field.name), f"{path}.")
        elif rules.required:
            raise InvalidInput("api.field_missing", field=path)
    elif not field.has_presence or message.HasField(field.name):
        _scalar(getattr(message, field.name), field, rules, path)
    elif rules.required:
        raise InvalidInput("api.field_missing", field=path)


def _repeated(values: Any, field: FieldDescriptor, rules: Any, path: str) -> None:
    most = rules.max_items or (MOST_CONDITIONS if field.name in CONDITIONS else MOST_ITEMS)
    if len(values) > most:
        raise InvalidInput("api.too_many_items", field=path, reason=f"at most {most}")
    if len(values) < rules.min_items or (rules.required and not len(values)):
        raise InvalidInput("api.too_few_items", field=path, reason=f"at least {rules.min_items or 1}")
    if field.type == MESSAGE and field.message_type.GetOptions().map_entry:
        entry = field.message_type.fields_by_name
        for key in sorted(values):
            _item(key, entry["key"], rules.items, path)
            _item(values[key], entry["value"], rules.items, path)
        return
    for number, value in enumerate(values):
        _item(value, field, rules.items, f"{path}[{number}]")
    if rules.unique and len(set(values)) < len(values):
        raise InvalidInput("api.item_twice", field=path)


def _item(value: Any, field: FieldDescriptor, rules: Any, path: str) -> None:
    if field.type == MESSAGE:
        _message(value, f"{path}.")
    else:
        _scalar(value, field, rules, path)


def _scalar(value: Any, field: FieldDescriptor, rules: Any, path: str) -> None:
    if field.type in (STRING, BYTES):
        _text(value, rules, path, may_be_empty=field.containing_type.name.endswith("Query"))
    elif field.type == ENUM:
        _known(value, field, rules, path)
    elif rules.only_true and not value:
        raise InvalidInput("api.only_true", field=path)


def _text(value: Any, rules: Any, path: str, *, may_be_empty: bool) -> None:
    """What a query looks for may be empty unless a length is asked for: nothing, or everything, is found then."""
    if not value and rules.ignore_empty:
        return
    if rules.required and not value and not may_be_empty:
        raise InvalidInput("api.field_missing", field=path)
    least, most = rules.len or rules.min_len, rules.len or rules.max_len
    size = len(value)
    if size < least or (most and size > most):
        reason = (
            f"value length must be between {least} and {most} characters" if most else f"at least {least} characters"
        )
        raise InvalidInput("api.length", field=path, reason=reason)
    if rules.max_bytes and len(value if isinstance(value, bytes) else value.encode()) > rules.max_bytes:
        raise InvalidInput("api.length", field=path, reason=f"at most {rules.max_bytes} bytes")
    if rules.prefix and not value.startswith(rules.prefix):
        raise InvalidInput("api.prefix", field=path, reason=rules.prefix)
    if rules.email and not EMAIL.fullmatch(value):
        raise InvalidInput("user.email_invalid", field=path)
    if isinstance(value, str) and "\x00" in value:
        raise InvalidInput("api.length", field=path, reason="contains a zero byte")


def _known(value: int, field: FieldDescriptor, rules: Any, path: str) -> None:
    if value not in field.enum_type.values_by_number or value in rules.not_in:
        raise InvalidInput("api.enum_unknown", field=path, reason=str(value))


def check_words(content: Any, described: Any, path: str = "") -> None:
    """Raises InvalidInput for what the JSON parser would pass over: an enum word that does not exist is dropped with
    unknown members, signs that are not base64 are left out, and of a field in both its spellings the last one counts.
    """
    if not isinstance(content, dict):
        return
    by_name = {name: field for field in described.fields for name in (field.name, field.json_name)}
    seen = set()
    for name, value in content.items():
        field = by_name.get(name)
        if field is None or value is None:
            continue
        if field.number in seen:
            raise InvalidInput("api.member_twice", field=path + field.json_name)
        seen.add(field.number)
        for one in value if field.is_repeated and isinstance(value, list) else [value]:
            _check_word(one, field, path + field.json_name)


def _check_word(value: Any, field: FieldDescriptor, path: str) -> None:
    if field.type == ENUM and isinstance(value, str) and value not in field.enum_type.values_by_name:
        raise InvalidInput("api.enum_unknown", field=path, reason=value[:100])
    if field.type == BYTES and isinstance(value, str) and not BASE64.fullmatch(value):
        raise InvalidInput("api.base64_invalid", field=path)
    if field.type == MESSAGE:
        check_words(value, field.message_type, f"{path}.")
