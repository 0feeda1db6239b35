"""Every change of settings. A place says whose they are: the instance's, or (orgs.settings) an organization's."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from eventstore.aggregates import Aggregate
from eventstore.events import Event
from iam.instance.domain.features import SYSTEM_ID, Features
from iam.instance.domain.instance import Instance
from iam.instance.domain.kinds import INSTANCE, KINDS, Kind, SettingFact
from iam.instance.domain.settings import Settings
from iam.instance.domain.translations import TranslationSet
from iam.kernel.change import Receipt, change
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, NotFound
from iam.kernel.levels import Level

Values = Mapping[str, Any]
Decide = Callable[[Settings], Iterable[Event]]


@dataclass(frozen=True)
class Place:
    """Whose settings: the aggregate that holds them, and the permissions to change and to reset them."""

    aggregate: type[Any]
    id: str
    write: str
    delete: str = ""
    level: Level = Level.INSTANCE

    def must_be_of_level(self, ctx: Context) -> None:
        """Raises NotFound for an organization with the instance's id: settings in force are told apart by owner."""
        if self.level is Level.ORG and self.id == ctx.instance:
            raise NotFound("org.not_found")


@dataclass(frozen=True)
class Restrictions(Aggregate):
    """Restrictions have a stream of their own (events.tsv)."""

    kind: ClassVar[str] = "restrictions"
    has_own_id: ClassVar[bool] = False
    settings: Settings = field(default_factory=lambda: Settings(INSTANCE))

    def must_exist(self) -> Self:
        """There always are some."""
        return self

    def apply(self, fact: Event) -> Self:
        """The restrictions after a fact."""
        if not isinstance(fact, SettingFact):
            return self
        return type(self)(self.id, self.owner, self.settings.apply(fact))


def of_instance(ctx: Context, write: str = "iam.policy.write") -> Place:
    """The defaults of the instance."""
    return Place(Instance, ctx.instance, write)


def add_setting(ctx: Context, place: Place, *, kind: str, values: Values) -> Receipt:
    """Have values of one's own; raises AlreadyExists, InvalidInput."""
    return _change(ctx, place, lambda settings: settings.add(_kind(kind), values))


def change_setting(ctx: Context, place: Place, *, kind: str, values: Values) -> Receipt:
    """Change own values, those left out stay; raises FailedPrecondition when nothing changes, NotFound, InvalidInput."""
    return _change(ctx, place, lambda settings: settings.change(_kind(kind), values))


def set_setting(ctx: Context, place: Place, *, kind: str, values: Values) -> Receipt:
    """Change own values; nothing to change is no mistake."""
    return _change(ctx, place, lambda settings: settings.set(_kind(kind), values))


def keep_setting(ctx: Context, place: Place, *, kind: str, values: Values) -> Receipt:
    """Have these own values, whether there were any before or not (forms of the console)."""

    def decide(settings: Settings) -> Iterable[Event]:
        is_new = settings.level != INSTANCE and kind not in settings.own
        return settings.add(_kind(kind), values) if is_new else settings.set(_kind(kind), values)

    return _change(ctx, place, decide)


def reset_setting(ctx: Context, place: Place, *, kind: str) -> Receipt:
    """Fall back to the level above; raises NotFound without own values."""
    return _change(ctx, place, lambda settings: settings.remove(_kind(kind)), needs=place.delete)


def activate_label(ctx: Context, place: Place) -> Receipt:
    """Show the branding that was prepared."""
    return _change(ctx, place, Settings.activate_label)


def set_label_asset(ctx: Context, place: Place, *, asset: str, store_key: str) -> Receipt:
    """Use a stored file in the branding that is being prepared."""
    return _change(ctx, place, lambda settings: settings.set_asset(asset, store_key))


def remove_label_asset(ctx: Context, place: Place, *, asset: str) -> Receipt:
    """Use no file of this kind; raises NotFound."""
    return _change(ctx, place, lambda settings: settings.remove_asset(asset))


def list_factor(ctx: Context, place: Place, *, factors: str, number: int) -> Receipt:
    """Allow a factor at sign-in; raises AlreadyExists. `factors`: second_factors or multi_factors."""
    return _change(ctx, place, lambda settings: settings.list_factor(factors, number))


def unlist_factor(ctx: Context, place: Place, *, factors: str, number: int) -> Receipt:
    """Allow it no more; raises NotFound."""
    return _change(ctx, place, lambda settings: settings.unlist_factor(factors, number))


def set_translation(ctx: Context, place: Place, *, fact: TranslationSet) -> Receipt:
    """Replace the texts of a language (login pages of one's own)."""

    def decide(one: Any) -> list[Event]:
        one.must_exist()
        return [fact]

    place.must_be_of_level(ctx)
    return change(ctx, place.aggregate, place.id, decide, needs="iam.policy.write")


def set_restrictions(ctx: Context, *, values: Values) -> Receipt:
    """Restrict what the instance offers; raises InvalidInput when nothing is said."""
    if not values:
        raise InvalidInput("setting.none_given")
    place = Place(Restrictions, ctx.instance, "iam.restrictions.write")
    return _change(ctx, place, lambda settings: settings.set(_kind("restrictions"), values), owner=ctx.instance)


def set_features(ctx: Context, *, level: str, values: Values, needs: str = "") -> Receipt:
    """Switch features of the system or of the instance; `needs` is another permission than the level's own."""
    return _change_features(ctx, level, lambda one: one.set(values), "write", needs)


def reset_features(ctx: Context, *, level: str) -> Receipt:
    """Set no features on a level."""
    return _change_features(ctx, level, Features.reset, "delete")


def _change_features(
    ctx: Context, level: str, decide: Callable[[Features], list[Event]], verb: str, needs: str = ""
) -> Receipt:
    """Features of the system are facts of no instance."""
    of_system = level == "system"
    where, id = (replace(ctx, instance=""), SYSTEM_ID) if of_system else (ctx, ctx.instance)
    needs = needs or f"{'system' if of_system else 'iam'}.feature.{verb}"
    return change(where, Features, id, decide, needs=needs, owner=id)


def _change(ctx: Context, place: Place, decide: Decide, *, needs: str = "", owner: str = "") -> Receipt:
    place.must_be_of_level(ctx)
    return change(
        ctx,
        place.aggregate,
        place.id,
        lambda one: decide(one.must_exist().settings),
        needs=needs or place.write,
        owner=owner,
    )


def _kind(name: str) -> Kind:
    return KINDS[name]
