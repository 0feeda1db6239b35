"""The store on PostgreSQL or SQLite: facts, claims and read tables in one transaction."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce

from eventstore.claims import claim
from eventstore.engines import Row, append, json_value, stand_firm, time_value
from eventstore.events import Event
from eventstore.identities import drawn_streams, must_be_free
from eventstore.models import ActivityRow, EventRow, PersonKey
from eventstore.prepared import prepared
from eventstore.records import (
    Stored,
    digest_of,
    has_address,
    person_of_origin,
    recorded,
    stored,
    subject_of,
)
from eventstore.sealing import KeyWrapper, PersonKeys
from eventstore.store import Conflict, Recorded, Stream, Use, Write

MOST_STREAMS = 500
Apply = Callable[[Sequence[Recorded]], None]
Around = Callable[[int], AbstractContextManager[Any]]
"""(number of facts) → what stands around a push, for whoever measures it."""


class DatabaseStore:
    """Appends and reads facts. `apply` changes the immediate read tables; `on_commit` wakes followers."""

    def __init__(
        self,
        *,
        apply: Apply,
        keys: KeyWrapper,
        on_commit: Iterable[Callable[[], None]] = (),
        around: Around = nullcontext,
    ) -> None:
        self._apply = apply
        self._around = around
        self._on_commit = tuple(on_commit)
        self.persons = PersonKeys(keys)

    def read(self, stream: Stream) -> Sequence[Recorded]:
        """All facts of a stream, opened with the keys that are still there; one statement."""
        rows = _stream.all(instance=stream.instance, kind=stream.kind, id=stream.id)
        return [self._recorded(row) for row in rows]

    def read_many(self, streams: Sequence[Stream]) -> dict[Stream, list[Recorded]]:
        """The facts of several streams of one kind and instance; one statement per 500 streams."""
        found: dict[Stream, list[Recorded]] = {stream: [] for stream in streams}
        for start in range(0, len(streams), MOST_STREAMS):
            some = streams[start : start + MOST_STREAMS]
            ids = [stream.id for stream in some]
            rows = EventRow.objects.filter(
                instance_id=some[0].instance, aggregate_type=some[0].kind, aggregate_id__in=ids
            )
            for one in self.open(rows.order_by("aggregate_id", "version")):
                found[one.stream].append(one)
        return found

    def open(self, rows: "QuerySet[EventRow]") -> list[Recorded]:
        """Rows as facts; the persons' keys come in the same statement."""
        return [self._recorded(row) for row in with_keys(rows)]

    def _recorded(self, row: Any) -> Recorded:
        opened = {row.subject: self.persons.open(row.instance_id, row.subject_key)} if row.subject else {}
        stream = Stream(row.instance_id, row.aggregate_type, row.aggregate_id)
        if "from" in row.context:
            opened[person_of_origin(stream, row.actor)] = self.persons.open(row.instance_id, row.origin_key)
        return recorded(row, opened)

    def push(self, writes: Sequence[Write]) -> Sequence[Recorded]:
        """Append all or none. Raises Conflict when a stream moved, Taken when a claim is held by somebody else."""
        subjects = [(write.stream.instance, id) for write in writes for id in _persons(write)]
        try:
            with self._around(sum(len(write.facts) for write in writes)), transaction.atomic():
                return self._push([replace(write, at=write.at.astimezone(UTC)) for write in writes])
        except BaseException as failure:
            for instance, id in subjects:  # keys that this push made went away with it
                self.persons.forget(instance, [id])
            if isinstance(failure, OperationalError) and "deadlock" in str(failure):
                raise Conflict from failure  # at the commit: two pushes renew the same epochs crosswise
            raise

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Several pushes in one transaction: all or none."""
        try:
            with self.persons.tentative(), transaction.atomic():
                yield
        except BaseException:
            self.persons.wrapper.forget()  # a data key that was made in here is gone
            raise

    def _push(self, writes: Sequence[Write]) -> Sequence[Recorded]:
        stand_firm(writes)
        must_be_free(writes)
        claim(writes)
        new, rows = self._prepared([write for write in writes if write.facts])
        if rows:
            positions = append(rows, [write.stream for write in writes if write.facts], drawn_streams(writes))
            new = [replace(one, position=position) for one, position in zip(new, positions, strict=True)]
        self._apply(new)
        for wake in self._on_commit:
            transaction.on_commit(wake)
        return new

    def _prepared(self, writes: Sequence[Write]) -> tuple[list[Recorded], list[Row]]:
        new, rows = [], []
        for write in writes:
            new_ones = () if write.expected else (write.stream.id,)
            persons = _persons(write)
            keys = self.persons.keys(write.stream.instance, persons, write.at, new_ones) if persons else {}
            digest = write.after
            for version, fact in enumerate(write.facts, start=write.expected + 1):
                form = stored(write.stream, fact, write.origin, write.actor, keys)
                digest = digest_of(
                    digest,
                    write.stream,
                    version,
                    (fact.stored_name, fact.revision),
                    owner=write.owner,
                    actor=write.actor,
                    at=write.at,
                    form=form,
                )
                rows.append(_row(write, version, fact, form, digest))
                new.append(_new(write, version, fact, digest))
        return new, rows

    def note(self, uses: Iterable[Use]) -> None:
        """Record use."""
        for use in uses:
            write = Write(use.stream, 0, (use.what,), use.owner, use.actor, use.at, origin=use.origin)
            keys = self.persons.keys(use.stream.instance, _persons(write), use.at) if _persons(write) else {}
            form = stored(use.stream, use.what, use.origin, use.actor, keys)
            ActivityRow.objects.create(
                instance_id=use.stream.instance,
                id=uuid.uuid4().hex,
                aggregate_type=use.stream.kind,
                aggregate_id=use.stream.id,
                event_type=use.what.stored_name,
                owner=use.owner,
                subject=form.subject,
                payload=form.payload,
                actor=use.actor,
                created_at=use.at,
                context=form.context,
            )

    def erase_subjects(self, instance: str, ids: Iterable[str]) -> None:
        """Destroy the keys of persons: what was sealed under them is gone for good."""
        gone = sorted(ids)
        with transaction.atomic():
            now = datetime.now(UTC)
            self.persons.keys(instance, gone, now)  # a person without a key gets a tombstone too
            PersonKey.objects.filter(instance_id=instance, id__in=gone).update(wrapped="", erased_at=now)
        self.persons.forget(instance, gone)


def with_keys(rows: "QuerySet[EventRow]") -> "QuerySet[EventRow]":
    """Rows with the wrapped keys of the subject and of whoever the address belongs to."""
    keys = PersonKey.objects.filter(instance_id=OuterRef("instance_id"))
    whose = Case(
        When(~Q(actor=""), then=F("actor")),
        When(aggregate_type="user", then=F("aggregate_id")),
        default=F("instance_id"),
        output_field=TextField(),
    )
    return rows.annotate(origin_of=whose).annotate(
        subject_key=Coalesce(
            Subquery(keys.filter(id=OuterRef("subject")).values("wrapped")), Value(""), output_field=TextField()
        ),
        origin_key=Coalesce(
            Subquery(keys.filter(id=OuterRef("origin_of")).values("wrapped")), Value(""), output_field=TextField()
        ),
    )


@prepared
def _stream(instance: str, kind: str, id: str) -> "QuerySet[EventRow]":
    rows = EventRow.objects.filter(instance_id=instance, aggregate_type=kind, aggregate_id=id)
    return with_keys(rows.order_by("version"))


def _persons(write: Write) -> set[str]:
    """Whose keys a write needs."""
    subjects = {subject_of(write.stream, fact) for fact in write.facts} - {""}
    address = {person_of_origin(write.stream, write.actor)} if write.facts and has_address(write.origin) else set()
    return subjects | address


def _row(write: Write, version: int, fact: Event, form: Stored, digest: bytes) -> Row:
    stream = write.stream
    return (
        stream.instance,
        stream.kind,
        stream.id,
        version,
        fact.stored_name,
        fact.revision,
        write.owner,
        form.subject,
        json_value(form.payload),
        write.actor,
        time_value(write.at),
        json_value(form.context),
        digest,
    )


def _new(write: Write, version: int, fact: Event, digest: bytes) -> Recorded:
    return Recorded(0, write.stream, version, fact, write.owner, write.actor, write.at, write.origin, digest)
