"""zitadel.admin.v1.AdminService: the instance's defaults of every policy."""

from typing import Any

from iam.api.gen import admin_v1 as admin
from iam.api.gen import settings_v1, v1
from iam.api.lists import list_details, row_details, sliced
from iam.api.methods import Service
from iam.instance import setting_commands as commands
from iam.instance.domain import kinds
from iam.instance.domain.kinds import ASSETS, GENERATORS, KINDS, Kind
from iam.instance.policy_messages import POLICIES, changed, filled, policy, register, values_from
from iam.instance.setting_commands import of_instance
from iam.instance.setting_queries import get_instance_settings
from iam.instance.stored import ACTIVE
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, NotFound

older = Service("zitadel.admin.v1.AdminService")


def _declare(name: str, kind: Kind) -> None:
    get, update = getattr(admin, f"Get{name}Response"), getattr(admin, f"Update{name}Response")
    stored = ACTIVE if kind is kinds.LABEL else ""

    def read(ctx: Context, request: Any) -> Any:
        return policy(ctx, get, get_instance_settings(ctx).resolve(kind, stored_as=stored), is_default=True)

    def write(ctx: Context, request: Any) -> Any:
        values = values_from(kind, request)
        return changed(update, commands.change_setting(ctx, of_instance(ctx), kind=kind.name, values=values))

    register(older, f"Get{name}", "The instance's default.", read)
    register(older, f"Update{name}", "Change the instance's default.", write)


for _name, _kind in POLICIES.items():
    _declare(_name, _kind)


@older.method
def AddNotificationPolicy(ctx: Context, request: Any) -> Any:
    """Set what people are told by mail, where nothing was set before."""
    receipt = commands.add_setting(
        ctx, of_instance(ctx), kind="notification", values=values_from(kinds.NOTIFICATION, request)
    )
    return changed(admin.AddNotificationPolicyResponse, receipt)


@older.method
def GetPreviewLabelPolicy(ctx: Context, request: Any) -> Any:
    """The branding that is being prepared."""
    found = get_instance_settings(ctx).resolve(kinds.LABEL)
    return policy(ctx, admin.GetPreviewLabelPolicyResponse, found, is_default=True)


@older.method
def ActivateLabelPolicy(ctx: Context, request: Any) -> Any:
    """Show the branding that was prepared."""
    return changed(admin.ActivateLabelPolicyResponse, commands.activate_label(ctx, of_instance(ctx)))


def _declare_asset(asset: str) -> None:
    name = f"RemoveLabelPolicy{''.join(part.capitalize() for part in asset.split('_'))}"

    def remove(ctx: Context, request: Any) -> Any:
        receipt = commands.remove_label_asset(ctx, of_instance(ctx), asset=asset)
        return changed(getattr(admin, f"{name}Response"), receipt)

    register(older, name, "Use no file of this kind.", remove)


for _asset in ASSETS:
    _declare_asset(_asset)


def _declare_factors(word: str, factors: str) -> None:
    def listed(ctx: Context, request: Any) -> Any:
        found = getattr(get_instance_settings(ctx).login, factors)
        answer = getattr(admin, f"ListLoginPolicy{word}sResponse")(result=found)
        answer.details.total_result = len(found)
        return answer

    def add(ctx: Context, request: Any) -> Any:
        receipt = commands.list_factor(ctx, of_instance(ctx), factors=factors, number=request.type)
        return changed(getattr(admin, f"Add{word}ToLoginPolicyResponse"), receipt)

    def remove(ctx: Context, request: Any) -> Any:
        receipt = commands.unlist_factor(ctx, of_instance(ctx), factors=factors, number=request.type)
        return changed(getattr(admin, f"Remove{word}FromLoginPolicyResponse"), receipt)

    register(older, f"ListLoginPolicy{word}s", "The factors that the instance allows.", listed)
    register(older, f"Add{word}ToLoginPolicy", "Allow a factor.", add)
    register(older, f"Remove{word}FromLoginPolicy", "Allow a factor no more.", remove)


_declare_factors("SecondFactor", "second_factors")
_declare_factors("MultiFactor", "multi_factors")


@older.method
def ListLoginPolicyIDPs(ctx: Context, request: Any) -> Any:
    """The identity providers of the login; this server has none yet."""
    get_instance_settings(ctx)
    return admin.ListLoginPolicyIDPsResponse(details=v1.ListDetails())


@older.method
def GetOIDCSettings(ctx: Context, request: Any) -> Any:
    """How long tokens live."""
    found = get_instance_settings(ctx, needs="iam.read").resolve(kinds.OIDC)
    answer = admin.GetOIDCSettingsResponse()
    filled(answer.settings, found.values)
    answer.settings.details.CopyFrom(row_details(v1.ObjectDetails, found, found.owner))
    return answer


