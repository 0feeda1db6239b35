"""Settings in force: an organization's own values, else the instance's, else the defaults of the product."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery

from iam.cache import kept
from iam.instance.domain import kinds, values
from iam.instance.domain.kinds import INSTANCE, KINDS, ORG, Kind
from iam.instance.domain.values import Lockout, OidcLifetimes, PasswordComplexity
from iam.instance.models import InstanceRow, SettingRow
from iam.instance.stored import ACTIVE, from_json

__all__ = [
    "Instance",
    "InstanceSettings",
    "Lockout",
    "OidcLifetimes",
    "PasswordComplexity",
    "Resolved",
    "instance_of",
    "lifetimes_of",
    "settings_of",
    "with_lifetimes",
]


@dataclass(frozen=True)
class Resolved:
    """Values of one kind with their origin. Without own values anywhere, times and version are the instance's."""

    values: Any
    level: str
    owner: str
    created_at: datetime
    changed_at: datetime
    version: int

    @property
    def is_default(self) -> bool:
        """Whether the values are not the organization's own."""
        return self.level != ORG


@dataclass(frozen=True)
class Instance:
    """What the rooms above ask about an instance with many requests; one question for all of it. Times as in ISO 8601."""

    default_org_id: str = ""
    default_language: str = "en"
    iam_project_id: str = ""
    console_client_id: str = ""
    created_at: str = ""
    changed_at: str = ""
    version: int = 0
    oidc: dict[str, Any] = field(default_factory=dict)

    @property
    def oidc_lifetimes(self) -> OidcLifetimes:
        """The instance's own lifetimes over the defaults."""
        return lifetimes_of(self.oidc)


def instance_of(instance: str) -> Instance:
    """An instance with its lifetimes of tokens; defaults for one that is not there. One statement."""
    found = kept.kept(kept.ORGANIZATION, instance, ("instance",), lambda: _asked(instance))
    return Instance(**found) if found else Instance()


def with_lifetimes(rows: "QuerySet[InstanceRow]") -> "QuerySet[InstanceRow]":
    """Instances with their own lifetimes of tokens as `oidc`."""
    own = SettingRow.objects.filter(instance_id=OuterRef("instance_id"), owner=OuterRef("instance_id"), kind="oidc")
    return rows.annotate(oidc=Subquery(own.values("values")))


def _asked(instance: str) -> dict[str, Any] | None:
    row = with_lifetimes(InstanceRow.objects.filter(instance_id=instance)).values(*asdict(Instance())).first()
    if row is None:
        return None
    times = {name: row[name].isoformat() for name in ("created_at", "changed_at")}
    return {**row, **times, "oidc": row["oidc"] or {}}


@dataclass(frozen=True)
class Own:
    """Values of one kind that an instance or organization has itself; times as in ISO 8601."""

    values: dict[str, Any]
    created_at: str
    changed_at: str
    version: int


def _asked_own(instance: str, org_id: str) -> list[list[Any]]:
    owners = [one for one in (instance, org_id) if one]
    rows = SettingRow.objects.filter(instance_id=instance, owner__in=owners)
    return [
        [row.owner, row.kind, row.values, row.created_at.isoformat(), row.changed_at.isoformat(), row.version]
        for row in rows
    ]


def _times(row: Instance | Own) -> tuple[datetime, datetime]:
    if not row.created_at:
        return datetime.min, datetime.min
    return datetime.fromisoformat(row.created_at), datetime.fromisoformat(row.changed_at)


