"""zitadel.management.v1.ManagementService and AdminService: an organization's own policies over the instance's."""

from typing import Any

from iam.api.gen import admin_v1 as admin
from iam.api.gen import management_v1 as management
from iam.api.gen import v1
from iam.api.methods import Service
from iam.instance import setting_commands as commands
from iam.instance.domain import kinds
from iam.instance.domain.kinds import ASSETS, Kind
from iam.instance.policy_messages import POLICIES, changed, policy, register, values_from
from iam.instance.setting_queries import get_default_settings, get_settings
from iam.instance.settings import settings_of
from iam.instance.stored import ACTIVE
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from orgs.queries import get_org
from orgs.settings import of_org

older = Service("zitadel.management.v1.ManagementService")
instance = Service("zitadel.admin.v1.AdminService")
DOMAIN_POLICIES = ("DomainPolicy", "OrgIAMPolicy")
"""Policies that only an administrator of the instance changes."""


def _declare(name: str, kind: Kind) -> None:
    stored = ACTIVE if kind is kinds.LABEL else ""

    def read(ctx: Context, request: Any) -> Any:
        found = get_settings(ctx, org_id=ctx.org_id).resolve(kind, stored_as=stored)
        return policy(ctx, getattr(management, f"Get{name}Response"), found, is_default=found.is_default)

    def read_default(ctx: Context, request: Any) -> Any:
        found = get_default_settings(ctx).resolve(kind, stored_as=stored)
        return policy(ctx, getattr(management, f"GetDefault{name}Response"), found, is_default=True)

    def add(ctx: Context, request: Any) -> Any:
        if kind is kinds.LOGIN and request.idps:
            _refuse_provider(ctx, "idps")
        values = _with_defaults(ctx, kind, request)
        receipt = commands.add_setting(ctx, of_org(ctx.org_id), kind=kind.name, values=values)
        return changed(getattr(management, f"AddCustom{name}Response"), receipt)

    def update(ctx: Context, request: Any) -> Any:
        values = values_from(kind, request)
        receipt = commands.change_setting(ctx, of_org(ctx.org_id), kind=kind.name, values=values)
        return changed(getattr(management, f"UpdateCustom{name}Response"), receipt)

    def reset(ctx: Context, request: Any) -> Any:
        receipt = commands.reset_setting(ctx, of_org(ctx.org_id), kind=kind.name)
        return changed(getattr(management, f"Reset{name}ToDefaultResponse"), receipt)

    register(older, f"Get{name}", "The policy in force, and whether it is the instance's.", read)
    register(older, f"GetDefault{name}", "The instance's policy.", read_default)
    register(older, f"AddCustom{name}", "Have a policy of one's own.", add)
    register(older, f"UpdateCustom{name}", "Change one's own policy.", update)
    register(older, f"Reset{name}ToDefault", "Fall back to the instance's policy.", reset)


def _with_defaults(ctx: Context, kind: Kind, request: Any) -> dict[str, Any]:
    """What a request says; what its message cannot say stays as the instance has it."""
    given = values_from(kind, request)
    below = settings_of(ctx.instance).resolve(kind).values
    kept = {name: getattr(below, name) for name in kind.fields() if name not in given and name not in ASSETS}
    return {**kept, **given}


for _name, _kind in POLICIES.items():
    if _name not in DOMAIN_POLICIES:
        _declare(_name, _kind)


