"""An execution: which facts are told to which targets. Its stream is named by its condition."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from eventstore.aggregates import Aggregate
from eventstore.events import Activity, Event, declared_events
from iam.actions.domain.events import ExecutionRemoved, ExecutionSet
from iam.kernel.errors import InvalidInput, NotFound

EVENT, GROUP, ALL = "event", "group", "all"
ANY = ".*"
IS_TARGET = 2
"""The type of a target in the fact, as the reference numbers it (1 was another execution)."""
MOST_TARGETS = 20


@dataclass(frozen=True)
class Condition:
    """What a fact must be: of one type, of a group of types that begin alike, or any."""

    kind: str
    name: str = ""

    @property
    def id(self) -> str:
        """The execution's id."""
        match self.kind:
            case "event":
                return f"{EVENT}/{self.name}"
            case "group":
                return f"{EVENT}/{self.name}{ANY}"
        return EVENT

    @classmethod
    def of(cls, id: str) -> "Condition":
        """The condition of an id."""
        _, _, name = id.partition("/")
        if not name:
            return cls(ALL)
        return cls(GROUP, name.removesuffix(ANY)) if name.endswith(ANY) else cls(EVENT, name)

    def checked(self) -> "Condition":
        """The condition, if a fact can meet it; raises NotFound."""
        name = self.name.removesuffix(ANY) if self.kind == GROUP else self.name
        known = [one for one, kind in declared_events() if not issubclass(kind, Activity)]
        if self.kind == EVENT and name not in known:
            raise NotFound("execution.event_unknown", field="event")
        if self.kind == GROUP and not any(one.startswith(f"{name}.") for one in known):
            raise NotFound("execution.group_unknown", field="group")
        return replace(self, name=name)


def conditions_met(event_type: str) -> Iterator[str]:
    """The ids of all executions that a fact of a type meets."""
    yield Condition(EVENT, event_type).id
    parts = event_type.split(".")
    yield from (Condition(GROUP, ".".join(parts[:many])).id for many in range(1, len(parts)))
    yield Condition(ALL).id


@dataclass(frozen=True)
class Execution(Aggregate):
    """The targets of a condition, in order."""

    kind: ClassVar[str] = "execution"
    has_own_id: ClassVar[bool] = False
    targets: tuple[str, ...] = ()

    def set(self, targets: tuple[str, ...]) -> list[Event]:
        """Tell these targets and no others; none at all ends it."""
        wanted = tuple(dict.fromkeys(targets))
        if len(wanted) > MOST_TARGETS:
            raise InvalidInput("execution.targets_too_many", field="targets")
        if wanted == self.targets:
            return []
        told = tuple({"type": IS_TARGET, "target": one} for one in wanted)
        return [ExecutionSet(targets=told)] if told else [ExecutionRemoved()]

    def lose(self, target: str) -> list[Event]:
        """Go on without a target that is gone."""
        return self.set(tuple(one for one in self.targets if one != target))

    def apply(self, fact: Event) -> Self:
        """The execution after a fact."""
        match fact:
            case ExecutionSet(targets=targets):
                return replace(self, targets=tuple(str(one.get("target", "")) for one in targets))
            case ExecutionRemoved():
                return replace(self, targets=())
        return self
