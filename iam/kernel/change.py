"""The one way to change anything: read, decide, push at the version that was read, or decide again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from eventstore.aggregates import A, Aggregate, Scoping, Vacant, empty, fold
from eventstore.events import Activity, Event, new_ids
from eventstore.store import Conflict, Drawn, Recorded, Stream, Taken, Write
from iam.kernel import cascade
from iam.kernel.context import Context
from iam.kernel.errors import AlreadyExists, Contended, FailedPrecondition, NotFound
from iam.kernel.ids import must_be_allowed
from iam.kernel.levels import Resource

ATTEMPTS = 5
T = TypeVar("T")


@dataclass(frozen=True)
class Receipt:
    """What a change left behind: the stream's id and owner, its version and the times of first and last fact."""

    id: str
    owner: str
    version: int
    created_at: datetime
    changed_at: datetime
    is_news: bool = field(default=True, compare=False)
    """Whether anything happened; not when all was as it was to be."""

    def of_something(self, code: str) -> "Receipt":
        """Itself, where something was taken away now; raises NotFound, which the older API says where it was gone already."""
        if not self.is_news:
            raise NotFound(code)
        return self

    def of_difference(self, code: str) -> "Receipt":
        """Itself, where something is other than before; raises FailedPrecondition where all was as it was to be."""
        if not self.is_news:
            raise FailedPrecondition(code)
        return self


@dataclass(frozen=True)
class Removal:
    """What taking something away left behind, and when it went: now, or before; None for what was never there."""

    receipt: Receipt
    at: datetime | None


@dataclass
class _Loaded:
    past: Sequence[Recorded]
    before: Aggregate
    state: Aggregate
    facts: tuple[Event, ...] = ()
    cascaded: int = 0
    releases_all: bool = False
    by_right: bool = False
    vacant: set[Vacant] = field(default_factory=set)
    scopings: tuple[Scoping, ...] = ()

    @property
    def begins(self) -> bool:
        """Whether a thing begins with these facts that has the stream's id."""
        return bool(self.facts) and not self.past and self.state.has_own_id

    @property
    def inner_ids(self) -> frozenset[str]:
        """The ids of what begins inside the stream."""
        return frozenset[str]().union(*(new_ids(fact) for fact in self.facts))

    def chosen_ids(self, stream_id: str) -> set[str]:
        """The ids of both, as far as they were not drawn here."""
        begun = self.inner_ids | ({stream_id} if self.begins else set())
        return {id for id in begun if not isinstance(id, Drawn)}


