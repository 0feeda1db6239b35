"""Keeps the tables of settings, for instances and organizations alike."""

from typing import Any

from eventstore.store import Recorded
from iam.access.members import LevelRemoved
from iam.instance.domain.features import FEATURES, FeatureSet, FeaturesReset
from iam.instance.domain.kinds import KINDS, Kind, LabelActivated, SettingFact
from iam.instance.domain.settings import Own, own_after
from iam.instance.domain.translations import TranslationSet
from iam.instance.models import SettingRow
from iam.instance.stored import ACTIVE, from_json, to_json
from iam.kernel.levels import Level
from projections.projection import Projection, on


class SettingsInForce(Projection):
    """One row per kind and owner with values of its own; features as one row per level."""

    name = "settings"
    tables = (SettingRow,)

    @on(SettingFact)
    def setting(self, at: Recorded, fact: SettingFact) -> None:
        """Own values changed, or are gone."""
        kind = KINDS.get(fact.setting)
        if kind is None:
            return
        values = own_after(kind, _own(at, kind), fact)
        if isinstance(fact, LabelActivated):
            _keep(at, ACTIVE, to_json(values or {}))
        elif values is None:
            _rows(at).filter(kind__in=(kind.name, ACTIVE) if kind.name == "label" else (kind.name,)).delete()
        else:
            _keep(at, kind.name, to_json(values))

    @on(TranslationSet)
    def translation(self, at: Recorded, fact: TranslationSet) -> None:
        """Texts of a language were replaced."""
        _keep(at, f"translation_{fact.language}", dict(fact.translation))

    @on(FeatureSet)
    def feature(self, at: Recorded, fact: FeatureSet) -> None:
        """A feature is on or off."""
        row = _rows(at).filter(kind=FEATURES).first()
        _keep(at, FEATURES, {**(row.values if row else {}), fact.feature: to_json({"value": fact.told()})["value"]})

    @on(FeaturesReset)
    def features_reset(self, at: Recorded, _: FeaturesReset) -> None:
        """None is set here."""
        _rows(at).filter(kind=FEATURES).delete()

    @on(LevelRemoved)
    def gone(self, at: Recorded, fact: LevelRemoved) -> None:
        """The organization or the instance takes its settings with it."""
        rows = SettingRow.objects.filter(instance_id=at.stream.instance)
        if fact.level is Level.ORG and at.stream.id != at.stream.instance:
            rows.filter(owner=at.stream.id).delete()
        elif fact.level is Level.INSTANCE:
            rows.delete()


def _rows(at: Recorded) -> Any:
    return SettingRow.objects.filter(instance_id=at.stream.instance, owner=at.owner)


def _own(at: Recorded, kind: Kind) -> Own | None:
    row = _rows(at).filter(kind=kind.name).first()
    return from_json(kind, row.values) if row else None


def _keep(at: Recorded, kind: str, values: dict[str, Any]) -> None:
    changed = {"values": values, "changed_at": at.at, "version": at.version}
    SettingRow.objects.update_or_create(
        instance_id=at.stream.instance,
        owner=at.owner,
        kind=kind,
        defaults=changed,
        create_defaults={**changed, "created_at": at.at},
    )
