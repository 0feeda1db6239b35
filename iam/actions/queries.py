"""Questions about targets and executions."""

from collections.abc import Iterable

from django.db.models import QuerySet

from iam.actions.models import ExecutionRow, RouteRow, TargetRow
from iam.kernel.context import Context
from iam.kernel.errors import NotFound


def get_target(ctx: Context, *, target_id: str) -> TargetRow:
    """A target; raises NotFound."""
    found = list_targets(ctx).filter(id=target_id).first()
    if found is None:
        raise NotFound("target.not_found")
    return found


def list_targets(ctx: Context) -> "QuerySet[TargetRow]":
    """The targets of the instance."""
    ctx.require("action.target.read", ctx.instance)
    return TargetRow.objects.filter(instance_id=ctx.instance)


def list_executions(ctx: Context) -> "QuerySet[ExecutionRow]":
    """The executions of the instance."""
    ctx.require("action.execution.read", ctx.instance)
    return ExecutionRow.objects.filter(instance_id=ctx.instance)


def executions_of(instance: str, target_id: str) -> list[str]:
    """The executions that a target is one of."""
    rows = RouteRow.objects.filter(instance_id=instance, target_id=target_id, until=None)
    return list(rows.order_by("execution_id").values_list("execution_id", flat=True))


def targets_of(instance: str, executions: Iterable[str]) -> dict[str, list[str]]:
    """The targets of executions, in order."""
    found: dict[str, list[str]] = {id: [] for id in executions}
    rows = RouteRow.objects.filter(instance_id=instance, execution_id__in=list(found), until=None)
    for execution, target in rows.order_by("number").values_list("execution_id", "target_id"):
        found[execution].append(target)
    return found
