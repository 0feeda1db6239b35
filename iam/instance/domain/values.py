"""The values of each kind of settings with their defaults (reference/login-flows.md §5) and their bounds.

A field's `key` is its place in a fact's payload where that is not its name in camelCase. A field marked `kept` has
facts of its own (files, lists of factors), so the facts of its kind do not carry it.
"""

import math
import re
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from iam.instance.domain.links import check_destination, check_link
from iam.kernel.errors import InvalidInput

LONGEST_PASSWORD = 200
LANGUAGES = ("en", "de", "es")
COLOUR = re.compile(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
EMAIL = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+")
LONGEST_LIFETIME = timedelta(days=3650)
LEAST_SECRET_BITS = 100


def _stored(default: Any, key: str) -> Any:
    return field(default=default, metadata={"key": key})


def _kept(default: Any) -> Any:
    return field(default=default, metadata={"kept": True})


@dataclass(frozen=True)
class Login:
    """Who may sign in, and how. Factors: 1 TOTP, 2 U2F, 3 code by mail, 4 by SMS, 5 recovery codes; multi: 1 passkey."""

    allow_username_password: bool = True
    allow_register: bool = True
    allow_external_idp: bool = True
    force_mfa: bool = _stored(False, "forceMFA")
    force_mfa_local_only: bool = _stored(False, "forceMFALocalOnly")
    hide_password_reset: bool = False
    ignore_unknown_usernames: bool = False
    allow_domain_discovery: bool = True
    disable_login_with_email: bool = False
    disable_login_with_phone: bool = False
    passwordless_type: int = 1
    default_redirect_uri: str = _stored("", "defaultRedirectURI")
    password_check_lifetime: timedelta = timedelta(hours=240)
    external_login_check_lifetime: timedelta = timedelta(hours=240)
    mfa_init_skip_lifetime: timedelta = timedelta(hours=720)
    second_factor_check_lifetime: timedelta = timedelta(hours=18)
    multi_factor_check_lifetime: timedelta = timedelta(hours=12)
    second_factors: tuple[int, ...] = _kept((1, 2))
    multi_factors: tuple[int, ...] = _kept((1,))


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
class PasswordAge:
    """After how many days a password must be changed, and from when on the person is told; 0 = never."""

    expire_warn_days: int = 0
    max_age_days: int = 0


@dataclass(frozen=True)
class Lockout:
    """After how many failed checks a user is locked; 0 = never."""

    max_password_attempts: int = 0
    max_otp_attempts: int = _stored(0, "maxOTPAttempts")
    show_lock_out_failures: bool = True


@dataclass(frozen=True)
class Domain:
    """What domains of organizations are for."""

    user_login_must_be_domain: bool = False
    validate_org_domains: bool = False
    smtp_sender_address_matches_instance_domain: bool = _stored(False, "smtpSenderAddressMatchesInstanceDomain")


@dataclass(frozen=True)
class Organization:
    """What differs in one organization: user names that are unique in it only."""

    organization_scoped_usernames: bool = False


@dataclass(frozen=True)
class Label:
    """The look of the login pages. Theme: 0 as the device, 1 light, 2 dark. Files by the key they are stored under."""

    primary_color: str = "#5469d4"
    background_color: str = "#fafafa"
    warn_color: str = "#cd3d56"
    font_color: str = "#000000"
    primary_color_dark: str = "#2073c4"
    background_color_dark: str = "#111827"
    warn_color_dark: str = "#ff3b5b"
    font_color_dark: str = "#ffffff"
    hide_login_name_suffix: bool = False
    error_msg_popup: bool = False
    disable_watermark: bool = field(default=False, metadata={"added_key": "disableMsgPopup"})
    theme_mode: int = 0
    logo: str = _kept("")
    logo_dark: str = _kept("")
    icon: str = _kept("")
    icon_dark: str = _kept("")
    font: str = _kept("")


@dataclass(frozen=True)
class Privacy:
    """Links that every login page shows. `{{.Lang}}` in a link stands for the language of the page."""

    tos_link: str = ""
    privacy_link: str = ""
    help_link: str = ""
    support_email: str = ""
    docs_link: str = ""
    custom_link: str = ""
    custom_link_text: str = ""


@dataclass(frozen=True)
class Notification:
    """What people are told by mail."""

    password_change: bool = True


@dataclass(frozen=True)
class OidcLifetimes:
    """How long tokens live."""

    access_token_lifetime: timedelta = timedelta(hours=12)
    id_token_lifetime: timedelta = timedelta(hours=12)
    refresh_token_idle_expiration: timedelta = timedelta(hours=720)
    refresh_token_expiration: timedelta = timedelta(hours=2160)


@dataclass(frozen=True)
class Security:
    """Who may show the login pages in a frame, and whether tokens may act for somebody else."""

    enable_iframe_embedding: bool = _stored(False, "enable_iframe_embedding")
    allowed_origins: tuple[str, ...] = ()
    enable_impersonation: bool = _stored(False, "enable_impersonation")


@dataclass(frozen=True)
class Restrictions:
    """What the instance does not offer. No languages = all that the product speaks."""

    disallow_public_org_registration: bool = False
    allowed_languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Generator:
    """How a code or a secret is drawn; `expiry` zero = for ever."""

    length: int = 6
    expiry: timedelta = timedelta(0)
    include_lower_letters: bool = False
    include_upper_letters: bool = True
    include_digits: bool = True
    include_symbols: bool = False


@dataclass(frozen=True)
class Asset:
    """A file by the key that it is stored under."""

    store_key: str = ""


@dataclass(frozen=True)
class Factor:
    """A factor by its number."""

    mfa_type: int = 0


def _between(found: Any, name: str, least: Any, most: Any) -> None:
    if not least <= getattr(found, name) <= most:
        raise InvalidInput("setting.value_invalid", field=name, reason=f"{least} to {most}")


def check_login(found: Login) -> None:
    """Raises InvalidInput."""
    for part in fields(found):
        if part.name.endswith("_lifetime"):
            _between(found, part.name, timedelta(0), LONGEST_LIFETIME)
    _between(found, "passwordless_type", 0, 1)
    check_destination(found.default_redirect_uri, "default_redirect_uri")


def check_complexity(found: PasswordComplexity) -> None:
    """Raises InvalidInput; a password can have 72 required characters at most."""
    _between(found, "min_length", 1, 72)


def check_age(found: PasswordAge) -> None:
    """Raises InvalidInput."""
    _between(found, "max_age_days", 0, 36500)
    _between(found, "expire_warn_days", 0, 36500)


def check_lockout(found: Lockout) -> None:
    """Raises InvalidInput."""
    _between(found, "max_password_attempts", 0, 1000)
    _between(found, "max_otp_attempts", 0, 1000)


def check_label(found: Label) -> None:
    """Raises InvalidInput for anything that is no colour: colours end in a style sheet (checklist H05)."""
    for part in fields(found):
        value = getattr(found, part.name)
        if "color" in part.name and value and not COLOUR.fullmatch(value):
            raise InvalidInput("setting.colour_invalid", field=part.name, reason=value[:20])
    _between(found, "theme_mode", 0, 2)


def check_privacy(found: Privacy) -> None:
    """Raises InvalidInput for links that are none: they are shown on every login page."""
    for name in ("tos_link", "privacy_link", "help_link", "docs_link", "custom_link"):
        check_link(getattr(found, name), name)
    if found.support_email and not EMAIL.fullmatch(found.support_email):
        raise InvalidInput("setting.email_invalid", field="support_email")
    if len(found.custom_link_text) > 200:
        raise InvalidInput("setting.value_invalid", field="custom_link_text", reason="at most 200 characters")


def check_lifetimes(found: OidcLifetimes) -> None:
    """Raises InvalidInput: a token lives between a second and ten years, an idle one no longer than any."""
    for part in fields(found):
        _between(found, part.name, timedelta(seconds=1), LONGEST_LIFETIME)


def check_security(found: Security) -> None:
    """Raises InvalidInput for an origin that is none: a host, with scheme and port where they matter (CSP 3, host-source)."""
    for origin in found.allowed_origins:
        if not re.fullmatch(r"(https?://)?[A-Za-z0-9.*-]+(:[0-9]{1,5})?", origin):
            raise InvalidInput("setting.origin_invalid", field="allowed_origins", reason=origin[:100])


def check_generator(found: Generator) -> None:
    """Raises InvalidInput: a code is never short enough to be guessed, and never empty."""
    _between(found, "length", 6, 128)
    _between(found, "expiry", timedelta(0), LONGEST_LIFETIME)
    sets = ("include_lower_letters", "include_upper_letters", "include_digits", "include_symbols")
    if not any(getattr(found, name) for name in sets):
        raise InvalidInput("setting.value_invalid", field="include_digits", reason="at least one set of characters")


def check_secret_generator(found: Generator) -> None:
    """Raises InvalidInput: a secret of an application is kept as a plain digest, so it must not be guessable."""
    check_generator(found)
    sizes = (
        (found.include_lower_letters, 26),
        (found.include_upper_letters, 26),
        (found.include_digits, 10),
        (found.include_symbols, 4),
    )
    bits = found.length * math.log2(sum(size for wanted, size in sizes if wanted))
    if bits < LEAST_SECRET_BITS:
        raise InvalidInput("setting.value_invalid", field="length", reason=f"at least {LEAST_SECRET_BITS} random bits")


def check_restrictions(found: Restrictions) -> None:
    """Raises InvalidInput for a language that the product does not speak."""
    for language in found.allowed_languages:
        if language not in LANGUAGES:
            raise InvalidInput("instance.language_unknown", field="allowed_languages", reason=language[:20])