@older.method
def AddOIDCSettings(ctx: Context, request: Any) -> Any:
    """Set how long tokens live, where nothing was set before."""
    place = of_instance(ctx, "iam.write")
    receipt = commands.add_setting(ctx, place, kind="oidc", values=values_from(kinds.OIDC, request))
    return changed(admin.AddOIDCSettingsResponse, receipt)


@older.method
def UpdateOIDCSettings(ctx: Context, request: Any) -> Any:
    """Change how long tokens live."""
    place = of_instance(ctx, "iam.write")
    receipt = commands.change_setting(ctx, place, kind="oidc", values=values_from(kinds.OIDC, request))
    return changed(admin.UpdateOIDCSettingsResponse, receipt)


@older.method
def GetSecurityPolicy(ctx: Context, request: Any) -> Any:
    """Frames and impersonation."""
    found = get_instance_settings(ctx).resolve(kinds.SECURITY)
    answer = admin.GetSecurityPolicyResponse()
    filled(answer.policy, found.values)
    answer.policy.details.CopyFrom(row_details(v1.ObjectDetails, found, found.owner))
    return answer


@older.method
def SetSecurityPolicy(ctx: Context, request: Any) -> Any:
    """Set frames and impersonation."""
    values = values_from(kinds.SECURITY, request)
    return changed(
        admin.SetSecurityPolicyResponse, commands.set_setting(ctx, of_instance(ctx), kind="security", values=values)
    )


@older.method
def GetRestrictions(ctx: Context, request: Any) -> Any:
    """What the instance does not offer."""
    found = get_instance_settings(ctx, needs="iam.restrictions.read").resolve(kinds.RESTRICTIONS)
    answer = filled(admin.GetRestrictionsResponse(), found.values)
    answer.details.CopyFrom(row_details(v1.ObjectDetails, found, found.owner))
    return answer


@older.method
def SetRestrictions(ctx: Context, request: Any) -> Any:
    """Restrict what the instance offers."""
    values: dict[str, Any] = {}
    if request.HasField("disallow_public_org_registration"):
        values["disallow_public_org_registration"] = request.disallow_public_org_registration
    if request.HasField("allowed_languages"):
        values["allowed_languages"] = tuple(request.allowed_languages.list)
    return changed(admin.SetRestrictionsResponse, commands.set_restrictions(ctx, values=values))


@older.method
def GetSecretGenerator(ctx: Context, request: Any) -> Any:
    """How codes or secrets of a kind are drawn."""
    settings = get_instance_settings(ctx, needs="iam.read")
    return admin.GetSecretGeneratorResponse(secret_generator=_generator(settings, request.generator_type))


@older.method
def ListSecretGenerators(ctx: Context, request: Any) -> Any:
    """The same of every kind."""
    settings = get_instance_settings(ctx, needs="iam.read")
    asked = {query.type_query.generator_type for query in request.queries if query.HasField("type_query")}
    found = [_generator(settings, number) for number in GENERATORS if not asked or number in asked]
    told = list_details(ctx, len(found))
    return admin.ListSecretGeneratorsResponse(details=told, result=sliced(found, request.query))


@older.method
def UpdateSecretGenerator(ctx: Context, request: Any) -> Any:
    """Draw codes or secrets in another way."""
    kind = _generator_kind(request.generator_type)
    place = of_instance(ctx, "iam.write")
    receipt = commands.change_setting(ctx, place, kind=kind.name, values=values_from(kind, request))
    return changed(admin.UpdateSecretGeneratorResponse, receipt)


def _generator_kind(number: int) -> Kind:
    if number not in GENERATORS:
        raise InvalidInput("api.enum_unknown", field="generatorType")
    return KINDS[f"generator_{number}"]


def _generator(settings: Any, number: int) -> Any:
    found = settings.resolve(_generator_kind(number))
    made = filled(settings_v1.SecretGenerator(generator_type=number), found.values)
    made.details.CopyFrom(row_details(v1.ObjectDetails, found, found.owner))
    return made


def _no_provider(name: str) -> None:
    def refuse(ctx: Context, request: Any) -> Any:
        ctx.require("iam.policy.write", ctx.instance)
        raise NotFound("setting.provider_unknown", field="idpId")

    register(older, name, "Identity providers of the login; this server knows none yet, so none is found.", refuse)


for _name in ("AddIDPToLoginPolicy", "RemoveIDPFromLoginPolicy"):
    _no_provider(_name)
