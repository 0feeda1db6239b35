"""REST: one APIView per route of the method table, proto JSON in and out."""

import json
import logging
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from django.urls import URLPattern, re_path
from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.message import Message
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from iam.access.caller import RequestMeta
from iam.access.http import meta_of
from iam.api import descriptors, rates, versions
from iam.api.aliases import ALIASES, Alias, rewritten
from iam.api.content import loads as content_of
from iam.api.errors import rest_body, told
from iam.api.limits import check_words
from iam.api.methods import Exchange, answer, method, reading, registered
from iam.kernel.errors import InvalidInput, Refusal, TooLarge

log = logging.getLogger(__name__)
VERBS = ("get", "post", "put", "patch", "delete")
DEEPEST = 60


@dataclass(frozen=True)
class Route:
    """One verb and path of a method."""

    verb: str
    path: str
    body: str
    method: str
    alias: Alias | None = None

    @property
    def pattern(self) -> str:
        """The path as a regular expression; literal parts win by order, see `routes`."""
        return (
            "^"
            + re.sub(
                r"\{(\w+)(=\*\*)?\}",
                _variable,
                re.escape(self.path).replace(r"\{", "{").replace(r"\}", "}").replace(r"=\*\*", "=**"),
            ).lstrip("/")
            + "$"
        )


def _variable(found: "re.Match[str]") -> str:
    return f"(?P<{found[1]}>{'.+' if found[2] else '[^/:]+'})"


@cache
def routes() -> tuple[Route, ...]:
    """Every REST route of every method, literal paths before variable ones."""
    found = [route for name in registered() for route in _routes(name)]
    found += [
        Route(alias.verb, alias.path, "*", alias.method, alias) for alias in ALIASES if alias.method in registered()
    ]
    return tuple(sorted(found, key=lambda route: (_rank(route.path), route.path, route.alias is None)))


def _rank(path: str) -> list[int]:
    return [1 if "{" in part else 0 for part in path.split("/")]


def _routes(name: str) -> Iterable[Route]:
    rule = descriptors.method(name).GetOptions().Extensions[annotations_pb2.http]
    for one in (rule, *rule.additional_bindings):
        verb = one.WhichOneof("pattern")
        if verb:
            yield Route(verb, getattr(one, verb), one.body, name)


def rest_urls() -> list[URLPattern]:
    """One view per path, with a handler per verb."""
    by_path: dict[str, list[Route]] = {}
    for route in routes():
        by_path.setdefault(route.pattern, []).append(route)
    return [re_path(pattern, view_of(found)) for pattern, found in by_path.items()]


class _JsonView(APIView):
    """Answers JSON, whatever the client would rather have, in every case."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[JSONRenderer, str]:
        """There is one form."""
        return JSONRenderer(), "application/json"

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The path has other verbs (RFC 9110 §15.5.6)."""
        response = _json({"code": 12, "message": "Method Not Allowed"}, 405)
        response.headers["Allow"] = ", ".join(self.allowed_methods)
        return response


def view_of(found: list[Route]) -> Any:
    """The view of a path; the first route of a verb answers it."""
    handlers = {}
    for route in reversed(found):
        handlers[route.verb] = _answering(route)
    kind = type("ApiRoute", (_JsonView,), {**handlers, "routes": found, "schema": None})
    return kind.as_view()  # type: ignore[attr-defined]


def _answering(route: Route) -> Any:
    def answer_request(self: APIView, request: Request, **path: str) -> HttpResponse:
        exchange = Exchange(meta_of(request._request), takes_key=route.verb == "post")
        try:
            rates.enter(exchange.meta)  # before the body is looked at
            exchange.condition = _condition(route, exchange.meta, path)
            response = answer(route.method, parsed(route, request, path), exchange)
        except Refusal as refusal:
            return _with(refused(refusal), exchange)
        except Exception as error:
            log.exception("%s failed", route.method)
            return refused(error)
        return _with(_succeeded(route, response, exchange.meta), exchange)

    return answer_request


def _condition(route: Route, meta: RequestMeta, path: Mapping[str, str]) -> versions.Condition | None:
    """What If-Match says; raises InvalidInput on a route without a resource that it could be about."""
    header = meta.headers.get(versions.IF_MATCH)
    if header is None or route.verb == "get":
        return None
    resource = resource_of(route.path)
    if resource is None:
        raise InvalidInput("api.if_match_unsupported")
    message = method(resource.method).request()
    here = dict(zip(_variables(resource.path), (path[name] for name in _variables(route.path)), strict=False))
    for name, value in here.items():
        setattr(message, name, value)
    return versions.Condition(header, reading(resource.method, message), resource.path, here)


