"""Values of settings as JSON in the read table: durations in seconds, tuples as lists."""

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from iam.instance.domain.kinds import Kind

ACTIVE = "label_active"
"""The branding that is shown; `label` is the one that is being prepared."""


def to_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the table."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return list(value) if isinstance(value, tuple) else value


def from_json(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values from the table, in the types of the kind; names it does not know are left out."""
    types = {part.name: part.type for part in dataclasses.fields(kind.values)}
    return {name: _typed(types[name], value) for name, value in values.items() if name in types}


def _typed(wanted: Any, value: Any) -> Any:
    if wanted is timedelta:
        return timedelta(seconds=value)
    return tuple(value) if isinstance(value, list) else value
