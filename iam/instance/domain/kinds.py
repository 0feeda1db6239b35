"""The kinds of settings: fields, defaults, bounds, and the facts that change them (reference/events.tsv).

One table for every kind. A kind's values are a frozen dataclass; from it come the facts of the instance's default
(`instance.policy.…`) and of an organization's override (`org.policy.…`), declared once, here. A field of a `.changed`
fact that says nothing leaves the value as it is; an `.added` fact says every value.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from eventstore.events import Event, event, key
from iam.instance.domain import values

INSTANCE, ORG = "instance", "org"


class SettingFact(Event):
    """Family: a setting of an instance or of an organization changed. `setting` names its kind."""

    setting: ClassVar[str]

    def told(self) -> dict[str, Any]:
        """The values that the fact says, by name."""
        found = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in found.items() if value is not None}


class SettingAdded(SettingFact):
    """Family: values of one's own, all of them; what is left out is empty."""


class SettingChanged(SettingFact):
    """Family: some values changed."""


class SettingRemoved(SettingFact):
    """Family: no values of one's own any more."""


class LabelActivated(SettingFact):
    """Family: the branding that was prepared is shown from now on."""


class AssetSet(SettingFact):
    """Family: a file of the branding. `asset` is the field of the values that it fills."""

    asset: ClassVar[str]


class AssetRemoved(SettingFact):
    """Family: the file is gone."""

    asset: ClassVar[str]


class FactorListed(SettingFact):
    """Family: a factor is allowed. `factors` is the list of the values that it joins."""

    factors: ClassVar[str]


class FactorUnlisted(SettingFact):
    """Family: the factor is not allowed any more."""

    factors: ClassVar[str]


Facts = Mapping[str, type[Event]]
"""added, changed, removed → class."""


@dataclass(frozen=True)
class Kind:
    """One kind of settings. `facts` by level; a level without `added` knows no values of its own."""

    name: str
    values: type[Any]
    facts: Mapping[str, Facts]
    check: Callable[[Any], None] = lambda values: None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Where they differ from those of `values`."""
    marks: Mapping[str, Any] = field(default_factory=dict)
    """What each fact says besides the values."""

    def fields(self) -> tuple[str, ...]:
        """The names of its values."""
        return tuple(one.name for one in dataclasses.fields(self.values))

    def zero(self) -> dict[str, Any]:
        """Every value empty: what an `.added` fact leaves out."""
        made = self.values()
        return {name: type(getattr(made, name))() for name in self.fields()}

    def complete(self, given: Mapping[str, Any]) -> Any:
        """The values with defaults where nothing is given; unknown names are ignored."""
        known = {name: value for name, value in {**self.defaults, **given}.items() if name in self.fields()}
        return self.values(**known)

    def fact(self, level: str, verb: str, **told: Any) -> Event:
        """A fact of the kind: verb added, changed or removed."""
        return self.facts[level][verb](**told, **self.marks)


def _camel_fact(words: str) -> str:
    return "".join(part.capitalize() for part in words.replace(".", "_").split("_"))


def _fact(name: str, base: type[Any], stored: str, of: type[Any] | None = None, **marks: Any) -> type[Any]:
    """Declare a fact class; with `of` it has a field for each stored value, None = says nothing."""
    parts = dataclasses.fields(of) if of else ()
    hints = {part.name: part.type | None for part in parts if "kept" not in part.metadata}  # type: ignore[operator]
    space: dict[str, Any] = {"__doc__": f"{base.__doc__.splitlines()[0]} ({stored})", "__module__": __name__, **marks}
    space["__annotations__"] = hints
    for part in parts:
        if part.name in hints:
            added = part.metadata.get("added_key") if base is SettingAdded else None
            path = added or part.metadata.get("key")
            space[part.name] = key(path, default=None) if path else None
    return event(stored)(type(name, (base,), space))


def _kind(
    name: str,
    of: type[Any],
    stored: str,
    *,
    levels: tuple[str, ...] = (INSTANCE, ORG),
    check: Callable[[Any], None] = lambda values: None,
) -> Kind:
    facts: dict[str, Facts] = {}
    for level in levels:
        prefix, label = f"{level}.{stored}", _camel_fact(f"{level}_{name}")
        made = {
            "added": _fact(f"{label}Added", SettingAdded, f"{prefix}.added", of, setting=name),
            "changed": _fact(f"{label}Changed", SettingChanged, f"{prefix}.changed", of, setting=name),
        }
        if level == ORG:
            made["removed"] = _fact(f"{label}Removed", SettingRemoved, f"{prefix}.removed", setting=name)
        facts[level] = made
    return Kind(name, of, facts, check)


LOGIN = _kind("login", values.Login, "policy.login", check=values.check_login)
COMPLEXITY = _kind(
    "password_complexity", values.PasswordComplexity, "policy.password.complexity", check=values.check_complexity
)
AGE = _kind("password_age", values.PasswordAge, "policy.password.age", check=values.check_age)
LOCKOUT = _kind("lockout", values.Lockout, "policy.lockout", check=values.check_lockout)
DOMAIN = _kind("domain", values.Domain, "policy.domain")
ORGANIZATION = _kind("organization", values.Organization, "settings.organization", levels=(ORG,))
LABEL = _kind("label", values.Label, "policy.label", check=values.check_label)
PRIVACY = _kind("privacy", values.Privacy, "policy.privacy", check=values.check_privacy)
NOTIFICATION = _kind("notification", values.Notification, "policy.notification")
OIDC = _kind("oidc", values.OidcLifetimes, "oidc.settings", levels=(INSTANCE,), check=values.check_lifetimes)
SECURITY = Kind(
    "security",
    values.Security,
    {
        INSTANCE: {
            "changed": _fact(
                "SecuritySet", SettingChanged, "instance.policy.security.set", values.Security, setting="security"
            )
        }
    },
    values.check_security,
)
RESTRICTIONS = Kind(
    "restrictions",
    values.Restrictions,
    {
        INSTANCE: {
            "changed": _fact(
                "RestrictionsSet", SettingChanged, "restrictions.set", values.Restrictions, setting="restrictions"
            )
        }
    },
    values.check_restrictions,
)


class GeneratorFact(SettingFact):
    """Family: how a code or secret is drawn changed. The kind follows from the number of the generator."""

    generator_type: int

    @property
    def setting(self) -> str:  # type: ignore[override]
        """The kind."""
        return f"generator_{self.generator_type}"

    def told(self) -> dict[str, Any]:
        """The values without the generator's number."""
        return {name: value for name, value in super().told().items() if name != "generator_type"}


