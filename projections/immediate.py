"""Feeds the immediate projections inside the push: a method that fails fails the push (DESIGN §4)."""

from collections.abc import Iterable

from eventstore.store import Recorded
from projections.projection import IMMEDIATE, listeners_for


def apply(recorded: Iterable[Recorded]) -> None:
    """Change the read tables for new facts, in order."""
    for one in recorded:
        for listener in listeners_for(type(one.fact), IMMEDIATE):
            listener.method(one, one.fact)