class InstanceSettings:
    """The settings in force for an organization, or for the instance without one. Two statements at most."""

    def __init__(self, instance: str, org_id: str = "") -> None:
        self.instance, self.org_id = instance, org_id

    @cached_property
    def _row(self) -> "Instance":
        return instance_of(self.instance)

    @cached_property
    def _own(self) -> dict[tuple[str, str], "Own"]:
        question = ("settings", self.org_id)
        rows = kept.kept(kept.ORGANIZATION, self.instance, question, lambda: _asked_own(self.instance, self.org_id))
        return {(owner, kind): Own(*own) for owner, kind, *own in rows}

    def default_values(self, kind: Kind) -> dict[str, Any]:
        """What the instance itself says of a kind, by name; one statement."""
        row = self._own.get((self.instance, kind.name))
        return from_json(kind, row.values) if row else {}

    def resolve(self, kind: Kind, *, stored_as: str = "") -> Resolved:
        """Values of a kind with their origin; the branding that is prepared is stored as `label`."""
        name = stored_as or kind.name
        for owner in (self.org_id, self.instance):
            if owner and (row := self._own.get((owner, name))):
                given = {**_configured(kind), **from_json(kind, row.values)} if owner == self.instance else None
                complete = kind.complete(from_json(kind, row.values) if given is None else given)
                level = ORG if owner != self.instance else INSTANCE
                return Resolved(complete, level, owner, *_times(row), row.version)
        row = self._row
        return Resolved(kind.complete(_configured(kind)), INSTANCE, self.instance, *_times(row), row.version)

    @property
    def login(self) -> values.Login:
        """Who may sign in, and how."""
        return self.resolve(kinds.LOGIN).values  # type: ignore[no-any-return]

    @property
    def password_complexity(self) -> PasswordComplexity:
        """What a password must contain."""
        return self.resolve(kinds.COMPLEXITY).values  # type: ignore[no-any-return]

    @property
    def password_age(self) -> values.PasswordAge:
        """When a password must be changed."""
        return self.resolve(kinds.AGE).values  # type: ignore[no-any-return]

    @property
    def lockout(self) -> Lockout:
        """When a user is locked."""
        return self.resolve(kinds.LOCKOUT).values  # type: ignore[no-any-return]

    @property
    def domain(self) -> values.Domain:
        """What domains are for."""
        return self.resolve(kinds.DOMAIN).values  # type: ignore[no-any-return]

    @property
    def privacy(self) -> values.Privacy:
        """Links of the login pages."""
        return self.resolve(kinds.PRIVACY).values  # type: ignore[no-any-return]

    @property
    def notification(self) -> values.Notification:
        """What people are told."""
        return self.resolve(kinds.NOTIFICATION).values  # type: ignore[no-any-return]

    @property
    def label(self) -> Resolved:
        """The branding that is shown."""
        return self.resolve(kinds.LABEL, stored_as=ACTIVE)

    @property
    def oidc(self) -> OidcLifetimes:
        """How long tokens live."""
        return self.resolve(kinds.OIDC).values  # type: ignore[no-any-return]

    @property
    def security(self) -> values.Security:
        """Frames and impersonation."""
        return self.resolve(kinds.SECURITY).values  # type: ignore[no-any-return]

    @property
    def restrictions(self) -> values.Restrictions:
        """What is not offered."""
        return self.resolve(kinds.RESTRICTIONS).values  # type: ignore[no-any-return]

    def generator(self, number: int) -> values.Generator:
        """How a code or secret is drawn, by the number of its generator."""
        return self.resolve(KINDS[f"generator_{number}"]).values  # type: ignore[no-any-return]

    @property
    def default_org_id(self) -> str:
        """The organization of whoever names none."""
        return self._row.default_org_id

    @property
    def default_language(self) -> str:
        """The language of pages and mails."""
        return self._row.default_language


def settings_of(instance: str, org_id: str = "") -> InstanceSettings:
    """The settings in force for an organization, or for the instance."""
    return InstanceSettings(instance, org_id)


def _configured(kind: Kind) -> dict[str, Any]:
    """Defaults that come from the configuration of this server."""
    if kind is not kinds.OIDC:
        return {}
    oidc = settings.CONFIG.OIDC
    return {
        "access_token_lifetime": oidc.DefaultAccessTokenLifetime,
        "id_token_lifetime": oidc.DefaultIdTokenLifetime,
        "refresh_token_idle_expiration": oidc.DefaultRefreshTokenIdleExpiration,
        "refresh_token_expiration": oidc.DefaultRefreshTokenExpiration,
    }


def lifetimes_of(own: dict[str, Any] | None) -> OidcLifetimes:
    """How long tokens live, from the row's values that a statement has read already."""
    return kinds.OIDC.complete({**_configured(kinds.OIDC), **from_json(kinds.OIDC, own or {})})  # type: ignore[no-any-return]
