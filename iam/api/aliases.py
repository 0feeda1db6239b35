"""Older spellings of the recipes (DESIGN §12) as data: route, method, where fields moved, what values are called now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Steps = tuple[str, ...]


@dataclass(frozen=True)
class Alias:
    """One older route. `moves` maps a dotted place in the body to its place in the message, `values` renames values.

    What `moves` to one of `only_true` may be false in the older spelling: that is leaving it out in today's.
    """

    verb: str
    path: str
    method: str
    moves: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    only_true: tuple[str, ...] = ()


OIDC_VALUES: Mapping[str, Mapping[str, Any]] = {
    "auth_method_type": {"OIDC_AUTH_METHOD_TYPE_PKCE": "OIDC_AUTH_METHOD_TYPE_NONE"},
}
ALIASES: tuple[Alias, ...] = (
    Alias(
        "post",
        "/v2/users/human/_import",
        "zitadel.user.v2.UserService/AddHumanUser",
        moves={
            "user_name": "username",
            "userName": "username",
            "profile.first_name": "profile.given_name",
            "profile.firstName": "profile.given_name",
            "profile.last_name": "profile.family_name",
            "profile.lastName": "profile.family_name",
            "email.is_email_verified": "email.is_verified",
            "email.isEmailVerified": "email.is_verified",
            "phone.is_phone_verified": "phone.is_verified",
            "phone.isPhoneVerified": "phone.is_verified",
            "password": "password.password",
            "profile.email": "",
        },
        only_true=("phone.is_verified",),
    ),
    Alias(
        "post",
        "/v2/projects",
        "zitadel.management.v1.ManagementService/AddProject",
    ),
    Alias(
        "post",
        "/v2/projects/{project_id}/apps/oidc",
        "zitadel.management.v1.ManagementService/AddOIDCApp",
        values=OIDC_VALUES,
    ),
    Alias(
        "post",
        "/v2/projects/{project_id}/apps/api",
        "zitadel.management.v1.ManagementService/AddAPIApp",
    ),
    Alias("post", "/v2/users/machine", "zitadel.management.v1.ManagementService/AddMachineUser"),
)


def rewritten(alias: Alias, content: dict[str, Any]) -> dict[str, Any]:
    """The body in today's spelling."""
    moved: dict[str, Any] = {}
    for path, value in _leaves(content):
        name = ".".join(path)
        target = alias.moves.get(name, name)
        if target and not (target in alias.only_true and value is False):
            _put(
                moved,
                target.split("."),
                alias.values.get(path[-1], {}).get(value, value) if isinstance(value, str) else value,
            )
    return moved


def _leaves(content: Any, path: Steps = ()) -> Any:
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _leaves(value, (*path, name))
    else:
        yield path, content


def _put(content: dict[str, Any], steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        content = content.setdefault(step, {})
    content[steps[-1]] = value
