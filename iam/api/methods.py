"""The method table: one function per method, the same for every wire."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from google.protobuf.message import Message

from iam.access.caller import RequestMeta, context_for
from iam.api import descriptors
from iam.api.beta.sisters import adapted, pairs, sister_of
from iam.api.limits import check
from iam.kernel.context import Context
from iam.kernel.errors import Unauthenticated, Unimplemented

Function = Callable[[Context, Any], Message]
AUTHENTICATED = "authenticated"

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


def invoke(full_name: str, request: Message, meta: RequestMeta) -> Message:
    """Answer a request. Raises a Refusal.

    The order: implemented, who is calling, limits of the message, the function. What a caller may do with the
    thing addressed is checked by the command or query, which knows its owner (DESIGN §7); a method with a permission
    needs it somewhere first.
    """
    function = function_of(full_name)
    called = method(full_name)
    ctx = context_for(without_token(meta) if called.is_public else meta)
    if not called.is_public and not ctx.actor:
        raise Unauthenticated("auth.missing")
    check(request)
    return function(ctx, request)


def without_token(meta: RequestMeta) -> RequestMeta:
    """A request of nobody: a public method does not look at tokens, good or bad."""
    headers = {name: value for name, value in meta.headers.items() if name != "authorization"}
    return replace(meta, headers=headers)
