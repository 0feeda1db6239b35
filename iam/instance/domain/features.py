"""Features that are switched on or off, for the whole system or for an instance (reference/events.tsv, `feature`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from eventstore.aggregates import Aggregate
from eventstore.events import Event, event, key
from iam.kernel.errors import InvalidInput

FEATURES = "features"
SYSTEM, INSTANCE = "system", "instance"
SYSTEM_ID = "SYSTEM"
SWITCHES = (
    "login_default_org",
    "user_schema",
    "token_exchange",
    "oidc_single_v1_session_termination",
    "enable_back_channel_logout",
    "permission_check_v2",
)
NAMES: Mapping[str, tuple[str, ...]] = {
    SYSTEM: (*SWITCHES, "improved_performance", "login_v2"),
    INSTANCE: (*SWITCHES, "improved_performance", "login_v2", "debug_oidc_parent_error", "console_use_v2_user_api"),
}
IN_FORCE: Mapping[str, Any] = {"login_default_org": True, "login_v2": {"required": True, "base_uri": ""}}
"""What holds in an instance whose features nobody has set: login pages of one's own ask for it before anything else."""


class FeatureSet(Event):
    """Family: a feature has a value."""

    feature: ClassVar[str]

    def told(self) -> Any:
        """The value."""
        return getattr(self, "value", None)


class FeaturesReset(Event):
    """Family: no feature has a value on this level."""


class LoginV2Set(FeatureSet):
    """Family: which login pages are used."""

    required: bool
    base_uri: str

    def told(self) -> Any:
        """Required, and the address of login pages of one's own."""
        return {"required": self.required, "base_uri": self.base_uri}


def _declare(level: str) -> dict[str, type[Event]]:
    made: dict[str, type[Event]] = {}
    for name in NAMES[level]:
        base, hints, parts = FeatureSet, {"value": bool}, {"value": key("Value", default=None)}
        if name == "improved_performance":
            hints = {"value": tuple[int, ...]}
        if name == "login_v2":
            base, hints = LoginV2Set, {"required": bool, "base_uri": str}
            parts = {"required": key("Value.required", default=False), "base_uri": key("Value.base_uri", default="")}
        space = {"__doc__": base.__doc__, "__module__": __name__, "__annotations__": hints, "feature": name, **parts}
        label = "".join(part.capitalize() for part in (level, *name.split("_")))
        made[name] = event(f"feature.{level}.{name}.set")(type(f"{label}Set", (base,), space))
    return made


@event("feature.system.reset")
class SystemFeaturesReset(FeaturesReset):
    """Nothing is set for the system."""


@event("feature.instance.reset")
class InstanceFeaturesReset(FeaturesReset):
    """Nothing is set for the instance."""


FACTS: Mapping[str, Mapping[str, type[Event]]] = {level: _declare(level) for level in (SYSTEM, INSTANCE)}
RESETS: Mapping[str, type[Event]] = {SYSTEM: SystemFeaturesReset, INSTANCE: InstanceFeaturesReset}


@dataclass(frozen=True)
class Features(Aggregate):
    """The features of one level; its id is the instance's, or SYSTEM."""

    kind: ClassVar[str] = "feature"
    has_own_id: ClassVar[bool] = False
    values: Mapping[str, Any] = field(default_factory=dict)

    def set(self, given: Mapping[str, Any]) -> list[Event]:
        """Switch features; raises InvalidInput for none."""
        if not given:
            raise InvalidInput("feature.none_given")
        level = SYSTEM if self.id == SYSTEM_ID else INSTANCE
        changed = {name: value for name, value in given.items() if self.values.get(name) != value}
        return [
            FACTS[level][name](**(value if name == "login_v2" else {"value": value})) for name, value in changed.items()
        ]

    def reset(self) -> list[Event]:
        """Set nothing on this level."""
        return [RESETS[SYSTEM if self.id == SYSTEM_ID else INSTANCE]()]

    def apply(self, fact: Event) -> Self:
        """The features after a fact."""
        match fact:
            case FeatureSet():
                return replace(self, values={**self.values, fact.feature: fact.told()})
            case FeaturesReset():
                return replace(self, values={})
        return self
