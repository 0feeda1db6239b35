"""What every store of facts promises. One contract test runs on each of them (tests/store)."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from eventstore.aggregates import Claim, Scoping, Vacant
from eventstore.events import Event


@dataclass(frozen=True, order=True)
class Stream:
    """The address of one aggregate's facts."""

    instance: str
    kind: str
    id: str


class Drawn(str):
    """An id that this server drew: nothing has it yet. Any other id was chosen by somebody, and has to be looked up.

    Only for the thing that it was drawn for: what is told of that one (a receipt, a row) has the plain text.
    """

    __slots__ = ()


IMPORTED = "import:"
"""What `on_behalf_of` begins with where a fact came out of an archive: it is no news."""


@dataclass(frozen=True)
class Origin:
    """Where a request came from; kept beside each fact, sealed as personal data of the actor."""

    ip: str = ""
    user_agent: str = ""
    request_id: str = ""
    on_behalf_of: str = ""

    @property
    def is_imported(self) -> bool:
        """Whether the fact happened elsewhere and was taken in later."""
        return self.on_behalf_of.startswith(IMPORTED)


@dataclass(frozen=True)
class Recorded:
    """A fact as the log holds it."""

    position: int
    stream: Stream
    version: int
    fact: Event
    owner: str
    actor: str
    at: datetime
    origin: Origin = field(default_factory=Origin)
    digest: bytes = b""


@dataclass(frozen=True)
class Write:
    """The facts of one stream to append after version `expected`.

    With no facts it is a guard: the push is refused unless the stream still stands at `expected`.
    `after` is the digest of fact number `expected` (empty for a new stream).
    """

    stream: Stream
    expected: int
    facts: tuple[Event, ...]
    owner: str
    actor: str
    at: datetime
    after: bytes = b""
    claims: frozenset[Claim] = frozenset()
    releases: frozenset[Claim] = frozenset()
    vacant: frozenset[Vacant] = frozenset()
    scopings: tuple[Scoping, ...] = ()
    releases_all_of_owner: str = ""
    begins: bool = False
    """Whether the thing that the stream is begins: its id is nothing else's, of whatever kind, and stays taken for ever."""
    ids: frozenset[str] = frozenset()
    """The ids of what begins inside the stream; the same holds for them."""
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True)
class Use:
    """A record of use (sign-in, token issued): kept in the activity table, never part of a state."""

    stream: Stream
    what: Event
    owner: str
    actor: str
    at: datetime
    origin: Origin = field(default_factory=Origin)


class Conflict(Exception):
    """Somebody appended to one of the streams first."""


class Taken(Exception):
    """A claim is held by somebody else; or values that were to become unique are not, and `values` lists them."""

    def __init__(self, claim: Claim, values: Sequence[str] = ()) -> None:
        super().__init__(claim.code)
        self.claim, self.values = claim, tuple(values)


class Store(Protocol):
    """The one writer and reader of facts."""

    def read(self, stream: Stream) -> Sequence[Recorded]:
        """All facts of a stream in order; empty for an unknown one."""
        ...

    def read_many(self, streams: Sequence[Stream]) -> dict[Stream, list[Recorded]]:
        """The facts of several streams of one kind and instance; a stream without facts has an empty list."""
        ...

    def push(self, writes: Sequence[Write]) -> Sequence[Recorded]:
        """Append all or none. Raises Conflict or Taken; read tables of immediate projections change with it."""
        ...

    def whole(self) -> AbstractContextManager[None]:
        """Around several pushes: when it is left by an exception, nothing of any of them stays. May be nested."""
        ...

    def note(self, uses: Iterable[Use]) -> None:
        """Record use. Not part of any state; may be lost with its request."""
        ...
