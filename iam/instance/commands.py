"""Every change of an instance."""

from dataclasses import replace

from iam.access.members import takes_from
from iam.instance.domain.events import ConsoleSet, IamProjectSet
from iam.instance.domain.instance import Instance
from iam.kernel.change import Receipt, Removal, change, remove
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


def remove_member(ctx: Context, *, user_id: str) -> Removal:
    """Take an administrator's rights over the instance."""
    decide = lambda one: one.remove_member(user_id)
    return remove(ctx, Instance, ctx.instance, decide, needs="iam.member.delete", gone=takes_from(user_id))


def rename_some_instance(ctx: Context, *, instance_id: str, name: str) -> Receipt:
    """Rename this instance as its administrator, or any as operator of the system."""
    where, needs = _at(ctx, instance_id, "iam.write", "system.instance.write")
    return change(where, Instance, where.instance, lambda one: one.rename(name), needs=needs)


def remove_instance(ctx: Context, *, instance_id: str) -> Receipt:
    """Delete a tenant: its hosts lead nowhere from the next request on. For operators of the system."""
    where, needs = _at(ctx, instance_id, "", "system.instance.delete")
    return change(where, Instance, where.instance, Instance.remove, needs=needs)


def add_custom_domain(ctx: Context, *, instance_id: str, domain: str) -> Receipt:
    """Let another host lead to an instance. For operators of the system."""
    where, needs = _at(ctx, instance_id, "", "system.domain.write")
    return change(where, Instance, where.instance, lambda one: one.add_domain(domain), needs=needs)


def remove_custom_domain(ctx: Context, *, instance_id: str, domain: str, needs: str = "system.domain.write") -> Receipt:
    """Take a host away. For operators of the system."""
    where, needs = _at(ctx, instance_id, "", needs)
    return change(where, Instance, where.instance, lambda one: one.remove_domain(domain), needs=needs)


def set_primary_of(ctx: Context, *, instance_id: str, domain: str) -> Receipt:
    """Choose the host that an instance's links are made with. For operators of the system."""
    where, needs = _at(ctx, instance_id, "", "system.domain.write")
    return change(where, Instance, where.instance, lambda one: one.set_primary(domain), needs=needs)


def _at(ctx: Context, instance_id: str, own: str, system: str) -> tuple[Context, str]:
    """The context of the instance meant, and the permission: `own` for this one where that suffices."""
    if instance_id not in ("", ctx.instance):
        return replace(ctx, instance=instance_id), system
    return ctx, own if own and not ctx.rights.allow(system) else system


def trust_domain(ctx: Context, *, domain: str, instance_id: str = "") -> Receipt:
    """Let links be made with a host that does not lead here itself."""
    where, needs = _at(ctx, instance_id, "iam.write", "system.instance.write")
    return change(where, Instance, where.instance, lambda one: one.trust_domain(domain), needs=needs)


def distrust_domain(ctx: Context, *, domain: str, instance_id: str = "") -> Receipt:
    """Trust a host no more."""
    where, needs = _at(ctx, instance_id, "iam.write", "system.instance.write")
    return change(where, Instance, where.instance, lambda one: one.distrust_domain(domain), needs=needs)


def set_default_language(ctx: Context, *, language: str) -> Receipt:
    """Choose the language of pages and mails."""
    return change(ctx, Instance, ctx.instance, lambda one: one.set_language(language), needs="iam.write")
