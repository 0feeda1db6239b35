"""JSON bodies with bounds: how deep, how many members, each once (checklist N01)."""

import json
import math
import re
from typing import Any

from django.conf import settings

from iam.kernel.errors import InvalidInput

STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{\]}]', re.DOTALL)
"""Strings, so that brackets inside them are passed over, and brackets."""
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half of a sign beyond the first 65,536, as an escape."""
OPENS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def loads(raw: bytes) -> Any:
    """The value of a JSON text. Raises InvalidInput; never takes longer than the text is long."""
    _check_depth(raw, settings.CONFIG.Limits.JSONDepth)
    counted = _Members(settings.CONFIG.Limits.JSONMembers)
    try:
        text = raw.decode()  # nothing else is JSON between systems (RFC 8259 §8.1), with no mark before it
        value = json.loads(text, object_pairs_hook=counted.once, parse_constant=_no_constant, parse_float=_finite)
        if SURROGATE.search(raw):
            json.dumps(value, ensure_ascii=False).encode()  # fails for one that stands alone: no text holds it
        return value
    except (ValueError, RecursionError) as wrong:
        reason = str(wrong)[:200].encode("ascii", "backslashreplace").decode()
        raise InvalidInput("api.body_invalid", reason=reason) from wrong


def object_of(raw: bytes) -> dict[str, Any]:
    """The object that a JSON text is, as every message is one. Raises InvalidInput."""
    content = loads(raw)
    if not isinstance(content, dict):
        raise InvalidInput("api.body_invalid", reason="expected an object")
    return content


def _check_depth(raw: bytes, deepest: int) -> None:
    if raw.count(b"[") + raw.count(b"{") <= deepest:
        return
    depth = 0
    for found in STRUCTURE.finditer(raw):
        depth += OPENS.get(raw[found.start()], 0)
        if depth > deepest:
            raise InvalidInput("api.body_too_complex", reason=f"at most {deepest} levels")


class _Members:
    """Counts members over all objects of a text."""

    def __init__(self, most: int) -> None:
        self.most, self.seen = most, 0

    def once(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """An object whose members have different names."""
        self.seen += len(pairs)
        if self.seen > self.most:
            raise InvalidInput("api.body_too_complex", reason=f"at most {self.most} members")
        made = dict(pairs)
        if len(made) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InvalidInput("api.member_twice", reason=twice[:100].encode("ascii", "backslashreplace").decode())
        return made


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number without an end")
    return number
