"""Settings of an instance with their defaults (reference/login-flows.md §5). One statement reads them all."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings

from eventstore.events import Event
from iam.cache import kept
from iam.instance.domain.events import LockoutChanged, OidcSettingsChanged, PasswordComplexityChanged
from iam.instance.models import InstanceRow
from iam.kernel.errors import InvalidInput

SECTIONS: dict[type[Event], str] = {
    PasswordComplexityChanged: "password_complexity",
    LockoutChanged: "lockout",
    OidcSettingsChanged: "oidc",
}
LONGEST_PASSWORD = 200


@dataclass(frozen=True)
class PasswordComplexity:
    """What a password must contain."""

    min_length: int = 8
    has_lowercase: bool = True
    has_uppercase: bool = True
    has_number: bool = True
    has_symbol: bool = True

    def check(self, password: str) -> None:
        """Raises InvalidInput naming the first rule that is not met (checklist P06)."""
        if len(password) < self.min_length:
            raise InvalidInput("password.too_short", field="password", reason=f"at least {self.min_length} characters")
        if len(password) > LONGEST_PASSWORD:
            raise InvalidInput("password.too_long", field="password", reason=f"at most {LONGEST_PASSWORD} characters")
        for wanted, pattern, code in (
            (self.has_lowercase, r"[a-z]", "password.lowercase_missing"),
            (self.has_uppercase, r"[A-Z]", "password.uppercase_missing"),
            (self.has_number, r"[0-9]", "password.number_missing"),
            (self.has_symbol, r"[^A-Za-z0-9]", "password.symbol_missing"),
        ):
            if wanted and not re.search(pattern, password):
                raise InvalidInput(code, field="password")


@dataclass(frozen=True)
class Lockout:
    """After how many failed checks a user is locked; 0 = never."""

    max_password_attempts: int = 0
    show_lock_out_failures: bool = True


def _default(read: Callable[[Any], timedelta]) -> timedelta:
    return field(default_factory=lambda: read(settings.CONFIG.OIDC))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class OidcLifetimes:
    """How long tokens live."""

    access_token_lifetime: timedelta = _default(lambda oidc: oidc.DefaultAccessTokenLifetime)
    id_token_lifetime: timedelta = _default(lambda oidc: oidc.DefaultIdTokenLifetime)
    refresh_token_idle_expiration: timedelta = _default(lambda oidc: oidc.DefaultRefreshTokenIdleExpiration)
    refresh_token_expiration: timedelta = _default(lambda oidc: oidc.DefaultRefreshTokenExpiration)


@dataclass(frozen=True)
class InstanceSettings:
    """All of them."""

    password_complexity: PasswordComplexity
    lockout: Lockout
    oidc: OidcLifetimes
    default_org_id: str
    default_language: str


@dataclass(frozen=True)
class Instance:
    """What the rooms above ask about an instance with many requests; one question for all of it."""

    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    default_org_id: str = ""
    default_language: str = "en"
    iam_project_id: str = ""
    console_client_id: str = ""

    @property
    def oidc_lifetimes(self) -> OidcLifetimes:
        """The instance's own lifetimes over the defaults."""
        own = self.settings.get("oidc", {})
        return OidcLifetimes(**{name: timedelta(seconds=value) for name, value in own.items()})


def instance_of(instance: str) -> Instance:
    """An instance with its changed settings; defaults for one that is not there."""
    found = kept.kept(kept.ORGANIZATION, instance, ("instance",), lambda: _asked(instance))
    return Instance(**found) if found else Instance()


def asked_with(row: InstanceRow) -> Instance:
    """The same, of a row that came with another statement."""
    return Instance(**{name: getattr(row, name) for name in asdict(Instance())})


def _asked(instance: str) -> dict[str, Any] | None:
    row = InstanceRow.objects.filter(instance_id=instance).values(*(one for one in asdict(Instance()))).first()
    return dict(row) if row else None


def settings_of(instance: str) -> InstanceSettings:
    """The settings of an instance; defaults where nothing was changed."""
    row = instance_of(instance)
    changed = row.settings
    return InstanceSettings(
        PasswordComplexity(**changed.get("password_complexity", {})),
        Lockout(**changed.get("lockout", {})),
        row.oidc_lifetimes,
        row.default_org_id,
        row.default_language,
    )
