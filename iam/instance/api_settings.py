"""zitadel.settings.v2.SettingsService: settings in force, with their origin."""

from typing import Any

from iam.api.gen import object_v2, settings_v2
from iam.api.lists import details, row_details
from iam.api.methods import Service
from iam.instance import setting_commands as commands
from iam.instance import translations
from iam.instance.domain import kinds
from iam.instance.domain.kinds import Kind
from iam.instance.domain.values import LANGUAGES
from iam.instance.policy_messages import asset_url, filled, register, values_from
from iam.instance.setting_commands import of_instance
from iam.instance.setting_queries import get_default_settings, get_instance_settings, get_settings
from iam.instance.settings import InstanceSettings, Resolved
from iam.instance.stored import ACTIVE
from iam.kernel.context import Context

settings = Service("zitadel.settings.v2.SettingsService")
RENAMED: dict[str, dict[str, str]] = {
    "password_complexity": {
        "has_uppercase": "requires_uppercase",
        "has_lowercase": "requires_lowercase",
        "has_number": "requires_number",
        "has_symbol": "requires_symbol",
    },
    "domain": {
        "user_login_must_be_domain": "login_name_includes_domain",
        "validate_org_domains": "require_org_domain_verification",
    },
    "privacy": {"privacy_link": "privacy_policy_link"},
    "login": {"passwordless_type": "passkeys_type"},
}
"""Kind → our name of a value → the message's."""


def _settings(ctx: Context, request: Any) -> InstanceSettings:
    """Of the organization or instance that the request names; of the caller's organization without any."""
    match request.ctx.WhichOneof("resource_owner"):
        case "org_id":
            return get_settings(ctx, org_id=request.ctx.org_id)
        case "instance":
            return get_default_settings(ctx)
    return get_settings(ctx, org_id=ctx.org_id)


def _answer(response: Any, kind: Kind, found: Resolved) -> Any:
    answer = response()
    filled(answer.settings, found.values)
    for ours, theirs in RENAMED.get(kind.name, {}).items():
        setattr(answer.settings, theirs, getattr(found.values, ours))
    answer.settings.resource_owner_type = 1 if found.is_default else 2
    answer.details.CopyFrom(row_details(object_v2.Details, found, found.owner))
    return answer


def _declare(name: str, kind: Kind) -> None:
    response = getattr(settings_v2, f"Get{name}SettingsResponse")

    def read(ctx: Context, request: Any) -> Any:
        return _answer(response, kind, _settings(ctx, request).resolve(kind))

    register(settings, f"Get{name}Settings", "The settings in force.", read)


for _name, _kind in (
    ("PasswordComplexity", kinds.COMPLEXITY),
    ("PasswordExpiry", kinds.AGE),
    ("Domain", kinds.DOMAIN),
    ("LegalAndSupport", kinds.PRIVACY),
    ("Lockout", kinds.LOCKOUT),
):
    _declare(_name, _kind)


@settings.method
def GetLoginSettings(ctx: Context, request: Any) -> Any:
    """Who may sign in, and how."""
    found = _settings(ctx, request).resolve(kinds.LOGIN)
    answer = _answer(settings_v2.GetLoginSettingsResponse, kinds.LOGIN, found)
    answer.settings.allow_local_authentication = found.values.allow_username_password
    return answer


@settings.method
def GetBrandingSettings(ctx: Context, request: Any) -> Any:
    """The branding that is shown."""
    found = _settings(ctx, request).resolve(kinds.LABEL, stored_as=ACTIVE)
    values = found.values
    answer = settings_v2.GetBrandingSettingsResponse()
    shown = answer.settings
    for theme, suffix in ((shown.light_theme, ""), (shown.dark_theme, "_dark")):
        for name in ("primary_color", "background_color", "warn_color", "font_color"):
            setattr(theme, name, getattr(values, f"{name}{suffix}"))
        for name in ("logo", "icon"):
            if key := getattr(values, f"{name}{suffix}"):
                setattr(theme, f"{name}_url", asset_url(ctx, found.owner, key))
    if values.font:
        shown.font_url = asset_url(ctx, found.owner, values.font)
    shown.hide_login_name_suffix, shown.disable_watermark = values.hide_login_name_suffix, values.disable_watermark
    shown.theme_mode, shown.resource_owner_type = values.theme_mode + 1, 1 if found.is_default else 2
    answer.details.CopyFrom(row_details(object_v2.Details, found, found.owner))
    return answer


@settings.method
def GetActiveIdentityProviders(ctx: Context, request: Any) -> Any:
    """The identity providers of the login; this server has none yet."""
    found = _settings(ctx, request).resolve(kinds.LOGIN)
    answer = settings_v2.GetActiveIdentityProvidersResponse(details=object_v2.ListDetails())
    answer.details.timestamp.FromDatetime(found.changed_at)
    return answer


@settings.method
def GetGeneralSettings(ctx: Context, request: Any) -> Any:
    """Default organization and languages."""
    found = get_default_settings(ctx)
    return settings_v2.GetGeneralSettingsResponse(
        default_org_id=found.default_org_id,
        default_organization_id=found.default_org_id,
        default_language=found.default_language,
        supported_languages=LANGUAGES,
        allowed_languages=found.restrictions.allowed_languages or LANGUAGES,
    )


@settings.method
def GetSecuritySettings(ctx: Context, request: Any) -> Any:
    """Frames and impersonation."""
    found = get_instance_settings(ctx).resolve(kinds.SECURITY)
    answer = settings_v2.GetSecuritySettingsResponse()
    answer.settings.embedded_iframe.enabled = found.values.enable_iframe_embedding
    answer.settings.embedded_iframe.allowed_origins.extend(found.values.allowed_origins)
    answer.settings.enable_impersonation = found.values.enable_impersonation
    answer.details.CopyFrom(row_details(object_v2.Details, found, found.owner))
    return answer


@settings.method
def SetSecuritySettings(ctx: Context, request: Any) -> Any:
    """Set frames and impersonation."""
    values = {
        **values_from(kinds.SECURITY, request),
        "enable_iframe_embedding": request.embedded_iframe.enabled,
        "allowed_origins": tuple(request.embedded_iframe.allowed_origins),
    }
    receipt = commands.set_setting(ctx, of_instance(ctx), kind="security", values=values)
    return settings_v2.SetSecuritySettingsResponse(details=details(object_v2.Details, receipt))


@settings.method
def GetHostedLoginTranslation(ctx: Context, request: Any) -> Any:
    """Texts of login pages of one's own, level over level unless inheritance is not wanted."""
    found, etag = translations.get_translation(
        ctx,
        level=request.WhichOneof("level") or "instance",
        org_id=request.organization_id,
        locale=request.locale,
        inherit=not request.ignore_inheritance,
    )
    answer = settings_v2.GetHostedLoginTranslationResponse(etag=etag)
    answer.translations.SetInParent()
    answer.translations.update(found)
    return answer
