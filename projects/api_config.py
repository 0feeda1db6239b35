"""Between the API's application messages and the domain's config; v2 and v1 differ in a few names."""

from datetime import timedelta
from typing import Any

from projects.domain.compliance import problems_of
from projects.domain.project import OidcConfig
from projects.domain.uris import origins_of
from projects.models import AppRow

NAMES = {
    "redirect_uris": "redirect_uris",
    "post_logout_redirect_uris": "post_logout_redirect_uris",
    "grant_types": "grant_types",
    "application_type": "application_type",
    "app_type": "application_type",
    "auth_method_type": "auth_method_type",
    "development_mode": "dev_mode",
    "dev_mode": "dev_mode",
    "access_token_type": "access_token_type",
    "access_token_role_assertion": "access_token_role_assertion",
    "id_token_role_assertion": "id_token_role_assertion",
    "id_token_userinfo_assertion": "id_token_userinfo_assertion",
    "additional_origins": "additional_origins",
    "skip_native_app_success_page": "skip_native_app_success_page",
    "back_channel_logout_uri": "back_channel_logout_uri",
}
"""Field of a message → field of OidcConfig."""
SHIFTS = {"zitadel.application.v2": 1, "zitadel.app.v1": 0, "zitadel.management.v1": 0}
"""v2 counts response types from 1, v1 from 0."""
LOGINS = {"login_v1": 1, "login_v2": 2}


def sent(message: Any) -> dict[str, Any]:
    """The config fields that a message carries."""
    values: dict[str, Any] = {}
    for field, value in message.ListFields():
        if name := NAMES.get(field.name):
            values[name] = tuple(value) if field.is_repeated else value
        elif field.name == "response_types":
            values["response_types"] = tuple(max(0, one - _shift(message)) for one in value)
        elif field.name == "clock_skew":
            values["clock_skew"] = value.ToTimedelta()
        elif field.name == "login_version":
            values["login_version"] = LOGINS.get(value.WhichOneof("version") or "", 0)
            values["login_base_uri"] = value.login_v2.base_uri
    return values


def config_of(message: Any) -> OidcConfig:
    """A whole config with defaults for what was not sent."""
    return OidcConfig(**sent(message))


def _shift(message: Any) -> int:
    return SHIFTS[message.DESCRIPTOR.file.package]


def fill(message: Any, row: AppRow) -> None:
    """Write a row's config into a configuration message, with what it does against the recommendations."""
    described = message.DESCRIPTOR.fields_by_name
    message.client_id = row.client_id
    for name, column in NAMES.items():
        if name in described:
            value = getattr(row, column)
            if described[name].is_repeated:
                getattr(message, name).extend(value)
            else:
                setattr(message, name, value)
    message.response_types.extend(one + _shift(message) for one in row.response_types)
    message.allowed_origins.extend(sorted(origins_of((*row.redirect_uris, *row.additional_origins))))
    message.clock_skew.FromTimedelta(row.clock_skew or timedelta(0))
    fill_login(message, row)
    fill_problems(message, _config(row))


def fill_login(message: Any, row: AppRow) -> None:
    """Which hosted login the application wants; nothing when it said nothing."""
    if row.login_version == LOGINS["login_v1"]:
        message.login_version.login_v1.SetInParent()
    elif row.login_version:
        message.login_version.login_v2.SetInParent()
        if row.login_base_uri:
            message.login_version.login_v2.base_uri = row.login_base_uri


def _config(row: AppRow) -> OidcConfig:
    lists = ("redirect_uris", "response_types", "grant_types")
    return OidcConfig(
        **{name: tuple(getattr(row, name)) for name in lists},
        application_type=row.application_type,
        auth_method_type=row.auth_method_type,
        dev_mode=row.dev_mode,
    )


def fill_problems(message: Any, config: OidcConfig) -> None:
    """What the application does against the recommendations."""
    problems = problems_of(config)
    flag = "non_compliant" if "non_compliant" in message.DESCRIPTOR.fields_by_name else "none_compliant"
    setattr(message, flag, bool(problems))
    for key, text in problems:
        message.compliance_problems.add(key=key, localized_message=text)
