"""Doubles and the given/when/then of rules: a store in memory, facts in, facts or a refusal out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Self

from eventstore.aggregates import ID, A, Claim, Scoping, empty, fold
from eventstore.events import Event
from eventstore.store import Conflict, Recorded, Stream, Taken, Use, Write


class MemoryStore:
    """Keeps the promises of `Store` in memory. For tests."""

    def __init__(self, apply: Callable[[Sequence[Recorded]], None] = lambda recorded: None) -> None:
        self.facts: list[Recorded] = []
        self.uses: list[Use] = []
        self._claims: dict[tuple[str, str, str], str] = {}
        self._apply = apply

    def read(self, stream: Stream) -> Sequence[Recorded]:
        """All facts of a stream."""
        return [recorded for recorded in self.facts if recorded.stream == stream]

    def read_many(self, streams: Sequence[Stream]) -> dict[Stream, list[Recorded]]:
        """The facts of several streams."""
        return {stream: list(self.read(stream)) for stream in streams}

    def push(self, writes: Sequence[Write]) -> Sequence[Recorded]:
        """Append all or none."""
        for write in writes:
            if len(self.read(write.stream)) != write.expected:
                raise Conflict
        claims = self._claimed(writes)
        new = [fact for write in writes for fact in self._recorded(write)]
        for number, fact in enumerate(new, start=len(self.facts) + 1):
            self.facts.append(Recorded(**{**fact.__dict__, "position": number}))
        self._claims = claims
        added = self.facts[-len(new) :] if new else []
        self._apply(added)
        return added

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Several pushes, all or none."""
        facts, claims = list(self.facts), self._claims
        try:
            yield
        except BaseException:
            self.facts, self._claims = facts, claims
            raise

    def _claimed(self, writes: Sequence[Write]) -> dict[tuple[str, str, str], str]:
        claims = dict(self._claims)
        for write in writes:
            for claim in write.releases:
                _release(claims, write, claim)
            if write.releases_all_of_owner:
                gone = write.releases_all_of_owner
                claims = {key: owner for key, owner in claims.items() if owner != gone or key[1] == ID}
            for scoping in write.scopings:
                claims = _scoped(claims, write.stream.instance, scoping)
        before = dict(claims)
        for write in writes:
            for claim in sorted(write.claims | {Claim(ID, id, "id.taken") for id in _begun(write)}):
                if _claim_key(write, claim) in claims:
                    raise Taken(claim)
                claims[_claim_key(write, claim)] = write.owner
        for write in writes:
            for vacant in write.vacant:
                holder = before.get(_claim_key(write, vacant.claim))
                if holder is not None and vacant.owner in ("", holder):
                    raise Taken(vacant.claim)
        return claims

    def _recorded(self, write: Write) -> list[Recorded]:
        return [
            Recorded(0, write.stream, version, fact, write.owner, write.actor, write.at, write.origin)
            for version, fact in enumerate(write.facts, start=write.expected + 1)
        ]

    def note(self, uses: Iterable[Use]) -> None:
        """Remember uses."""
        self.uses.extend(uses)


def _begun(write: Write) -> frozenset[str]:
    return write.ids | ({write.stream.id} if write.begins else set())


def _claim_key(write: Write, claim: Claim) -> tuple[str, str, str]:
    return ("" if claim.everywhere else write.stream.instance, claim.kind, claim.value.casefold())


def _release(claims: dict[tuple[str, str, str], str], write: Write, claim: Claim) -> None:
    key = _claim_key(write, claim)
    if not claim.also:
        claims.pop(key, None)
        return
    for form in (key, (*key[:2], claim.also.casefold())):
        if claims.get(form) == write.owner:
            del claims[form]


def _scoped(
    claims: dict[tuple[str, str, str], str], instance: str, scoping: Scoping
) -> dict[tuple[str, str, str], str]:
    """The claims in their new form; raises Taken with the values that would meet."""
    moved: dict[tuple[str, str, str], str] = {}
    met = set()
    for (scope, kind, value), owner in sorted(claims.items()):
        is_meant = (scope, kind) == (instance, scoping.kind) and owner in scoping.owners
        name = value.partition(" ")[0] if is_meant else value
        new = f"{name} {owner.lower()}" if is_meant and scoping.inside else name
        if (scope, kind, new) in moved:
            met.add(new)
        moved[scope, kind, new] = owner
    if met:
        raise Taken(Claim(scoping.kind, min(met), scoping.code), sorted(met))
    return moved


@dataclass
class Given(Generic[A]):
    """Facts that happened; `when` decides on their state."""

    state: A
    made: list[Event] = field(default_factory=list)
    refusal: BaseException | None = None

    def when(self, decide: Callable[[A], Iterable[Event]]) -> Self:
        """Take a decision."""
        try:
            self.made = list(decide(self.state))
        except Exception as refusal:
            self.refusal = refusal
        return self

    def then(self, *facts: Event) -> A:
        """The decision made exactly these facts; answers the state after them."""
        if self.refusal:
            raise self.refusal
        assert self.made == list(facts), f"made {self.made}, expected {list(facts)}"
        return fold(self.state, facts)

    def refuses(self, kind: type[Exception], code: str) -> Any:
        """The decision was refused with this code."""
        assert isinstance(self.refusal, kind), f"made {self.made}, refusal {self.refusal!r}"
        assert self.refusal.code == code, self.refusal  # type: ignore[attr-defined]
        return self.refusal


def given(kind: type[A], *facts: Event, owner: str = "org", id: str = "id") -> Given[A]:
    """The state after facts."""
    return Given(fold(empty(kind, id, owner), facts))