class Unit:
    """The streams that one command reads and changes together."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._streams: dict[Stream, _Loaded] = {}

    def load(self, kind: type[A], id: str) -> A:
        """The state of a stream. Reading makes it a guard: if it changes meanwhile, the command decides again."""
        return self._loaded(kind, id).state  # type: ignore[return-value]

    def change(
        self,
        kind: type[A],
        id: str,
        decide: Callable[[A], Iterable[Event]],
        *,
        needs: str = "",
        owner: str = "",
        resource: Resource | None = None,
    ) -> None:
        """Decide on the state of one stream and keep the facts for the push.

        `needs` is the permission, checked against the state's owner (a new one's `owner`) before the
        decision, so that existence is not revealed. Leave it empty only for what another check covers.
        """
        loaded = self._loaded(kind, id)
        if not loaded.state.owner:
            loaded.state = replace(loaded.state, owner=owner)
        if needs:
            self.ctx.require(needs, loaded.state.owner, resource)
        if self.ctx.expected:
            self.ctx.expected.check(self.ctx.stream(kind.kind, id), len(loaded.past))
        facts = tuple(decide(loaded.state))  # type: ignore[arg-type]
        if any(isinstance(fact, Activity) for fact in facts):
            raise TypeError("a record of use is noted, never pushed: decision 0006")
        loaded.state = fold(loaded.state, facts)
        loaded.facts += facts
        loaded.by_right |= bool(needs and facts)

    def found(self, kind: type[A], id: str) -> A | None:
        """The state of a stream as it was read, if it was."""
        loaded = self._streams.get(self.ctx.stream(kind.kind, id))
        return loaded.before if loaded else None  # type: ignore[return-value]

    def changed_by_right(self, kind: type[Aggregate]) -> dict[str, tuple[Event, ...]]:
        """What was decided of streams that existed before, where a permission allowed it; by id."""
        return {
            stream.id: loaded.facts
            for stream, loaded in self._streams.items()
            if stream.kind == kind.kind and loaded.by_right and loaded.past
        }

    def view(self, kind: type[A], id: str, beside: type[Aggregate]) -> A:
        """What another state of the same stream says, of which `beside` is read or changed here anyway."""
        loaded = self._loaded(beside, id)
        return fold(empty(kind, id, loaded.state.owner), (*(one.fact for one in loaded.past), *loaded.facts))

    def must_be_vacant(self, kind: type[Aggregate], id: str, values: Iterable[Vacant]) -> None:
        """Push the stream's change only if nobody holds these values then."""
        self._loaded(kind, id).vacant |= set(values)

    def scope_claims(self, kind: type[Aggregate], id: str, scoping: Scoping) -> None:
        """Let values be unique within their owners, or once per instance, together with the stream's change."""
        self._loaded(kind, id).scopings += (scoping,)

    def owners(self) -> set[str]:
        """The organizations that own something that was read or changed; not those that own themselves."""
        owned = {loaded.state.owner for stream, loaded in self._streams.items() if loaded.state.owner != stream.id}
        return owned - {"", self.ctx.instance}

    def chosen_ids(self) -> set[str]:
        """The ids of what begins, as far as they were not drawn here."""
        return set().union(*(loaded.chosen_ids(stream.id) for stream, loaded in self._streams.items()))

    def preload(self, kind: type[Aggregate], ids: Iterable[str]) -> None:
        """Read many streams in few statements, for what changes them one by one."""
        wanted = [self.ctx.stream(kind.kind, id) for id in ids]
        missing = [stream for stream in wanted if stream not in self._streams]
        for stream, past in self.ctx.store.read_many(missing).items():
            self._keep(kind, stream, past)

    def cascade(self) -> None:
        """Let every decided fact bring about what follows from it in other streams."""
        while waiting := [(stream, one) for stream, one in self._streams.items() if one.cascaded < len(one.facts)]:
            for stream, loaded in waiting:
                fact = loaded.facts[loaded.cascaded]
                loaded.cascaded += 1
                for follow in cascade.of(fact):
                    follow(self, stream, fact)

    def release_all_claims_of_owner(self, kind: type[Aggregate], id: str) -> None:
        """Free every unique value held in the name of the stream's owner (an organization that is removed)."""
        self._loaded(kind, id).releases_all = True

    def _loaded(self, kind: type[A], id: str) -> _Loaded:
        stream = self.ctx.stream(kind.kind, id)
        if stream not in self._streams:
            self._keep(kind, stream, self.ctx.store.read(stream))
        return self._streams[stream]

    def _keep(self, kind: type[Aggregate], stream: Stream, past: Sequence[Recorded]) -> None:
        start = empty(kind, stream.id, past[0].owner if past else "")
        state = fold(start, (recorded.fact for recorded in past))
        self._streams[stream] = _Loaded(past, state, state)

    def writes(self) -> list[Write]:
        """What to push: changed streams first, then the guards. Raises InvalidInput for a chosen id that nothing may have."""
        made = [self._write(stream, loaded) for stream, loaded in self._streams.items()]
        return sorted(made, key=lambda write: not write.facts) if any(write.facts for write in made) else []

    def _write(self, stream: Stream, loaded: _Loaded) -> Write:
        for id in loaded.chosen_ids(stream.id):
            must_be_allowed(id)
        before, after = (loaded.before.claims(), loaded.state.claims()) if loaded.facts else (frozenset(),) * 2
        return Write(
            stream=stream,
            expected=len(loaded.past),
            facts=loaded.facts,
            owner=loaded.state.owner,
            actor=self.ctx.actor,
            at=self.ctx.now(),
            after=loaded.past[-1].digest if loaded.past else b"",
            claims=after - before,
            begins=loaded.begins,
            ids=loaded.inner_ids,
            releases=before - after,
            vacant=frozenset(loaded.vacant) if loaded.facts else frozenset(),
            scopings=loaded.scopings,
            releases_all_of_owner=loaded.state.owner if loaded.releases_all else "",
            origin=self.ctx.origin,
        )

    def histories(self, recorded: Sequence[Recorded]) -> dict[str, list[Recorded]]:
        """The facts of each stream that was read or changed, with those pushed now, by id."""
        told = {
            stream.id: [*loaded.past, *(new for new in recorded if new.stream == stream)]
            for stream, loaded in self._streams.items()
        }
        return {id: facts for id, facts in told.items() if facts}


