"""The story of one object: every fact of its stream, with who, when, from where and what changed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eventstore.events import is_secret, to_payload
from eventstore.store import Recorded
from iam.console import site
from iam.kernel.context import Context

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
    names = site.names_of(ctx.instance, (recorded.actor for recorded in facts))
    return [entry(recorded, names) for recorded in reversed(facts)]


def entry(recorded: Recorded, names: Mapping[str, str]) -> Entry:
    """A fact as the pages show it."""
    return Entry(
        version=recorded.version,
        at=recorded.at,
        what=recorded.fact.stored_name,
        who=names.get(recorded.actor, recorded.actor or "nobody"),
        who_id=recorded.actor if recorded.actor in names else "",
        address=recorded.origin.ip,
        browser=recorded.origin.user_agent,
        changes=tuple(_changes(to_payload(recorded.fact)[0])),
    )


def _changes(payload: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in payload.items():
        told = f"{prefix}{name}"
        if isinstance(value, Mapping) and not is_secret(name):
            yield from _changes(value, f"{told}.")
        else:
            yield told, "(kept secret)" if is_secret(name) else _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)
