"""Walks the digest chains: tells whether a fact was changed, removed or put in between (checklist E02)."""

from dataclasses import dataclass

from eventstore.models import EventRow
from eventstore.records import Stored, digest_of
from eventstore.store import Stream

CHUNK = 2000


@dataclass(frozen=True)
class Finding:
    """The first fact that does not fit, or none; and how many were looked at."""

    checked: int
    position: int = 0
    problem: str = ""


def verify_log() -> Finding:
    """Check every stream; answers the bad fact with the lowest position."""
    checked, worst = 0, Finding(0)
    at: Stream | None = None
    digest, version = b"", 0
    rows = EventRow.objects.order_by("instance_id", "aggregate_type", "aggregate_id", "version")
    for row in rows.iterator(chunk_size=CHUNK):
        stream = Stream(row.instance_id, row.aggregate_type, row.aggregate_id)
        if stream != at:
            at, digest, version = stream, b"", 0
        problem = _problem(row, stream, digest, version)
        if problem and (not worst.position or row.position < worst.position):
            worst = Finding(0, row.position, problem)
        digest, version, checked = bytes(row.digest), row.version, checked + 1
    return Finding(checked, worst.position, worst.problem)


def _problem(row: EventRow, stream: Stream, before: bytes, version: int) -> str:
    where = f"{stream.kind} {stream.id} version {row.version} ({row.event_type})"
    if row.version != version + 1:
        return f"{where}: version {version + 1} is missing"
    made = digest_of(
        before,
        stream,
        row.version,
        (row.event_type, row.revision),
        owner=row.owner,
        actor=row.actor,
        at=row.created_at,
        form=Stored(row.subject, row.payload, row.context),
    )
    return "" if made == bytes(row.digest) else f"{where}: the digest does not fit"