@dataclass(frozen=True)
class Done:
    """The outcome of `transact`: the facts of every stream by its id, and whatever the work returned."""

    histories: dict[str, list[Recorded]]
    result: Any
    news: frozenset[str] = frozenset()
    """The ids of the streams in which something happened."""

    @property
    def receipts(self) -> dict[str, Receipt]:
        """One receipt per stream that was read or changed, by id."""
        return {id: self._receipt(id) for id in self.histories}

    def removal(self, id: str, gone: Callable[[Event], bool]) -> Removal:
        """What taking something out of a stream left behind; `gone` knows the fact that says so."""
        facts = self.histories[id]
        at = next((one.at for one in reversed(facts) if gone(one.fact)), None)
        return Removal(self._receipt(id), at)

    def _receipt(self, id: str) -> Receipt:
        first, last = self.histories[id][0], self.histories[id][-1]
        return Receipt(str(id), last.owner, last.version, first.at, last.at, id in self.news)


def transact(ctx: Context, work: Callable[[Unit], Any]) -> Done:
    """Run `work` and push what it decided, all or nothing. `work` may run several times and must only decide.

    Raises AlreadyExists when a unique value is taken, Contended after five collisions, DeadlineExceeded when the
    caller has stopped waiting before anything was changed.
    """
    for _ in range(ATTEMPTS):
        unit = Unit(ctx)
        result = work(unit)
        unit.cascade()
        writes = unit.writes()
        if writes:
            cascade.check(unit)
            ctx.begin_change()
        try:
            recorded = ctx.store.push(writes) if writes else []
        except Conflict:
            continue  # somebody was faster: read again, decide again
        except Taken as taken:
            told = ", ".join(taken.values)
            raise AlreadyExists(taken.claim.code, field=taken.claim.kind, reason=told) from taken
        if ctx.expected:
            ctx.expected.move(recorded)
        return Done(unit.histories(recorded), result, frozenset(one.stream.id for one in recorded))
    raise Contended("change.contended")


@contextmanager
def together(ctx: Context) -> Iterator[None]:
    """Around several commands that belong to one request: a refusal of any leaves nothing of the others.

    What has to stay when it refuses (a guess that counts) is done before.
    """
    ctx.ports.new_id()  # takes the lease of ids, if one is due, out here: in there it could be rolled back
    with ctx.store.whole():
        yield


def change(
    ctx: Context,
    kind: type[A],
    id: str,
    decide: Callable[[A], Iterable[Event]],
    *,
    needs: str,
    owner: str = "",
    resource: Resource | None = None,
) -> Receipt:
    """Change one stream; see `Unit.change` for the arguments."""
    done = transact(ctx, lambda unit: unit.change(kind, id, decide, needs=needs, owner=owner, resource=resource))
    return done.receipts[id]


def remove(
    ctx: Context,
    kind: type[A],
    id: str,
    decide: Callable[[A], Iterable[Event]],
    *,
    needs: str,
    gone: Callable[[Event], bool],
    resource: Resource | None = None,
) -> Removal:
    """Take something out of one stream; `gone` knows the fact that says so, now or of an earlier time."""
    return transact(ctx, lambda unit: unit.change(kind, id, decide, needs=needs, resource=resource)).removal(id, gone)
