"""Console pages of settings, made from the table of kinds: for the instance, and for organizations over it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from django import forms

from iam.console.kit import FormPage, Outcome, Path
from iam.console.parts import choice_field, lines_field, number_field, text_field, tick_field
from iam.instance import setting_commands as commands
from iam.instance.domain import kinds
from iam.instance.domain.kinds import Kind
from iam.instance.setting_commands import Place
from iam.instance.settings import InstanceSettings, Resolved
from iam.kernel.context import Context

MINUTE = timedelta(minutes=1)
THEMES = (("0", "As the device"), ("1", "Light"), ("2", "Dark"))
MOST_MINUTES = 60 * 24 * 3650


@dataclass(frozen=True)
class Sheet:
    """One kind of settings on one page: what each value is called; `slug` is its place in the address."""

    slug: str
    kind: Kind
    title: str
    labels: Mapping[str, str]
    intro: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)


SHEETS = (
    Sheet(
        "login",
        kinds.LOGIN,
        "Sign-in",
        {
            "allow_username_password": "Sign in with a password",
            "ignore_unknown_usernames": "Ask unknown names for a password, too",
            "hide_password_reset": "Hide the way to a new password",
            "disable_login_with_email": "An e-mail address is no login name",
            "disable_login_with_phone": "A phone number is no login name",
            "allow_register": "People may register themselves",
            "allow_external_idp": "Identity providers",
            "allow_domain_discovery": "The domain of a name finds its organization",
            "force_mfa": "A second factor is required",
            "force_mfa_local_only": "A second factor is required after a password only",
            "default_redirect_uri": "Where a sign-in without application ends",
            "password_check_lifetime": "A password check counts for, in minutes",
            "second_factor_check_lifetime": "A second factor counts for, in minutes",
            "multi_factor_check_lifetime": "A passkey counts for, in minutes",
        },
    ),
    Sheet(
        "password",
        kinds.COMPLEXITY,
        "Rules for passwords",
        {
            "min_length": "Least number of characters",
            "has_lowercase": "A lower case letter",
            "has_uppercase": "An upper case letter",
            "has_number": "A number",
            "has_symbol": "A symbol",
        },
        "They hold for every new password.",
    ),
    Sheet(
        "expiry",
        kinds.AGE,
        "Age of passwords",
        {"max_age_days": "A password lasts, in days", "expire_warn_days": "Days before its end to tell the person"},
        hints={"max_age_days": "0 = for ever"},
    ),
    Sheet(
        "lockout",
        kinds.LOCKOUT,
        "When users are locked",
        {
            "max_password_attempts": "Wrong passwords until a user is locked",
            "max_otp_attempts": "Wrong one-time codes until a user is locked",
            "show_lock_out_failures": "Tell the person that the user is locked",
        },
        hints={"max_password_attempts": "0 = never", "max_otp_attempts": "0 = never"},
    ),
    Sheet(
        "domain",
        kinds.DOMAIN,
        "Domains",
        {
            "user_login_must_be_domain": "Login names always end with a domain",
            "validate_org_domains": "A domain counts only after a proof",
            "smtp_sender_address_matches_instance_domain": "Mails come from a domain of the instance",
        },
    ),
    Sheet(
        "branding",
        kinds.LABEL,
        "Branding",
        {
            "primary_color": "Buttons and links",
            "background_color": "Background",
            "warn_color": "Problems",
            "font_color": "Text",
            "primary_color_dark": "Buttons and links in the dark",
            "background_color_dark": "Background in the dark",
            "warn_color_dark": "Problems in the dark",
            "font_color_dark": "Text in the dark",
            "theme_mode": "Theme",
            "hide_login_name_suffix": "Show login names without their domain",
            "disable_watermark": "Do not name the product",
        },
        "What you save here is prepared; it is shown on the login pages once you activate it.",
    ),
    Sheet(
        "privacy",
        kinds.PRIVACY,
        "Links on the login pages",
        {
            "tos_link": "Terms of service",
            "privacy_link": "Privacy policy",
            "help_link": "Help",
            "support_email": "Support address",
            "docs_link": "Documentation",
            "custom_link": "Another link",
            "custom_link_text": "Its text",
        },
    ),
    Sheet("notification", kinds.NOTIFICATION, "Mails", {"password_change": "Tell people when their password changes"}),
    Sheet(
        "tokens",
        kinds.OIDC,
        "How long tokens live",
        {
            "access_token_lifetime": "Access token, in minutes",
            "id_token_lifetime": "ID token, in minutes",
            "refresh_token_idle_expiration": "Unused refresh token, in minutes",
            "refresh_token_expiration": "Refresh token, used or not, in minutes",
        },
    ),
    Sheet(
        "security",
        kinds.SECURITY,
        "Security",
        {
            "enable_iframe_embedding": "Login pages may be shown in a frame",
            "allowed_origins": "by pages of these origins",
            "enable_impersonation": "Tokens may act for somebody else",
        },
    ),
)
OF_ORG = tuple(sheet for sheet in SHEETS if kinds.ORG in sheet.kind.facts)

Whose = Callable[[Context, Path, str], Place]
Found = Callable[[Context, Path], InstanceSettings]


def form_of(sheet: Sheet) -> type[forms.Form]:
    """The form of a kind: a field per value, drawn by its type."""
    plain = sheet.kind.complete({})
    made = {name: _field(sheet, name, label, getattr(plain, name)) for name, label in sheet.labels.items()}
    return type("SettingForm", (forms.Form,), {"__doc__": sheet.title, **made})


def _field(sheet: Sheet, name: str, label: str, plain: Any) -> forms.Field:
    hint = sheet.hints.get(name, "")
    if name == "theme_mode":
        return choice_field(label, THEMES)
    match plain:
        case bool():
            return tick_field(label, hint=hint)
        case int():
            return number_field(label, 0, 36500, hint=hint)
        case timedelta():
            return number_field(label, 0, MOST_MINUTES, hint=hint)
        case tuple():
            return lines_field(label, hint=hint or "one per line")
    return text_field(label, 500, required=False, hint=hint)


def _values(sheet: Sheet, sent: Mapping[str, Any]) -> dict[str, Any]:
    plain = sheet.kind.complete({})
    made: dict[str, Any] = {}
    for name, value in sent.items():
        is_time = isinstance(getattr(plain, name), timedelta)
        made[name] = value * MINUTE if is_time else int(value) if name == "theme_mode" else value
    return made


def _initial(sheet: Sheet, found: Resolved) -> dict[str, Any]:
    values = {name: getattr(found.values, name) for name in sheet.labels}
    return {name: value // MINUTE if isinstance(value, timedelta) else value for name, value in values.items()}


def setting_pages(sheets: tuple[Sheet, ...], home: str, section: str, whose: Whose, found: Found) -> list[FormPage]:
    """The pages that change settings below an address: one form per kind, and the activation of the branding."""
    pages = [_form_page(sheet, home, section, whose, found) for sheet in sheets]

    def activate(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
        commands.activate_label(ctx, whose(ctx, path, "label"))
        return Outcome(f"{home}?tab=settings", "The branding is shown.")

    pages.append(
        FormPage(
            f"{_route(home)}/settings/branding/activate",
            "Activate the branding",
            section,
            activate,
            submit="Activate",
            intro="The login pages show the branding that was prepared.",
            back=home,
        )
    )
    return pages


def _route(home: str) -> str:
    return home.replace("{", "<").replace("}", ">")


def _form_page(sheet: Sheet, home: str, section: str, whose: Whose, found: Found) -> FormPage:
    def save(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
        place, told = whose(ctx, path, sheet.kind.name), _values(sheet, values)
        below = found(ctx, path).resolve(sheet.kind).values
        kept = {name: getattr(below, name) for name in sheet.kind.fields() if name not in (*told, *kinds.ASSETS)}
        is_own = place.aggregate.kind != "instance"
        commands.keep_setting(ctx, place, kind=sheet.kind.name, values={**(kept if is_own else {}), **told})
        return Outcome(f"{home.format(**path)}?tab=settings", "Saved.")

    return FormPage(
        f"{_route(home)}/settings/{sheet.slug}",
        sheet.title,
        section,
        save,
        form_of(sheet),
        initial=lambda ctx, path: _initial(sheet, found(ctx, path).resolve(sheet.kind)),
        intro=sheet.intro,
        back=home,
    )


def reset_pages(sheets: tuple[Sheet, ...], home: str, section: str, whose: Whose) -> list[FormPage]:
    """The pages that take an organization's own settings away."""

    def page(sheet: Sheet) -> FormPage:
        def reset(ctx: Context, values: Mapping[str, Any], path: Path) -> Outcome:
            commands.reset_setting(ctx, whose(ctx, path, sheet.kind.name), kind=sheet.kind.name)
            return Outcome(f"{home.format(**path)}?tab=settings", "The settings of the instance hold again.")

        return FormPage(
            f"{_route(home)}/settings/{sheet.slug}/reset",
            f"Reset: {sheet.title}",
            section,
            reset,
            submit="Reset",
            intro="The organization gives its own settings up; those of the instance hold again.",
            danger=True,
            back=home,
        )

    return [page(sheet) for sheet in sheets]


@dataclass(frozen=True)
class Line:
    """One kind of settings in a list: whose values hold, and what they are."""

    slug: str
    title: str
    origin: str
    is_own: bool
    shown: str
    org_id: str = ""


def lines_of(settings: InstanceSettings, sheets: tuple[Sheet, ...]) -> list[Line]:
    """Every kind with its origin."""
    made = []
    for sheet in sheets:
        resolved = settings.resolve(sheet.kind)
        origin = "instance" if resolved.is_default else "organization"
        made.append(
            Line(sheet.slug, sheet.title, origin, not resolved.is_default, _summary(sheet, resolved), settings.org_id)
        )
    return made


def _summary(sheet: Sheet, found: Resolved) -> str:
    """What differs from the product's defaults."""
    plain = sheet.kind.complete({})
    changed = [
        f"{sheet.labels.get(part.name, part.name.replace('_', ' '))}: {_told(getattr(found.values, part.name))}"
        for part in fields(found.values)
        if part.name in sheet.labels and getattr(found.values, part.name) != getattr(plain, part.name)
    ]
    return "; ".join(changed) or "as the product comes"


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
