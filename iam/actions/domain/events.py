"""What can happen to a target and to an execution (reference/events.tsv)."""

from datetime import datetime, timedelta

from eventstore.events import Event, Sealed, event


@event("target.added")
class TargetAdded(Event):
    """An address that facts are told to. The signing key is sealed."""

    name: str = ""
    target_type: int = 0
    endpoint: str = ""
    timeout: timedelta = timedelta(0)
    interrupt_on_error: bool = False
    signing_key: Sealed[str] = ""
    payload_type: int = 0


@event("target.changed")
class TargetChanged(Event):
    """Other values, or a new signing key; the key of before signs beside it until a moment."""

    name: str | None = None
    target_type: int | None = None
    endpoint: str | None = None
    timeout: timedelta | None = None
    interrupt_on_error: bool | None = None
    signing_key: Sealed[str | None] = None
    payload_type: int | None = None
    previous_until: datetime | None = None


@event("target.removed")
class TargetRemoved(Event):
    """Nothing is told to it any more."""


@event("execution.v2.set")
class ExecutionSet(Event):
    """Which targets are told of what meets the condition that the stream is named by, in order."""

    targets: tuple[dict[str, object], ...] = ()


@event("execution.removed")
class ExecutionRemoved(Event):
    """Nobody is told any more."""
