"""A target: the address that is called, and the key that signs what is sent to it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from eventstore.aggregates import Aggregate, Claim
from eventstore.events import Event, told
from iam.actions.domain.endpoint import endpoint_of
from iam.actions.domain.events import TargetAdded, TargetChanged, TargetRemoved
from iam.kernel.errors import InvalidInput, NotFound, Unimplemented

WEBHOOK, CALL, ASYNC = 0, 1, 2
JSON = 1
LONGEST_NAME = 1000
LONGEST_TIMEOUT = timedelta(seconds=270)


@dataclass(frozen=True)
class TargetValues:
    """What an administrator chooses. A timeout of nothing is as long as the server waits at most."""

    name: str = ""
    target_type: int = WEBHOOK
    endpoint: str = ""
    timeout: timedelta = timedelta(0)
    interrupt_on_error: bool = False
    payload_type: int = JSON

    def checked(self) -> "TargetValues":
        """The values, if all of them are good; raises InvalidInput, Unimplemented."""
        if not self.name.strip() or len(self.name) > LONGEST_NAME:
            raise InvalidInput("target.name_invalid", field="name")
        if not timedelta(0) <= self.timeout <= LONGEST_TIMEOUT:
            raise InvalidInput("target.timeout_invalid", field="timeout")
        if self.payload_type not in (0, JSON):
            raise Unimplemented("target.payload_unsupported", field="payloadType")
        endpoint_of(self.endpoint)
        return replace(self, payload_type=JSON)


@dataclass(frozen=True)
class Target(Aggregate):
    """One address. Its stream's owner is the instance."""

    kind: ClassVar[str] = "target"
    values: TargetValues = field(default_factory=TargetValues)
    exists: bool = False

    def add(self, values: TargetValues, *, signing_key: str) -> list[Event]:
        """Begin; the key is sealed."""
        return [TargetAdded(signing_key=signing_key, **asdict(values.checked()))]

    def change(
        self, changes: Mapping[str, Any], *, signing_key: str | None = None, previous_until: datetime | None = None
    ) -> list[Event]:
        """Change what differs. With a new key, the one before signs beside it until a moment, or no more."""
        self.must_exist()
        wanted, now = asdict(replace(self.values, **changes).checked()), asdict(self.values)
        different = {name: value for name, value in wanted.items() if value != now[name]}
        if not different and signing_key is None:
            return []
        return [TargetChanged(signing_key=signing_key, previous_until=previous_until, **different)]

    def remove(self) -> list[Event]:
        """End."""
        self.must_exist()
        return [TargetRemoved()]

    def must_exist(self) -> None:
        """Raises NotFound."""
        if not self.exists:
            raise NotFound("target.not_found")

    def apply(self, fact: Event) -> Self:
        """The target after a fact."""
        match fact:
            case TargetAdded():
                values = {name: getattr(fact, name) for name in asdict(self.values)}
                return replace(self, values=TargetValues(**values), exists=True)
            case TargetChanged():
                return replace(self, values=replace(self.values, **told(fact, *asdict(self.values))))
            case TargetRemoved():
                return replace(self, exists=False)
        return self

    def claims(self) -> frozenset[Claim]:
        """Names are unique in the instance."""
        name = Claim("target", self.values.name, code="target.already_exists")
        return frozenset([name]) if self.exists else frozenset()
