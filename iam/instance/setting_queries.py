"""Questions about settings."""

from iam.instance.settings import InstanceSettings, settings_of
from iam.kernel.context import Context


def get_settings(ctx: Context, *, org_id: str) -> InstanceSettings:
    """The settings in force for an organization; raises NotFound for a foreign one, PermissionDenied."""
    ctx.require("policy.read", org_id)
    return settings_of(ctx.instance, org_id)


def get_default_settings(ctx: Context) -> InstanceSettings:
    """The defaults of the instance, for whoever may read settings of the organization that the request acts in."""
    ctx.require("policy.read", ctx.org_id)
    return settings_of(ctx.instance)


def get_instance_settings(ctx: Context, *, needs: str = "iam.policy.read") -> InstanceSettings:
    """The same, for administrators of the instance."""
    ctx.require(needs, ctx.instance)
    return settings_of(ctx.instance)
