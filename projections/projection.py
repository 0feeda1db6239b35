"""Read tables declare what they listen for; the engine feeds them facts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from django.db import models

from eventstore.events import Event
from eventstore.store import Recorded

IMMEDIATE = "immediate"
CELERY = "celery"
UNKNOWN = 2**63 - 1
"""A position in the log that a row does not know: an older program wrote it. After all that are known."""

Method = Callable[[Any, Recorded, Any], None]


def on(*facts: type[Event]) -> Callable[[Method], Method]:
    """Mark a method of a Projection as listening for facts. A base class listens for its whole family."""

    def mark(method: Method) -> Method:
        method.listens_for = facts  # type: ignore[attr-defined]
        return method

    return mark


@dataclass(frozen=True)
class Listener:
    """One method that waits for one class of facts."""

    projection: "Projection"
    fact: type[Event]
    method: Callable[[Recorded, Any], None]


class Projection:
    """Tables fed by facts. `immediate`: inside the push; `celery`: by a follower with a checkpoint (DESIGN §4)."""

    name: ClassVar[str]
    tables: ClassVar[tuple[type[models.Model], ...]]
    mode: ClassVar[str] = IMMEDIATE
    by_database: ClassVar[tuple[str, ...]] = ()
    """Columns that triggers of its tables write: a replay leaves them alone, the swap has them written."""

    def __init_subclass__(cls) -> None:
        """Register the projection; names are unique."""
        if cls.name in _registered and type(_registered[cls.name]).__module__ != cls.__module__:
            raise TypeError(f"projection {cls.name} is declared twice")
        _registered[cls.name] = cls()
        listeners_for.cache_clear()

    def begins_after(self, instance: str, head: int) -> int:
        """The position, up to the settled `head`, after which a follower's first fact may be. One that came with a new
        program and looks ahead only need not read what an old house has seen."""
        return 0

    def listeners(self) -> Iterator[Listener]:
        """Its methods, one per class of facts, in the order of the source."""
        for method in type(self).__dict__.values():
            for fact in getattr(method, "listens_for", ()):
                yield Listener(self, fact, method.__get__(self))

    def methods_for(self, recorded: Recorded) -> Iterator[Callable[[Recorded, Any], None]]:
        """The methods that listen for the fact."""
        return (one.method for one in self.listeners() if isinstance(recorded.fact, one.fact))

    def apply(self, recorded: Recorded) -> None:
        """Feed one fact."""
        for method in self.methods_for(recorded):
            method(recorded, recorded.fact)

    def apply_all(self, facts: Sequence[Recorded]) -> None:
        """Feed some facts, in order. A projection that counts may do it in fewer statements."""
        for recorded in facts:
            self.apply(recorded)


_registered: dict[str, Projection] = {}


def projections(mode: str = "") -> list[Projection]:
    """All projections, or those of one mode, by name."""
    return [one for _, one in sorted(_registered.items()) if mode in ("", one.mode)]


def projection(name: str) -> Projection:
    """The projection of a name; raises KeyError."""
    return _registered[name]


@cache
def listeners_for(fact: type[Event], mode: str) -> tuple[Listener, ...]:
    """Who listens for a class of facts in a mode."""
    return tuple(one for fed in projections(mode) for one in fed.listeners() if issubclass(fact, one.fact))


def update_row(table: type[models.Model], at: Recorded, id: str, **columns: Any) -> None:
    """Set columns of the row that a fact is about, with the fact's time and version."""
    rows = table._default_manager.filter(instance_id=at.stream.instance, id=id)
    rows.update(changed_at=at.at, version=at.version, **columns)
