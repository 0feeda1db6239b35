"""Every change of targets and executions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from iam.actions.domain.endpoint import endpoint_of
from iam.actions.domain.execution import Condition, Execution
from iam.actions.domain.target import Target, TargetValues
from iam.actions.queries import executions_of
from iam.actions.signing import new_key
from iam.kernel.change import Receipt, Unit, change, transact
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, Unimplemented


@dataclass(frozen=True)
class Keyed:
    """A change of a target, and its new signing key if there is one."""

    receipt: Receipt
    signing_key: str = ""


def add_target(ctx: Context, *, values: TargetValues) -> Keyed:
    """Name an address that facts may be told to; its signing key is made here."""
    ctx.require("action.target.write", ctx.instance)
    _must_lead_outside(ctx, values.checked().endpoint)
    plain, sealed = new_key(ctx)
    receipt = change(
        ctx,
        Target,
        ctx.ports.new_id(),
        lambda target: target.add(values, signing_key=sealed),
        needs="action.target.write",
        owner=ctx.instance,
    )
    return Keyed(receipt, plain)


def change_target(
    ctx: Context, *, target_id: str, changes: Mapping[str, Any], signing_key_ends: timedelta | None = None
) -> Keyed:
    """Change a target. Where the signing key ends there is a new one, beside which the old one signs as is configured."""
    ctx.require("action.target.write", ctx.instance)
    if signing_key_ends:
        raise InvalidInput("target.expiration_invalid", field="expirationSigningKey")
    if "endpoint" in changes:
        _must_lead_outside(ctx, changes["endpoint"])
    renews = signing_key_ends is not None
    plain, sealed = new_key(ctx) if renews else ("", None)
    until = _previous_until(ctx) if renews else None
    receipt = change(
        ctx,
        Target,
        target_id,
        lambda target: target.change(changes, signing_key=sealed, previous_until=until),
        needs="action.target.write",
        owner=ctx.instance,
    )
    return Keyed(receipt, plain)


def remove_target(ctx: Context, *, target_id: str) -> Receipt:
    """Tell a target nothing any more, and take it from every execution; raises NotFound."""

    def work(unit: Unit) -> None:
        unit.change(Target, target_id, Target.remove, needs="action.target.delete", owner=ctx.instance)
        for id in executions_of(ctx.instance, target_id):
            unit.change(Execution, id, lambda one: one.lose(target_id))

    return transact(ctx, work).receipts[target_id]


def set_execution(ctx: Context, *, condition: Condition | None, targets: tuple[str, ...]) -> Receipt | None:
    """Choose who is told of the facts that meet a condition; no targets: nobody. None when there was nothing to end.

    `condition` is None where it is not one on events; raises Unimplemented then.
    """
    ctx.require("action.execution.write", ctx.instance)
    if condition is None:
        raise Unimplemented("execution.condition_unsupported", field="condition")
    id = condition.checked().id

    def work(unit: Unit) -> None:
        for target in targets:
            unit.load(Target, target).must_exist()
        unit.change(Execution, id, lambda one: one.set(targets), needs="action.execution.write", owner=ctx.instance)

    return transact(ctx, work).receipts.get(id)


def _must_lead_outside(ctx: Context, endpoint: str) -> None:
    """Refuse what is known to lead inside; what a name leads to later is looked at before each call (S01, S02)."""
    if ctx.ports.outside.leads_inside(endpoint_of(endpoint).host):
        raise InvalidInput("target.endpoint_invalid", field="endpoint")


def _previous_until(ctx: Context) -> datetime | None:
    overlap = settings.CONFIG.Executions.SigningKeyOverlap
    return ctx.now() + overlap if overlap else None
