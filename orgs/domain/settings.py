"""The settings that an organization has of its own: the part of its stream that they are."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from eventstore.aggregates import Aggregate
from eventstore.events import Event
from iam.instance.domain.kinds import ORG, SettingFact
from iam.instance.domain.settings import Settings
from iam.kernel.errors import NotFound
from orgs.domain.events import OrgAdded, OrgRemoved


@dataclass(frozen=True)
class OrgSettings(Aggregate):
    """An organization as far as its settings go; read from the same stream, beside `Org`."""

    kind: ClassVar[str] = "org"
    has_own_id: ClassVar[bool] = False
    exists: bool = False
    settings: Settings = field(default_factory=lambda: Settings(ORG))

    def must_exist(self) -> Self:
        """Raises NotFound."""
        if not self.exists:
            raise NotFound("org.not_found")
        return self

    def apply(self, fact: Event) -> Self:
        """The settings after a fact."""
        match fact:
            case OrgAdded():
                return replace(self, exists=True)
            case OrgRemoved():
                return replace(self, exists=False, settings=Settings(ORG))
            case SettingFact():
                return replace(self, settings=self.settings.apply(fact))
        return self
