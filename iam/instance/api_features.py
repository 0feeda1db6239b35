"""zitadel.feature.v2.FeatureService: features of the system and of the instance, with their source.

For organizations and users the definitions know no feature; their methods are in the rooms that know those.
"""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from iam.api.gen import feature_v2, object_v2
from iam.api.lists import details, row_details
from iam.api.methods import Service
from iam.instance import setting_commands as commands
from iam.instance.domain.features import FEATURES, IN_FORCE, INSTANCE, NAMES, SYSTEM, SYSTEM_ID
from iam.instance.models import InstanceRow, SettingRow
from iam.kernel.context import Context

features = Service("zitadel.feature.v2.FeatureService")
SOURCES = {SYSTEM: 2, INSTANCE: 3}
SENT = {"token_exchange": "oidc_token_exchange"}
"""Our name → the message's."""


def _given(level: str, request: Any) -> dict[str, Any]:
    """The features that a request sets."""
    found: dict[str, Any] = {}
    for name in NAMES[level]:
        sent = SENT.get(name, name)
        if name == "improved_performance":
            if request.improved_performance:
                found[name] = tuple(request.improved_performance)
        elif request.HasField(sent):
            value = getattr(request, sent)
            found[name] = {"required": value.required, "base_uri": value.base_uri} if name == "login_v2" else value
    return found


def _shown(answer: Any, level: str, rows: dict[str, SettingRow]) -> Any:
    """Every feature of the level's message: own value, else that of the system, else off and without source."""
    values = _values(rows, level)
    for name in NAMES[level]:
        flag = getattr(answer, SENT.get(name, name))
        flag.SetInParent()
        for origin in (INSTANCE, SYSTEM):
            if name in values.get(origin, {}):
                _fill(flag, name, values[origin][name])
                flag.source = SOURCES[origin]
                break
    return answer


def _values(rows: Mapping[str, SettingRow], level: str) -> dict[str, Mapping[str, Any]]:
    """The values of each level. Those in force are told only as long as nobody has set any: whoever sets some (Terraform)
    wants to read back those and no others."""
    found = {origin: row.values for origin, row in rows.items()}
    return found if level == SYSTEM or INSTANCE in found else {**found, INSTANCE: IN_FORCE}


def _own(answer: Any) -> Any:
    """Without a login that this level does not set: Terraform would read a block there, and plan for ever to take it."""
    if not answer.login_v2.source:
        answer.ClearField("login_v2")
    return answer


def _fill(flag: Any, name: str, value: Any) -> None:
    if name == "login_v2":
        flag.required = value["required"]
        if value["base_uri"]:
            flag.base_uri = value["base_uri"]
    elif name == "improved_performance":
        flag.execution_paths.extend(value)
    else:
        flag.enabled = value


def _rows(ctx: Context, *levels: str) -> dict[str, SettingRow]:
    asked = Q(instance_id=ctx.instance, owner=ctx.instance) if INSTANCE in levels else Q(pk__in=[])
    if SYSTEM in levels:
        asked |= Q(instance_id="", owner=SYSTEM_ID)
    found = SettingRow.objects.filter(asked, kind=FEATURES)
    return {SYSTEM if row.owner == SYSTEM_ID else INSTANCE: row for row in found}


@features.method
def GetSystemFeatures(ctx: Context, request: Any) -> Any:
    """Features that are set for every instance."""
    rows = _rows(ctx, SYSTEM)
    answer = _own(_shown(feature_v2.GetSystemFeaturesResponse(), SYSTEM, rows))
    if row := rows.get(SYSTEM):
        answer.details.CopyFrom(row_details(object_v2.Details, row, SYSTEM_ID))
    answer.details.resource_owner = SYSTEM_ID
    return answer


@features.method
def SetSystemFeatures(ctx: Context, request: Any) -> Any:
    """Switch features for every instance."""
    receipt = commands.set_features(ctx, level=SYSTEM, values=_given(SYSTEM, request))
    return feature_v2.SetSystemFeaturesResponse(details=details(object_v2.Details, receipt))


@features.method
def ResetSystemFeatures(ctx: Context, request: Any) -> Any:
    """Set nothing for the system."""
    receipt = commands.reset_features(ctx, level=SYSTEM)
    return feature_v2.ResetSystemFeaturesResponse(details=details(object_v2.Details, receipt))


@features.method
def GetInstanceFeatures(ctx: Context, request: Any) -> Any:
    """Features of this instance; with inheritance also those of the system."""
    rows = _rows(ctx, *((INSTANCE, SYSTEM) if request.inheritance else (INSTANCE,)))
    answer = _shown(feature_v2.GetInstanceFeaturesResponse(), INSTANCE, rows)
    if not request.inheritance:
        _own(answer)
    row = rows.get(INSTANCE) or InstanceRow.objects.get(instance_id=ctx.instance)
    answer.details.CopyFrom(row_details(object_v2.Details, row, ctx.instance))
    return answer


@features.method
def SetInstanceFeatures(ctx: Context, request: Any) -> Any:
    """Switch features of this instance."""
    receipt = commands.set_features(ctx, level=INSTANCE, values=_given(INSTANCE, request))
    return feature_v2.SetInstanceFeaturesResponse(details=details(object_v2.Details, receipt))


@features.method
def ResetInstanceFeatures(ctx: Context, request: Any) -> Any:
    """Set nothing for this instance: the system's values hold again."""
    receipt = commands.reset_features(ctx, level=INSTANCE)
    return feature_v2.ResetInstanceFeaturesResponse(details=details(object_v2.Details, receipt))
