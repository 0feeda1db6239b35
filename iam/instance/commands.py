"""Every change of an instance."""

from iam.instance.domain.events import (
    ConsoleSet,
    IamProjectSet,
    LockoutChanged,
    OidcSettingsChanged,
    PasswordComplexityChanged,
)
from iam.instance.domain.instance import Instance
from iam.kernel.change import Receipt, change
from iam.kernel.context import Context


def add_instance(ctx: Context, *, name: str, domains: tuple[str, ...], default_language: str = "en") -> Receipt:
    """Set up a tenant whose id is the context's instance."""
    return change(
        ctx,
        Instance,
        ctx.instance,
        lambda one: one.add(name=name, domains=domains, language=default_language),
        needs="iam.write",
        owner=ctx.instance,
    )


def rename_instance(ctx: Context, *, name: str) -> Receipt:
    """Give the instance another name."""
    return change(ctx, Instance, ctx.instance, lambda one: one.rename(name), needs="iam.write")


def add_domain(ctx: Context, *, domain: str) -> Receipt:
    """Let another host lead to the instance."""
    return change(ctx, Instance, ctx.instance, lambda one: one.add_domain(domain), needs="iam.write")


def remove_domain(ctx: Context, *, domain: str) -> Receipt:
    """Take a host away."""
    return change(ctx, Instance, ctx.instance, lambda one: one.remove_domain(domain), needs="iam.write")


def move_host(ctx: Context, *, domain: str) -> Receipt:
    """Give the instance another host of its own, instead of the one it was set up with."""
    return change(ctx, Instance, ctx.instance, lambda one: one.move_host(domain), needs="iam.write")


def set_primary_domain(ctx: Context, *, domain: str) -> Receipt:
    """Choose the host that links are made with."""
    return change(ctx, Instance, ctx.instance, lambda one: one.set_primary(domain), needs="iam.write")


def set_default_org(ctx: Context, *, org_id: str) -> Receipt:
    """Choose the organization of whoever names none."""
    return change(ctx, Instance, ctx.instance, lambda one: one.set_default_org(org_id), needs="iam.write")


def set_console(ctx: Context, *, project_id: str, app_id: str, client_id: str) -> Receipt:
    """Remember the product's own project and the console's application."""
    facts = [IamProjectSet(project_id=project_id), ConsoleSet(client_id=client_id, app_id=app_id)]
    return change(ctx, Instance, ctx.instance, lambda _: facts, needs="iam.write")


def add_member(ctx: Context, *, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Make a user administrator of the instance."""
    return change(ctx, Instance, ctx.instance, lambda one: one.add_member(user_id, roles), needs="iam.member.write")


def change_member(ctx: Context, *, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Give an administrator of the instance other roles."""
    return change(ctx, Instance, ctx.instance, lambda one: one.change_member(user_id, roles), needs="iam.member.write")


def remove_member(ctx: Context, *, user_id: str) -> Receipt:
    """Take an administrator's rights over the instance."""
    return change(ctx, Instance, ctx.instance, lambda one: one.remove_member(user_id), needs="iam.member.delete")


Setting = PasswordComplexityChanged | LockoutChanged | OidcSettingsChanged


def change_setting(ctx: Context, *, fact: Setting) -> Receipt:
    """Change some settings of the instance; fields left out stay as they are."""
    return change(ctx, Instance, ctx.instance, lambda one: one.change_setting(fact), needs="iam.policy.write")
