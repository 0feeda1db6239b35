"""Whether a request may carry a password: looked at before anything else works on it, and only ever mistaken by a yes.

Whatever hides one (an escape, another charset, a compressed or broken message) counts as carrying one. What a request
that carries none costs is not hashing; what slips through all the same is bounded by the hashing pool (DESIGN §9).
"""

import re
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from iam.api import descriptors

READING = ("GET", "HEAD", "OPTIONS")
CHANGING = ("POST", "PUT", "PATCH")
WORD = b"password"
ESCAPED = re.compile(rb"(?:\\u00|%)([0-9a-f]{2})")
FRAME = 5
"""Bytes before a message of gRPC: whether it is compressed, and its length."""

Scope = dict[str, Any]


def may_carry_password(scope: Scope, body: bytes) -> bool:
    """Whether something could be hashed for this request."""
    if scope["method"] in READING:
        return False
    kind = _header(scope, b"content-type")
    if (name := _method_of(scope["path"])) is not None:
        return _call_may_carry(name, kind, scope, body)
    if scope["method"] in CHANGING and WORD in scope["path"].lower().encode("utf-8", "replace"):
        return True  # a page or a resource that is about nothing else; an empty password is hashed, too
    return _names_password(body) or (b"charset" in kind and b"utf-8" not in kind)


def _call_may_carry(name: str, kind: bytes, scope: Scope, body: bytes) -> bool:
    described = _request_of(name)
    if described is None or not holds_password(described):
        return False
    if WORD in name.lower().encode() or _header(scope, b"content-encoding") not in (b"", b"identity"):
        return True
    content = _message_in(kind, body)
    if content is None:
        return True
    return _names_password(content) if b"json" in kind else _binary_holds(described, content)


def _message_in(kind: bytes, body: bytes) -> bytes | None:
    """The one message of a call; None when it cannot be read here."""
    if not kind.startswith(b"application/grpc"):
        return body
    if b"-text" in kind or not body.startswith(b"\0") or int.from_bytes(body[1:FRAME], "big") != len(body) - FRAME:
        return None
    return body[FRAME:]


def _binary_holds(described: Descriptor, content: bytes) -> bool:
    try:
        message = descriptors.new(described).FromString(content)
    except DecodeError:
        return True
    return _is_in(message)


def _is_in(message: Message) -> bool:
    for field, value in message.ListFields():
        if is_password(field):
            return True
        if field.type == FieldDescriptor.TYPE_MESSAGE and holds_password(field.message_type):
            values = value if field.is_repeated else [value]
            if any(_is_in(one) for one in values):
                return True
    return False


def _names_password(text: bytes) -> bool:
    """Whether a member or a form's field could be called so, however its name is written."""
    low = text.lower()
    if WORD in low or b"\0" in text:  # JSON may come in UTF-16 and UTF-32, which no field of a form has
        return True
    if b"\\u00" not in low and b"%" not in low:
        return False
    return WORD in ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), low).lower()


def is_password(field: FieldDescriptor) -> bool:
    """Whether a field of a message is a password, or holds one. How long one counts is none."""
    if WORD.decode() not in field.name.lower():
        return False
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return not field.message_type.full_name.startswith("google.")
    return field.type == FieldDescriptor.TYPE_STRING


@cache
def holds_password(described: Descriptor) -> bool:
    """Whether a message, or one inside of it, has a field for a password."""
    return _reaches(described, set())


def _reaches(described: Descriptor, seen: set[str]) -> bool:
    if described.full_name in seen:
        return False
    seen.add(described.full_name)
    return any(
        is_password(field) or (field.message_type is not None and _reaches(field.message_type, seen))
        for field in described.fields
    )


def _method_of(path: str) -> str | None:
    """`package.Service/Method` of a call's path; None for every other path."""
    service, _, name = path[1:].partition("/")
    return f"{service}/{name}" if service in descriptors.services() else None


def _request_of(name: str) -> Descriptor | None:
    try:
        return descriptors.method(name).input_type
    except KeyError:
        return None


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((value.lower() for name, value in scope["headers"] if name == wanted), b"")
