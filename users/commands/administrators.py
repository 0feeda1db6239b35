"""Administrators of the instance: they are users, which the instance itself does not know."""

from iam.instance.domain.instance import Instance
from iam.kernel.change import Receipt, Unit, transact
from iam.kernel.context import Context
from users.domain.user import User


def add_instance_member(ctx: Context, *, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Make a user administrator of the instance; raises NotFound for an unknown user."""

    def work(unit: Unit) -> None:
        ctx.require("iam.member.write", ctx.instance)
        unit.load(User, user_id).must_exist()
        unit.change(Instance, ctx.instance, lambda one: one.add_member(user_id, roles), needs="iam.member.write")

    return transact(ctx, work).receipts[ctx.instance]
