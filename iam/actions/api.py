"""zitadel.action.v2.ActionService: targets and the executions on events."""

from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration

from iam.actions import commands, queries
from iam.actions.domain.execution import ALL, EVENT, GROUP, Condition
from iam.actions.domain.target import ASYNC, CALL, WEBHOOK, TargetValues
from iam.actions.models import ExecutionRow, TargetRow
from iam.actions.signing import opened
from iam.api.gen import action_v2
from iam.api.lists import matches, page_of, paged, stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput

actions = Service("zitadel.action.v2.ActionService")
KINDS = {"rest_webhook": WEBHOOK, "rest_call": CALL, "rest_async": ASYNC}
SPELLINGS = {number: name for name, number in KINDS.items()}
TARGET_SORTS = {
    1: "id",
    2: "created_at",
    3: "changed_at",
    4: "name",
    5: "target_type",
    6: "endpoint",
    7: "timeout",
    8: "interrupt_on_error",
}
EXECUTION_SORTS = {1: "id", 2: "created_at", 3: "changed_at"}
IS_EVENT = 3


@actions.method
def CreateTarget(ctx: Context, request: Any) -> Any:
    """Name an address; the signing key is in the answer."""
    values = TargetValues(
        name=request.name,
        endpoint=request.endpoint,
        timeout=_time(request.timeout),
        payload_type=request.payload_type,
        **_kind(request),
    )
    made = commands.add_target(ctx, values=values)
    return action_v2.CreateTargetResponse(
        id=made.receipt.id, creation_date=stamp(made.receipt.created_at), signing_key=made.signing_key
    )


@actions.method
def UpdateTarget(ctx: Context, request: Any) -> Any:
    """Change what is sent; `expirationSigningKey` of 0s makes a new signing key."""
    changes = {name: getattr(request, name) for name in ("name", "endpoint") if request.HasField(name)}
    if request.HasField("timeout"):
        changes["timeout"] = _time(request.timeout)
    if request.payload_type:
        changes["payload_type"] = request.payload_type
    if request.WhichOneof("target_type"):
        changes |= _kind(request)
    ends = _time(request.expiration_signing_key) if request.HasField("expiration_signing_key") else None
    made = commands.change_target(ctx, target_id=request.id, changes=changes, signing_key_ends=ends)
    shown = {"signing_key": made.signing_key} if made.signing_key else {}
    return action_v2.UpdateTargetResponse(change_date=stamp(made.receipt.changed_at), **shown)


@actions.method
def DeleteTarget(ctx: Context, request: Any) -> Any:
    """Tell it nothing any more."""
    receipt = commands.remove_target(ctx, target_id=request.id)
    return action_v2.DeleteTargetResponse(deletion_date=stamp(receipt.changed_at))


@actions.method
def GetTarget(ctx: Context, request: Any) -> Any:
    """One target."""
    return action_v2.GetTargetResponse(target=_target(ctx, queries.get_target(ctx, target_id=request.id)))


@actions.method
def ListTargets(ctx: Context, request: Any) -> Any:
    """The targets of the instance."""
    rows = queries.list_targets(ctx)
    for one in request.filters:
        match one.WhichOneof("filter"):
            case "target_name_filter":
                rows = rows.filter(matches("name", one.target_name_filter.target_name, one.target_name_filter.method))
            case "in_target_ids_filter":
                rows = rows.filter(id__in=list(one.in_target_ids_filter.target_ids))
            case _:
                raise InvalidInput("api.query_unsupported", field="filters")
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=TARGET_SORTS)
    return action_v2.ListTargetsResponse(
        targets=[_target(ctx, row) for row in found], pagination=page_of(request, total)
    )


@actions.method
def SetExecution(ctx: Context, request: Any) -> Any:
    """Choose who is told of the facts that meet a condition."""
    receipt = commands.set_execution(ctx, condition=_condition(request.condition), targets=tuple(request.targets))
    return action_v2.SetExecutionResponse(set_date=stamp(receipt.changed_at if receipt else None))


@actions.method
def ListExecutions(ctx: Context, request: Any) -> Any:
    """The executions of the instance."""
    rows = queries.list_executions(ctx)
    for one in request.filters:
        match one.WhichOneof("filter"):
            case "in_conditions_filter":
                asked = [_condition(condition) for condition in one.in_conditions_filter.conditions]
                rows = rows.filter(id__in=[condition.id for condition in asked if condition])
            case "execution_type_filter":
                rows = rows if one.execution_type_filter.execution_type == IS_EVENT else rows.none()
            case "target_filter":
                rows = rows.filter(id__in=queries.executions_of(ctx.instance, one.target_filter.target_id))
            case _:
                raise InvalidInput("api.query_unsupported", field="filters")
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=EXECUTION_SORTS)
    targets = queries.targets_of(ctx.instance, [row.id for row in found])
    shown = [_execution(row, targets[row.id]) for row in found]
    return action_v2.ListExecutionsResponse(executions=shown, pagination=page_of(request, total))


def _kind(request: Any) -> dict[str, Any]:
    """Which kind of target, and whether its failure stops others: what is asynchronous stops nobody."""
    name = request.WhichOneof("target_type")
    return {
        "target_type": KINDS[name],
        "interrupt_on_error": getattr(getattr(request, name), "interrupt_on_error", False),
    }


def _time(asked: Any) -> timedelta:
    return timedelta(seconds=asked.seconds, microseconds=asked.nanos // 1000)


def _target(ctx: Context, row: TargetRow) -> Any:
    made = action_v2.Target(
        id=row.id,
        creation_date=stamp(row.created_at),
        change_date=stamp(row.changed_at),
        name=row.name,
        timeout=_duration(row.timeout),
        endpoint=row.endpoint,
        payload_type=row.payload_type,
    )
    kind = getattr(made, SPELLINGS[row.target_type])
    kind.SetInParent()
    if row.interrupt_on_error:
        kind.interrupt_on_error = True
    if ctx.allows("action.target.write", ctx.instance):
        made.signing_key = opened(ctx, row.signing_key)
    return made


def _duration(time: timedelta) -> Duration:
    made = Duration()
    made.FromTimedelta(time)
    return made


def _condition(asked: Any) -> Condition | None:
    """The condition of a message; None for one that is not on events."""
    if asked.WhichOneof("condition_type") != "event":
        return None
    match asked.event.WhichOneof("condition"):
        case "event":
            return Condition(EVENT, asked.event.event)
        case "group":
            return Condition(GROUP, asked.event.group)
    return Condition(ALL)


def _execution(row: ExecutionRow, targets: list[str]) -> Any:
    made = action_v2.Execution(creation_date=stamp(row.created_at), change_date=stamp(row.changed_at), targets=targets)
    condition = Condition.of(row.id)
    if condition.kind == ALL:
        made.condition.event.all = True
    else:
        setattr(made.condition.event, condition.kind, condition.name)
    return made
