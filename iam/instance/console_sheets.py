"""The settings that the console changes: what each kind and each of its values is called."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from iam.instance.domain import kinds
from iam.instance.domain.kinds import Kind


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
