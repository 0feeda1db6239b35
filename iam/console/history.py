"""The story of one object: every fact of its stream, with who, when, from where and what changed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eventstore.events import is_secret, to_payload
from eventstore.store import Recorded
from iam.console import site
from iam.kernel.context import Context

LENGTHS_OF_IDS = range(15, 21)
SHOWN = 200
"""Facts of one stream that the page shows, newest first."""


@dataclass(frozen=True)
class Entry:
    """One fact, ready to show."""

    version: int
    at: datetime
    what: str
    who: str
    who_id: str
    address: str
    browser: str
    changes: tuple[tuple[str, str], ...]


def history_of(ctx: Context, kind: str, id: str, *, tells: Callable[[Any], bool] = lambda fact: True) -> list[Entry]:
    """The newest facts of a stream that `tells` keeps. The caller has checked that the object may be read."""
    facts = [recorded for recorded in ctx.store.read(ctx.stream(kind, id)) if tells(recorded.fact)][-SHOWN:]
    told = [(recorded, to_payload(recorded.fact)[0]) for recorded in facts]
    ids = {value for _, payload in told for value in payload.values() if _is_id(value)}
    names = site.names_of(ctx.instance, ids | {recorded.actor for recorded in facts})
    return [_entry(recorded, payload, names) for recorded, payload in reversed(told)]


def _entry(recorded: Recorded, payload: Mapping[str, Any], names: Mapping[str, str]) -> Entry:
    """A fact as the pages show it."""
    return Entry(
        version=recorded.version,
        at=recorded.at,
        what=recorded.fact.stored_name,
        who=names.get(recorded.actor, recorded.actor or "nobody"),
        who_id=recorded.actor if recorded.actor in names else "",
        address=recorded.origin.ip,
        browser=recorded.origin.user_agent,
        changes=tuple(_changes(payload, names)),
    )


def _changes(payload: Mapping[str, Any], names: Mapping[str, str], prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in payload.items():
        told = f"{prefix}{name}"
        if isinstance(value, Mapping) and not is_secret(name):
            yield from _changes(value, names, f"{told}.")
        else:
            yield told, "(kept secret)" if is_secret(name) else _shown(value, names)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value.isdecimal() and len(value) in LENGTHS_OF_IDS


def _shown(value: Any, names: Mapping[str, str]) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return f"{names[value]} · {value}" if _is_id(value) and value in names else str(value)