def _declare_domain(name: str) -> None:
    """Anybody of an organization may know how its domains are used; the instance's administrators change it."""

    def read(ctx: Context, request: Any) -> Any:
        if ctx.org_id != ctx.caller.org_id:
            ctx.require("policy.read", ctx.org_id)
        found = settings_of(ctx.instance, ctx.org_id).resolve(kinds.DOMAIN)
        return policy(ctx, getattr(management, f"Get{name}Response"), found, is_default=found.is_default)

    def read_custom(ctx: Context, request: Any) -> Any:
        ctx.require("iam.policy.read", ctx.instance)
        get_org(ctx, org_id=request.org_id)
        found = settings_of(ctx.instance, request.org_id).resolve(kinds.DOMAIN)
        return policy(ctx, getattr(admin, f"GetCustom{name}Response"), found, is_default=found.is_default)

    def add(ctx: Context, request: Any) -> Any:
        place, values = of_org(request.org_id, "domain"), _with_defaults(ctx, kinds.DOMAIN, request)
        receipt = commands.add_setting(ctx, place, kind="domain", values=values)
        return changed(getattr(admin, f"AddCustom{name}Response"), receipt)

    def update(ctx: Context, request: Any) -> Any:
        place, values = of_org(request.org_id, "domain"), values_from(kinds.DOMAIN, request)
        receipt = commands.change_setting(ctx, place, kind="domain", values=values)
        return changed(getattr(admin, f"UpdateCustom{name}Response"), receipt)

    def reset(ctx: Context, request: Any) -> Any:
        receipt = commands.reset_setting(ctx, of_org(request.org_id, "domain"), kind="domain")
        return changed(getattr(admin, f"ResetCustom{name}ToDefaultResponse"), receipt)

    register(older, f"Get{name}", "The policy in force.", read)
    register(instance, f"GetCustom{name}", "An organization's policy.", read_custom)
    register(instance, f"AddCustom{name}", "Give an organization a policy of its own.", add)
    register(instance, f"UpdateCustom{name}", "Change an organization's policy.", update)
    register(instance, f"ResetCustom{name}ToDefault", "Let the instance's policy hold again.", reset)


for _name in DOMAIN_POLICIES:
    _declare_domain(_name)


@older.method
def GetPreviewLabelPolicy(ctx: Context, request: Any) -> Any:
    """The branding that is being prepared."""
    found = get_settings(ctx, org_id=ctx.org_id).resolve(kinds.LABEL)
    return policy(ctx, management.GetPreviewLabelPolicyResponse, found, is_default=found.is_default)


@older.method
def ActivateCustomLabelPolicy(ctx: Context, request: Any) -> Any:
    """Show the branding that was prepared."""
    return changed(management.ActivateCustomLabelPolicyResponse, commands.activate_label(ctx, of_org(ctx.org_id)))


def _declare_asset(asset: str) -> None:
    name = f"RemoveCustomLabelPolicy{''.join(part.capitalize() for part in asset.split('_'))}"

    def remove(ctx: Context, request: Any) -> Any:
        receipt = commands.remove_label_asset(ctx, of_org(ctx.org_id), asset=asset)
        return changed(getattr(management, f"{name}Response"), receipt)

    register(older, name, "Use no file of this kind.", remove)


for _asset in ASSETS:
    _declare_asset(_asset)


def _declare_factors(word: str, factors: str) -> None:
    def listed(ctx: Context, request: Any) -> Any:
        found = getattr(get_settings(ctx, org_id=ctx.org_id).login, factors)
        answer = getattr(management, f"ListLoginPolicy{word}sResponse")(result=found)
        answer.details.total_result = len(found)
        return answer

    def add(ctx: Context, request: Any) -> Any:
        receipt = commands.list_factor(ctx, of_org(ctx.org_id), factors=factors, number=request.type)
        return changed(getattr(management, f"Add{word}ToLoginPolicyResponse"), receipt)

    def remove(ctx: Context, request: Any) -> Any:
        receipt = commands.unlist_factor(ctx, of_org(ctx.org_id), factors=factors, number=request.type)
        return changed(getattr(management, f"Remove{word}FromLoginPolicyResponse"), receipt)

    register(older, f"ListLoginPolicy{word}s", "The factors in force.", listed)
    register(older, f"Add{word}ToLoginPolicy", "Allow a factor.", add)
    register(older, f"Remove{word}FromLoginPolicy", "Allow a factor no more.", remove)


_declare_factors("SecondFactor", "second_factors")
_declare_factors("MultiFactor", "multi_factors")


@older.method
def ListLoginPolicyIDPs(ctx: Context, request: Any) -> Any:
    """The identity providers of the login; this server has none yet."""
    get_settings(ctx, org_id=ctx.org_id)
    return management.ListLoginPolicyIDPsResponse(details=v1.ListDetails())


def _refuse_provider(ctx: Context, field: str) -> None:
    ctx.require("policy.write", ctx.org_id)
    raise NotFound("setting.provider_unknown", field=field)


def _no_provider(name: str) -> None:
    def refuse(ctx: Context, request: Any) -> Any:
        _refuse_provider(ctx, "idpId")

    register(older, name, "Identity providers of the login; this server knows none yet, so none is found.", refuse)


for _name in ("AddIDPToLoginPolicy", "RemoveIDPFromLoginPolicy"):
    _no_provider(_name)