@cache
def resource_of(path: str) -> Route | None:
    """The resource that a path addresses or lies below: the GET route with the longest path."""
    addressed = f"{_address(path)}/"
    found = [
        one
        for one in routes()
        if versions.is_resource(one.verb, one.path) and addressed.startswith(f"{_address(one.path)}/")
    ]
    return max(found, key=lambda one: len(one.path), default=None)


def _address(path: str) -> str:
    """A path without the names of its variables; a person is a user under another spelling of the address."""
    return re.sub(r"\{\w+\}", "{}", path.replace("/users/human/{", "/users/{"))


def _variables(path: str) -> list[str]:
    return re.findall(r"\{(\w+)", path)


def _succeeded(route: Route, message: Message, meta: RequestMeta) -> HttpResponse:
    """The answer; of a single resource with its tag, and 304 for who has it already (RFC 9110 §15.4.5)."""
    response = _json(json_format.MessageToDict(message), method(route.method).success)
    if versions.is_resource(route.verb, route.path):
        tag = versions.tag_of(message)
        if versions.is_known(tag, meta.headers.get(versions.IF_NONE_MATCH, "")):
            response = HttpResponse(status=304)
        response.headers["ETag"] = tag
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["Vary"] = "Authorization, X-Zitadel-Orgid"
    return response


def _with(response: HttpResponse, exchange: Exchange) -> HttpResponse:
    for name, value in exchange.headers.items():
        response.headers[name] = value
    return response


def parsed(route: Route, request: Request, path: dict[str, str]) -> Message:
    """The request message: body, then query, then path. Raises InvalidInput."""
    message = method(route.method).request()
    content = _body(request._request) if route.body else {}
    if route.body not in ("", "*"):
        content = {route.body: content}
    for name, values in request.query_params.lists():
        if not route.body:
            _place(content, message.DESCRIPTOR, name, values)
    if route.alias:
        content = rewritten(route.alias, content)
    check_words(content, message.DESCRIPTOR)
    try:
        json_format.ParseDict(content, message, ignore_unknown_fields=True, max_recursion_depth=DEEPEST)
        for name, value in path.items():
            setattr(message, (route.alias.names.get(name, name) if route.alias else name), value)
    except (json_format.ParseError, ValueError, TypeError, AttributeError) as wrong:
        raise InvalidInput("api.body_invalid", reason=str(wrong)[:300]) from wrong
    return message


def _body(request: Any) -> Any:
    try:
        raw = request.body
    except RequestDataTooBig as large:
        raise TooLarge("api.body_too_large") from large
    if not raw.strip():
        return {}
    content = content_of(raw)
    if not isinstance(content, dict):
        raise InvalidInput("api.body_invalid", reason="expected an object")
    return content


def _place(content: dict[str, Any], described: Any, name: str, values: list[str]) -> None:
    """Put a query parameter where it belongs; a list that is named once is a list of one."""
    *steps, last = name.split(".")
    for step in steps:
        field = _named(described, step)
        content = content.setdefault(step, {})
        if field is None or field.message_type is None or not isinstance(content, dict):
            return
        described = field.message_type
    field = _named(described, last)
    content[last] = values if len(values) > 1 or (field is not None and field.is_repeated) else values[0]


def _named(described: Any, name: str) -> Any:
    return next((field for field in described.fields if name in (field.name, field.json_name)), None)


def refused(error: Exception) -> HttpResponse:
    """An error in REST's form."""
    answer = told(error)
    response = _json(rest_body(answer), answer.kind.http)
    if retry := getattr(error, "retry_after", None):
        response.headers["Retry-After"] = str(max(1, math.ceil(retry.total_seconds())))
    if answer.kind.http == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _json(content: Any, status: int) -> HttpResponse:
    response = HttpResponse(json.dumps(content), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def unknown_route(request: Any) -> HttpResponse:
    """A path of the API that no method has."""
    return _json({"code": 5, "message": "Not Found"}, 404)


unknown_route.csrf_exempt = True  # type: ignore[attr-defined] - the API takes no cookies
