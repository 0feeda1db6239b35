"""The method table: one function per method, the same for every wire."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from google.protobuf.message import Message

from iam.access.acting import AUTHENTICATED
from iam.access.caller import RequestMeta, context_for
from iam.api import descriptors, idempotency, rates, versions
from iam.api.beta.sisters import adapted, pairs, sister_of
from iam.api.limits import check
from iam.kernel.context import Context
from iam.kernel.errors import (
    InvalidInput,
    NotFound,
    PermissionDenied,
    Refusal,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)
from iam.vault import wiring

Function = Callable[[Context, Any], Message]
SELF_SERVICE = "zitadel.auth.v1."
HEALTH = ("/Healthz", "grpc.health.v1.Health/Check")
_registered: dict[str, Function] = {}


class Service:
    """The functions of one service, by its full name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def method(self, function: Function) -> Function:
        """Register a function under its own name; raises KeyError for a name that the service lacks."""
        full = f"{self.name}/{function.__name__}"
        if full in _registered:
            raise ValueError(f"{full} is registered twice")
        _registered[full] = function
        return function


@dataclass(frozen=True)
class Method:
    """What the descriptor says of a method."""

    name: str
    permission: str
    request: Any
    response: Any
    success: int = 200

    @property
    def is_public(self) -> bool:
        """Whether nobody may call it."""
        return not self.permission


@cache
def method(full_name: str) -> Method:
    """A method by `package.Service/Method`; raises KeyError."""
    found = descriptors.method(full_name)
    options = found.GetOptions()
    return Method(
        name=full_name,
        permission=options.Extensions[descriptors.extension("permission")],
        request=descriptors.new(found.input_type),
        response=descriptors.new(found.output_type),
        success=options.Extensions[descriptors.extension("http_success")] or 200,
    )


def registered() -> dict[str, Function]:
    """Every implemented method: those with a function, and those of v2beta whose sister has one."""
    older = {name: adapted(name, _registered[one]) for name, one in pairs().items() if one in _registered}
    return dict(sorted({**older, **_registered}.items()))


def function_of(full_name: str) -> Function:
    """Who answers a method; raises Unimplemented. A method of v2beta is looked up at its sister's, at call time."""
    if function := _registered.get(full_name):
        return function
    if sister := _registered.get(sister_of(full_name)):
        return adapted(full_name, sister)
    raise Unimplemented("api.unimplemented", reason=full_name)


@dataclass
class Exchange:
    """What a wire knows beside the message, and what it shall say in headers of its answer."""

    meta: RequestMeta
    takes_key: bool = True
    condition: versions.Condition | None = None
    headers: dict[str, str] = field(default_factory=dict)


def invoke(full_name: str, request: Message, meta: RequestMeta) -> Message:
    """Answer a request of a wire without addresses of resources. Raises a Refusal."""
    return answer(full_name, request, Exchange(meta))


def answer(full_name: str, request: Message, exchange: Exchange) -> Message:
    """Answer a request. Raises a Refusal.

    The order: implemented, how often, who is calling, limits of the message, conditions, the function. What a caller may do
    with the thing addressed is checked by the command or query, which knows its owner (DESIGN §7); a method with a
    permission needs it somewhere first.
    """
    function = function_of(full_name)
    called = method(full_name)
    ctx = _counted(called, exchange.meta)
    check(request)
    header = exchange.meta.headers.get(idempotency.HEADER) if exchange.takes_key else None
    call = idempotency.call_of(ctx, full_name, request, header)
    if call is None and exchange.condition is None:
        return function(ctx, request)
    return _whole(lambda: _conditional(ctx, exchange.condition, function, request), call, called, exchange)


def _counted(called: Method, meta: RequestMeta) -> Context:
    """The Context, with the request counted on its caller or address. Probes of health are not counted."""
    if called.name.endswith(HEALTH):
        return context_for(without_token(meta))
    rates.enter(meta)
    try:
        ctx = context_for(without_token(meta)) if called.is_public else context_for(meta, _needed(called))
        if not called.is_public and not ctx.actor:
            raise Unauthenticated("auth.missing")
    except (Unauthenticated, NotFound, PermissionDenied):
        rates.count_nobody(meta)
        raise
    if ctx.actor:
        rates.count_caller(meta, ctx.instance, ctx.actor)
    else:
        rates.count_nobody(meta)
    return ctx


def _needed(called: Method) -> str:
    """The permission to act in a foreign organization; what is about the caller alone needs any there."""
    return AUTHENTICATED if called.name.startswith(SELF_SERVICE) else called.permission


def _whole(ask: Callable[[], Message], call: idempotency.Call | None, called: Method, exchange: Exchange) -> Message:
    """Answer in one transaction. A refusal commits, too: what was counted against a guess must stay counted."""
    made: Message | Refusal
    try:
        wiring.ports().new_id()  # as `together` does
        with wiring.store().whole():
            try:
                made, is_old = idempotency.once(call, ask, called.response) if call else (ask(), False)
            except Unavailable:
                raise
            except Refusal as refused:
                made, is_old = refused, False
    except _UncheckedError:
        raise InvalidInput("api.if_match_unsupported") from None
    if is_old:
        exchange.headers[idempotency.REPLAYED] = "true"
    if isinstance(made, Refusal):
        raise made
    return made


class _UncheckedError(Exception):
    """A condition was sent to a call that never looked at the resource of the address: nothing of it may stay."""


def _conditional(ctx: Context, condition: versions.Condition | None, function: Function, request: Message) -> Message:
    if condition is None:
        return function(ctx, request)
    expected = condition.expected(ctx)
    made = function(replace(ctx, expected=expected), request)
    if not expected.was_checked:
        raise _UncheckedError
    return made


def reading(full_name: str, request: Message) -> Callable[[Context], Message]:
    """A method that reads, to be asked in the middle of another one."""
    return lambda ctx: function_of(full_name)(ctx, request)


def without_token(meta: RequestMeta) -> RequestMeta:
    """A request of nobody: a public method does not look at tokens, good or bad."""
    headers = {name: value for name, value in meta.headers.items() if name != "authorization"}
    return replace(meta, headers=headers)
