"""The settings that an instance or an organization has of its own, and every decision about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from eventstore.events import Event
from iam.instance.domain import kinds
from iam.instance.domain.kinds import INSTANCE, KINDS, Kind
from iam.kernel.errors import AlreadyExists, FailedPrecondition, NotFound

Own = Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    """Kind → values of one's own. What is not in there comes from the level above."""

    level: str
    own: Mapping[str, Own] = field(default_factory=dict)

    def add(self, kind: Kind, given: Own) -> list[Event]:
        """Have values of one's own; raises AlreadyExists, InvalidInput."""
        if kind.name in self.own:
            raise AlreadyExists("setting.already_custom")
        kept = {
            name: empty for name, empty in kind.zero().items() if not hasattr(kind.facts[self.level]["added"], name)
        }
        complete = kind.complete({**kept, **given})
        kind.check(complete)
        told = {name: getattr(complete, name) for name in kind.fields() if name not in kept}
        return [kind.fact(self.level, "added", **told), *self._factors(complete)]

    def _factors(self, complete: Any) -> list[Event]:
        """The factors that an addition lists, each as its own fact."""
        return [
            kinds.FACTOR_FACTS[self.level][factors](mfa_type=number)  # type: ignore[call-arg]
            for factors in ("second_factors", "multi_factors")
            for number in dict.fromkeys(getattr(complete, factors, ()))
        ]

    def change(self, kind: Kind, given: Own) -> list[Event]:
        """Change values; raises NotFound for an organization without own ones, FailedPrecondition, InvalidInput."""
        changed = self.set(kind, given)
        if not changed:
            raise FailedPrecondition("setting.not_changed")
        return changed

    def set(self, kind: Kind, given: Own) -> list[Event]:
        """The same, where nothing to change is no mistake."""
        self._must_have(kind)
        own = self.own.get(kind.name, {})
        kind.check(kind.complete({**own, **given}))
        told = {name: value for name, value in given.items() if name not in own or own[name] != value}
        return [kind.fact(self.level, "changed", **told)] if told else []

    def remove(self, kind: Kind) -> list[Event]:
        """Fall back to the level above; raises NotFound when there are no own values."""
        if kind.name not in self.own:
            raise NotFound("setting.not_custom")
        return [kind.fact(self.level, "removed")]

    def activate_label(self) -> list[Event]:
        """Show the branding that was prepared."""
        self._must_have(kinds.LABEL)
        return [kinds.LABEL_FACTS[self.level]["activated"]()]

    def set_asset(self, asset: str, store_key: str) -> list[Event]:
        """Use a stored file in the branding that is being prepared."""
        self._must_have(kinds.LABEL)
        return [kinds.LABEL_FACTS[self.level][asset](store_key=store_key)]  # type: ignore[call-arg]

    def remove_asset(self, asset: str) -> list[Event]:
        """Use no file of this kind; raises NotFound when there is none."""
        store_key = self.own.get("label", {}).get(asset, "")
        if not store_key:
            raise NotFound("setting.asset_not_found", field=asset)
        return [kinds.LABEL_FACTS[self.level][f"{asset}_removed"](store_key=store_key)]  # type: ignore[call-arg]

    def list_factor(self, factors: str, number: int) -> list[Event]:
        """Allow a factor; raises AlreadyExists."""
        if number in self._listed(factors):
            raise AlreadyExists("setting.factor_already_listed", field="type")
        return [kinds.FACTOR_FACTS[self.level][factors](mfa_type=number)]  # type: ignore[call-arg]

    def unlist_factor(self, factors: str, number: int) -> list[Event]:
        """Allow it no more; raises NotFound."""
        if number not in self._listed(factors):
            raise NotFound("setting.factor_not_listed", field="type")
        return [kinds.FACTOR_FACTS[self.level][f"{factors}_removed"](mfa_type=number)]  # type: ignore[call-arg]

    def _listed(self, factors: str) -> tuple[int, ...]:
        self._must_have(kinds.LOGIN)
        return getattr(kinds.LOGIN.complete(self.own.get("login", {})), factors)  # type: ignore[no-any-return]

    def _must_have(self, kind: Kind) -> None:
        if self.level != INSTANCE and kind.name not in self.own:
            raise NotFound("setting.not_custom")

    def apply(self, fact: Event) -> Self:
        """The settings after a fact."""
        if not isinstance(fact, kinds.SettingFact) or fact.setting not in KINDS:
            return self
        values = own_after(KINDS[fact.setting], self.own.get(fact.setting), fact)
        rest = {name: own for name, own in self.own.items() if name != fact.setting}
        return replace(self, own=rest if values is None else {**rest, fact.setting: values})


def own_after(kind: Kind, own: Own | None, fact: kinds.SettingFact) -> Own | None:
    """The own values of a kind after a fact; None = none any more."""
    match fact:
        case kinds.SettingAdded():
            return {**kind.zero(), **fact.told()}
        case kinds.SettingChanged():
            return {**(own or {}), **fact.told()}
        case kinds.SettingRemoved():
            return None
        case kinds.AssetSet(asset=asset):
            return {**(own or {}), asset: fact.told().get("store_key", "")}
        case kinds.AssetRemoved(asset=asset):
            return {**(own or {}), asset: ""}
        case kinds.FactorListed() | kinds.FactorUnlisted():
            listed = getattr(kind.complete(own or {}), fact.factors)
            number = fact.told().get("mfa_type", 0)
            others = tuple(one for one in listed if one != number)
            return {**(own or {}), fact.factors: (*others, number) if isinstance(fact, kinds.FactorListed) else others}
    return own
