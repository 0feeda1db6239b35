"""Administrators of instance and organizations: they are users, which those do not know themselves."""

from iam.instance.domain.instance import Instance
from iam.kernel.change import Receipt, Unit, transact
from iam.kernel.context import Context
from orgs.domain.org import Org
from users.domain.user import User


def add_instance_member(ctx: Context, *, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Make a user administrator of the instance; raises NotFound for an unknown user."""

    def work(unit: Unit) -> None:
        ctx.require("iam.member.write", ctx.instance)
        unit.load(User, user_id).must_exist()
        unit.change(Instance, ctx.instance, lambda one: one.add_member(user_id, roles), needs="iam.member.write")

    return transact(ctx, work).receipts[ctx.instance]


def add_org_member(ctx: Context, *, org_id: str, user_id: str, roles: tuple[str, ...]) -> Receipt:
    """Make a user administrator of an organization; raises NotFound for an unknown user."""

    def work(unit: Unit) -> None:
        unit.change(Org, org_id, lambda one: one.add_member(user_id, roles), needs="org.member.write")
        unit.load(User, user_id).must_exist()

    return transact(ctx, work).receipts[org_id]
