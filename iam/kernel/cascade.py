"""What a fact brings about in other streams, decided and pushed together with it.

A room above registers for a fact of a room below (`@cascades(UserRemoved)`), so that the command below need not
know it: the removed user's authorizations are removed, each in its own stream.
"""

from collections.abc import Callable
from typing import Any

from eventstore.events import Event
from eventstore.store import Stream

Cascade = Callable[[Any, Stream, Any], None]
"""Takes the Unit, the stream that the fact happened in, and the fact; decides by `unit.change`."""
Check = Callable[[Any], None]
"""Takes the Unit with all that was decided; raises what speaks against it."""

_registered: list[tuple[tuple[type[Event], ...], Cascade]] = []
_checks: list[Check] = []


def cascades(*facts: type[Event]) -> Callable[[Cascade], Cascade]:
    """Register for facts; a base class registers for its family."""

    def register(function: Cascade) -> Cascade:
        _registered.append((facts, function))
        return function

    return register


def of(fact: Event) -> list[Cascade]:
    """Who is registered for a fact."""
    return [function for facts, function in _registered if isinstance(fact, facts)]


def checks(function: Check) -> Check:
    """Register for whatever is going to happen."""
    _checks.append(function)
    return function


def check(unit: Any) -> None:
    """Ask who is registered, before anything is pushed."""
    for one in _checks:
        one(unit)
