"""Settings as messages of the v1 API: one translation for every kind, for the instance and for organizations."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any

from google.protobuf.message import Message

from iam.api.gen import v1
from iam.api.lists import details, row_details
from iam.api.methods import Service
from iam.instance.domain import kinds
from iam.instance.domain.kinds import ASSETS, Kind
from iam.instance.settings import Resolved
from iam.kernel.change import Receipt
from iam.kernel.context import Context

POLICIES: Mapping[str, Kind] = {
    "LoginPolicy": kinds.LOGIN,
    "PasswordComplexityPolicy": kinds.COMPLEXITY,
    "PasswordAgePolicy": kinds.AGE,
    "LockoutPolicy": kinds.LOCKOUT,
    "DomainPolicy": kinds.DOMAIN,
    "OrgIAMPolicy": kinds.DOMAIN,
    "LabelPolicy": kinds.LABEL,
    "PrivacyPolicy": kinds.PRIVACY,
    "NotificationPolicy": kinds.NOTIFICATION,
}
"""Name of the message → kind."""
THEMES = {0: 1, 1: 3, 2: 2}
"""Stored number of a theme → number in v1 (auto, light, dark)."""
THEMES_BACK = {0: 0, **{sent: stored for stored, sent in THEMES.items()}}
URLS = {asset: f"{asset.removesuffix('_dark')}_url{'_dark' if asset.endswith('_dark') else ''}" for asset in ASSETS}


def values_from(kind: Kind, request: Message) -> dict[str, Any]:
    """The values that a request sets: every field of the kind that the message has; an unset time says nothing."""
    known = request.DESCRIPTOR.fields_by_name
    found: dict[str, Any] = {}
    for name in kind.fields():
        if name not in known or name in ASSETS:
            continue
        field, value = known[name], getattr(request, name)
        if field.is_repeated:
            found[name] = tuple(value)
        elif field.message_type is None:
            found[name] = value
        elif request.HasField(name):
            found[name] = value.ToTimedelta()
    if "theme_mode" in found:
        found["theme_mode"] = THEMES_BACK.get(found["theme_mode"], 0)
    return found


def filled(message: Any, values: Any) -> Any:
    """A message with every value that it has a field for."""
    for part in fields(values):
        if part.name not in message.DESCRIPTOR.fields_by_name or part.name in ASSETS:
            continue
        value = getattr(values, part.name)
        if isinstance(value, timedelta):
            getattr(message, part.name).FromTimedelta(value)
        elif isinstance(value, tuple):
            getattr(message, part.name).extend(value)
        elif part.name == "theme_mode":
            message.theme_mode = THEMES[value]
        else:
            setattr(message, part.name, value)
    return message


def policy(ctx: Context, response: Any, found: Resolved, *, is_default: bool) -> Any:
    """A response that holds a policy, with its origin."""
    answer = response()
    filled(answer.policy, found.values)
    answer.policy.is_default = is_default
    answer.policy.details.CopyFrom(row_details(v1.ObjectDetails, found, found.owner))
    if "is_default" in answer.DESCRIPTOR.fields_by_name:
        answer.is_default = is_default
    for asset, field in URLS.items():
        if key := getattr(found.values, asset, ""):
            setattr(answer.policy, field, asset_url(ctx, found.owner, key))
    return answer


def asset_url(ctx: Context, owner: str, key: str) -> str:
    """Where a file of a branding is served."""
    return f"{ctx.base_url}/assets/v1/{owner}/{key}"


def changed(response: Any, receipt: Receipt) -> Any:
    """A response that holds the details of a change."""
    return response(details=details(v1.ObjectDetails, receipt))


Answer = Callable[[Context, Any], Any]


def register(service: Service, name: str, told: str, function: Answer) -> None:
    """Register a function of a table under the method's name."""
    function.__name__ = name
    function.__doc__ = told
    service.method(function)
