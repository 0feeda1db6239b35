"""Between the API's application messages and the domain's config."""

from typing import Any

from projects.domain.project import OidcConfig

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


def sent(message: Any, *, response_shift: int) -> dict[str, Any]:
    """The config fields that a message carries. v2 counts response types from 1, v1 from 0."""
    values: dict[str, Any] = {}
    for field, value in message.ListFields():
        if name := NAMES.get(field.name):
            values[name] = tuple(value) if field.is_repeated else value
        elif field.name == "response_types":
            values["response_types"] = tuple(max(0, one - response_shift) for one in value)
        elif field.name == "clock_skew":
            values["clock_skew"] = value.ToTimedelta()
    return values


def config_of(message: Any, *, response_shift: int) -> OidcConfig:
    """A whole config with defaults for what was not sent."""
    return OidcConfig(**sent(message, response_shift=response_shift))


def fill(message: Any, row: Any) -> None:
    """Write a row's config into a v2 configuration message."""
    described = message.DESCRIPTOR.fields_by_name
    for name, column in NAMES.items():
        if name in described:
            value = getattr(row, column)
            if described[name].is_repeated:
                getattr(message, name).extend(value)
            else:
                setattr(message, name, value)
    message.response_types.extend(one + 1 for one in row.response_types)
    if row.clock_skew:
        message.clock_skew.FromTimedelta(row.clock_skew)
