"""REST: one APIView per route of the method table, proto JSON in and out."""

import json
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from django.urls import URLPattern, re_path
from google.protobuf import json_format
from google.protobuf.message import Message
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from eventstore import outage
from iam.access.caller import RequestMeta
from iam.access.http import meta_of
from iam.api import rates, versions
from iam.api.aliases import rewritten
from iam.api.content import object_of
from iam.api.errors import AWAY_SECONDS, rest_body, told
from iam.api.limits import check_words
from iam.api.methods import Exchange, answer, method, reading
from iam.api.query import place
from iam.api.routes import Route, resources_of, routes, unbuilt, variables_of
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, Refusal, TooLarge, Unimplemented, UnsupportedCoding

log = logging.getLogger(__name__)
DEEPEST = 60
UNREADABLE = (json_format.ParseError, ValueError, TypeError, AttributeError)
"""What the parser of messages raises."""


def rest_urls() -> list[URLPattern]:
    """One view per path, with a handler per verb."""
    by_path: dict[str, list[Route]] = {}
    for route in routes():
        by_path.setdefault(route.pattern, []).append(route)
    return [re_path(pattern, view_of(found), name=found[0].path) for pattern, found in by_path.items()]


class _JsonView(APIView):
    """Answers JSON, whatever the client would rather have, in every case."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[JSONRenderer, str]:
        """There is one form."""
        return JSONRenderer(), "application/json"

    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Which verbs the path has (RFC 9110 §9.3.7); what a browser asks across origins is answered before (iam/api/cors.py)."""
        response = HttpResponse(status=204)
        response.headers["Allow"] = ", ".join(self.allowed_methods)
        return response

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The path has other verbs (RFC 9110 §15.5.6)."""
        if name := unbuilt(request.method or "", request.path_info):
            return refused(Unimplemented("api.unimplemented", reason=name))
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
    def answer_request(self: APIView, request: Request, **values: str) -> HttpResponse:
        path = route.named(values)
        exchange = Exchange(meta_of(request._request), takes_key=route.verb == "post")
        try:
            rates.enter(exchange.meta)  # before the body is looked at
            exchange.condition = _condition(route, exchange.meta, path)
            response = answer(route.method, parsed(route, request, path), exchange)
        except Refusal as refusal:
            return _with(refused(refusal), exchange)
        except Exception as error:
            if outage.is_outage(error):
                outage.note(error, route.method)
            else:
                log.exception("%s failed", route.method)
            return refused(error)
        return _with(_succeeded(route, response, exchange.meta), exchange)

    return answer_request


def _condition(route: Route, meta: RequestMeta, path: Mapping[str, str]) -> versions.Condition | None:
    """What If-Match says; raises InvalidInput on a route without a resource that it could be about."""
    header = meta.headers.get(versions.IF_MATCH)
    if header is None or route.verb == "get":
        return None
    resources = resources_of(route.path)
    if not resources or (home := versions.home_of(resources[0].path)) is None:
        raise InvalidInput("api.if_match_unsupported")
    values = [path[name] for name in variables_of(route.path)]
    addressed = [dict(zip(variables_of(one.path), values, strict=False)) for one in resources]
    reads = [_reading(one, there) for one, there in zip(resources, addressed, strict=True)]
    return versions.Condition(header, reads, home, addressed[0])


def _reading(resource: Route, addressed: Mapping[str, str]) -> Callable[[Context], Message]:
    message = method(resource.method).request()
    _address(message, addressed)
    return reading(resource.method, message)


def _succeeded(route: Route, message: Message, meta: RequestMeta) -> HttpResponse:
    """The answer; of a single resource with its tag, and 304 for who has it already (RFC 9110 §15.4.5)."""
    response = _json(json_format.MessageToDict(message), method(route.method).success)
    if versions.is_resource(route.verb, route.method):
        tag = versions.tag_of(message)
        if versions.is_known(tag, meta.headers.get(versions.IF_NONE_MATCH, "")):
            response = HttpResponse(status=304)
        response.headers["ETag"] = tag
        response.headers["Cache-Control"] = versions.caching(route.path)
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
            place(content, message.DESCRIPTOR, name, values)
    if route.alias:
        content = rewritten(route.alias, content)
    check_words(content, message.DESCRIPTOR)
    try:
        json_format.ParseDict(content, message, ignore_unknown_fields=True, max_recursion_depth=DEEPEST)
    except UNREADABLE as wrong:
        raise InvalidInput("api.body_invalid", reason=str(wrong)[:300]) from wrong
    names = route.alias.names if route.alias else {}
    _address(message, {names.get(name, name): value for name, value in path.items()})
    return message


def _address(message: Message, path: Mapping[str, str]) -> None:
    """Put what a path names into a message. Raises InvalidInput for what its field cannot hold."""
    addressed: dict[str, Any] = {}
    try:
        for name, value in path.items():
            place(addressed, message.DESCRIPTOR, name, [value])
        check_words(addressed, message.DESCRIPTOR)
        json_format.ParseDict(addressed, message)
    except UNREADABLE as wrong:
        raise InvalidInput("api.body_invalid", reason=str(wrong)[:300]) from wrong


def _body(request: Any) -> Any:
    if (coding := request.headers.get("Content-Encoding", "")).lower() not in ("", "identity"):
        raise UnsupportedCoding("api.body_coded", reason=coding[:50])
    try:
        raw = request.body
    except RequestDataTooBig as large:
        raise TooLarge("api.body_too_large") from large
    return object_of(raw) if raw.strip() else {}


def refused(error: Exception) -> HttpResponse:
    """An error in REST's form."""
    answer = told(error)
    response = _json(rest_body(answer), answer.kind.http)
    if retry := getattr(error, "retry_after", None):
        response.headers["Retry-After"] = str(max(1, math.ceil(retry.total_seconds())))
    elif answer.kind.http == 503:
        response.headers["Retry-After"] = str(AWAY_SECONDS)
    if answer.kind.http == 415:
        response.headers["Accept-Encoding"] = "identity"
    if answer.kind.http == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _json(content: Any, status: int) -> HttpResponse:
    response = HttpResponse(json.dumps(content), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def unknown_route(request: Any) -> HttpResponse:
    """A path of the API that no method has, or one that is not built."""
    if name := unbuilt(request.method, request.path_info):
        return refused(Unimplemented("api.unimplemented", reason=name))
    return _json({"code": 5, "message": "Not Found"}, 404)


unknown_route.csrf_exempt = True  # type: ignore[attr-defined] - the API takes no cookies