@event("instance.secret.generator.added")
class GeneratorAdded(GeneratorFact, SettingAdded):
    """A generator has values of its own."""

    generator_type: int = 0
    length: int | None = None
    expiry: timedelta | None = None
    include_lower_letters: bool | None = None
    include_upper_letters: bool | None = None
    include_digits: bool | None = None
    include_symbols: bool | None = None


@event("instance.secret.generator.changed")
class GeneratorChanged(GeneratorFact, SettingChanged):
    """Some of them changed."""

    generator_type: int = 0
    length: int | None = None
    expiry: timedelta | None = None
    include_lower_letters: bool | None = None
    include_upper_letters: bool | None = None
    include_digits: bool | None = None
    include_symbols: bool | None = None


@event("instance.secret.generator.removed")
class GeneratorRemoved(GeneratorFact, SettingRemoved):
    """Back to the product's values."""

    generator_type: int = 0


APPLICATION_SECRET = 6
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
OTP = {"length": 8, "expiry": timedelta(minutes=5), "include_upper_letters": False}
GENERATORS: Mapping[int, Mapping[str, Any]] = {
    1: {"expiry": 3 * DAY},
    2: {"expiry": HOUR},
    3: {"expiry": HOUR},
    4: {"expiry": HOUR},
    5: {"length": 12, "expiry": HOUR, "include_lower_letters": True},
    6: {"length": 64, "include_lower_letters": True},
    7: OTP,
    8: OTP,
}
"""Number of the generator (init, mail, phone, password, passkey link, application, SMS, mail OTP) → what differs."""


def _generator(number: int, defaults: Mapping[str, Any]) -> Kind:
    facts: Facts = {"added": GeneratorAdded, "changed": GeneratorChanged, "removed": GeneratorRemoved}
    marks = {"generator_type": number}
    check = values.check_secret_generator if number == APPLICATION_SECRET else values.check_generator
    return Kind(f"generator_{number}", values.Generator, {INSTANCE: facts}, check, defaults, marks)


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        LOGIN,
        COMPLEXITY,
        AGE,
        LOCKOUT,
        DOMAIN,
        ORGANIZATION,
        LABEL,
        PRIVACY,
        NOTIFICATION,
        OIDC,
        SECURITY,
        RESTRICTIONS,
        *(_generator(number, defaults) for number, defaults in GENERATORS.items()),
    )
}

ASSETS = ("logo", "logo_dark", "icon", "icon_dark", "font")
"""The files of a branding, fields of `values.Label`."""


def _label_facts(level: str) -> Facts:
    prefix = f"{level}.policy.label"
    made: dict[str, type[Event]] = {
        "activated": _fact(
            f"{level.capitalize()}LabelActivated", LabelActivated, f"{prefix}.activated", setting="label"
        )
    }
    for asset in ASSETS:
        stored, label = f"{prefix}.{asset.replace('_', '.')}", _camel_fact(f"{level}_label_{asset}")
        made[asset] = _fact(f"{label}Added", AssetSet, f"{stored}.added", values.Asset, setting="label", asset=asset)
        made[f"{asset}_removed"] = _fact(
            f"{label}Removed", AssetRemoved, f"{stored}.removed", values.Asset, setting="label", asset=asset
        )
    return made


def _factor_facts(level: str) -> Facts:
    made: dict[str, type[Event]] = {}
    for stored, factors in (("secondfactor", "second_factors"), ("multifactor", "multi_factors")):
        prefix, label = f"{level}.policy.login.{stored}", _camel_fact(f"{level}_{factors}")
        marks = {"setting": "login", "factors": factors}
        made[factors] = _fact(f"{label}Listed", FactorListed, f"{prefix}.added", values.Factor, **marks)
        made[f"{factors}_removed"] = _fact(
            f"{label}Unlisted", FactorUnlisted, f"{prefix}.removed", values.Factor, **marks
        )
    return made


LABEL_FACTS: Mapping[str, Facts] = {level: _label_facts(level) for level in (INSTANCE, ORG)}
FACTOR_FACTS: Mapping[str, Facts] = {level: _factor_facts(level) for level in (INSTANCE, ORG)}
