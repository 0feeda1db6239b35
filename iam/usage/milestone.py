"""A milestone of an instance: reached once, told to the report's receivers once (events.tsv `milestone.*`)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import ClassVar, Self

from eventstore.aggregates import Aggregate
from eventstore.events import Event, event, key


class Milestone(IntEnum):
    """Numbers of zitadel.milestone.v1.MilestoneType."""

    INSTANCE_CREATED = 1
    AUTHENTICATION_SUCCEEDED_ON_INSTANCE = 2
    PROJECT_CREATED = 3
    APPLICATION_CREATED = 4
    AUTHENTICATION_SUCCEEDED_ON_APPLICATION = 5
    INSTANCE_DELETED = 6


@event("milestone.reached")
class MilestoneReached(Event):
    """An instance came so far for the first time."""

    type: int
    reached_at: datetime = key("reachedDate")


@event("milestone.pushed")
class MilestonePushed(Event):
    """A receiver of the usage report has learned of it."""

    type: int
    pushed_at: datetime = key("pushedDate")


@dataclass(frozen=True)
class Milestones(Aggregate):
    """All of one instance; the stream bears the instance's id."""

    kind: ClassVar[str] = "milestone"
    has_own_id: ClassVar[bool] = False
    reached: frozenset[int] = frozenset()
    pushed: frozenset[int] = frozenset()

    def reach(self, milestone: Milestone, at: datetime) -> list[Event]:
        """Come so far; a second time says nothing."""
        return [] if milestone in self.reached else [MilestoneReached(type=int(milestone), reached_at=at)]

    def push(self, milestones: frozenset[int], at: datetime) -> list[Event]:
        """Note which ones were told."""
        told = sorted((milestones & self.reached) - self.pushed)
        return [MilestonePushed(type=one, pushed_at=at) for one in told]

    def apply(self, fact: Event) -> Self:
        """The milestones after a fact."""
        match fact:
            case MilestoneReached(type=type):
                return replace(self, reached=self.reached | {type})
            case MilestonePushed(type=type):
                return replace(self, pushed=self.pushed | {type})
        return self
