"""What an entry of the table of spellings says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Spelling:
    """How two messages differ. Paths are field names with dots; a list on the way is gone through, or gains an element.

    `moves`: path in v2beta → path in v2. `constants`: a v2beta field that, when sent, puts a number at a path in v2.
    `beta_only` and `sister_only`: fields without a place on the other side, with the reason. `refused`: those of
    `beta_only` that a request may not contain, because leaving them out would change what it means. `spared`: fields of v2
    that it requires and v2beta does not; the method knows what to do without.
    """

    moves: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    beta_only: Mapping[str, str] = field(default_factory=dict)
    sister_only: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()


ALIKE = Spelling()
NEWER = "younger than v2beta"


def newer(*names: str) -> Mapping[str, str]:
    """Fields of v2 that v2beta never had."""
    return dict.fromkeys(names, NEWER)


def within(package: str, beta: str, sister: str = "", **more: Any) -> tuple[tuple[str, str], Spelling]:
    """Two messages of one package that differ, with their spelling."""
    return (f"{package}.v2beta.{beta}", f"{package}.v2.{sister or beta}"), Spelling(**more)
