"""State: what the facts of one stream add up to."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self, TypeVar

from eventstore.events import Event


@dataclass(frozen=True, order=True)
class Claim:
    """A value that may exist once: per instance, or on the whole server when `everywhere`.

    Compared without regard to case. `code` is the refusal told to whoever comes second. `also` is another form in which
    its owner may hold it (see Scoping): both are freed together.
    """

    kind: str
    value: str
    code: str = field(default="already_exists", compare=False)
    everywhere: bool = False
    also: str = field(default="", compare=False)


@dataclass(frozen=True, order=True)
class Vacant:
    """A value that nobody may hold when a push has taken its own; with `owner`, nobody of that owner.

    Of two pushes each of which takes what must be vacant for the other one, both could look before either has committed.
    One of them therefore names it with `taken_at_once`: it takes and frees the value, so that whoever is second waits.
    """

    claim: Claim
    owner: str = ""
    taken_at_once: bool = False


@dataclass(frozen=True)
class Scoping:
    """From now on the values of a kind that some owners hold are unique within the owner (`inside`), or once per instance.

    A value within its owner is followed by a blank and the owner's id; values of the kind contain no blanks.
    `code` is the refusal when values would meet.
    """

    kind: str
    owners: tuple[str, ...]
    inside: bool
    code: str = "already_exists"


@dataclass(frozen=True)
class Aggregate:
    """Base of every state. `owner` is the organization (or instance) whose administrators may change it."""

    kind: ClassVar[str]
    has_own_id: ClassVar[bool] = True
    """Whether its id is its own: not so where a stream stands beside a thing and has that one's id."""
    id: str = ""
    owner: str = ""

    def apply(self, fact: Event) -> Self:
        """The state after a fact. Never refuses; ignores what it does not know."""
        return self

    def claims(self) -> frozenset[Claim]:
        """The unique values that this state holds; a change takes the new ones and frees the rest."""
        return frozenset()


A = TypeVar("A", bound=Aggregate)


def fold(state: A, facts: Iterable[Event]) -> A:
    """Apply facts in order."""
    for fact in facts:
        state = state.apply(fact)
    return state


def empty(kind: type[A], id: str, owner: str = "") -> A:
    """The state of a stream before its first fact."""
    return replace(kind(), id=id, owner=owner)


ID = "id"
"""The kind of claim that an id is: one name space for things of every kind."""


def kinds_with_own_id() -> frozenset[str]:
    """The kinds of streams whose ids are those of things."""
    return frozenset(cls.kind for cls in Aggregate.__subclasses__() if hasattr(cls, "kind") and cls.has_own_id)


def known_kinds() -> frozenset[str]:
    """The kinds of streams that this version writes."""
    return frozenset(cls.kind for cls in Aggregate.__subclasses__() if hasattr(cls, "kind"))
