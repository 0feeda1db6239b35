"""REST: one APIView per route of the method table, proto JSON in and out."""

import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, re_path
from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.message import Message
from rest_framework.request import Request
from rest_framework.views import APIView

from eventstore import outage
from iam.access.http import meta_of
from iam.api import descriptors
from iam.api.aliases import ALIASES, Alias, rewritten
from iam.api.errors import AWAY_SECONDS, rest_body, told
from iam.api.limits import check_words
from iam.api.methods import invoke, method, registered
from iam.api.query import place
from iam.kernel.errors import InvalidInput, Refusal

log = logging.getLogger(__name__)
VERBS = ("get", "post", "put", "patch", "delete")
MOST_BYTES = 4 * 1024 * 1024
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
    there = registered()
    found = [route for name in there for route in _routes(name)]
    found += [Route(alias.verb, alias.path, "*", alias.method, alias) for alias in ALIASES if alias.method in there]
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


def view_of(found: list[Route]) -> Any:
    """The view of a path; the first route of a verb answers it."""
    handlers = {}
    for route in reversed(found):
        handlers[route.verb] = _answering(route)
    kind = type("ApiRoute", (APIView,), {**handlers, "routes": found, "schema": None})
    return kind.as_view()  # type: ignore[attr-defined]


def _answering(route: Route) -> Any:
    def answer(self: APIView, request: Request, **path: str) -> HttpResponse:
        try:
            message = parsed(route, request, path)
            response = invoke(route.method, message, meta_of(request._request))
        except Refusal as refusal:
            return refused(refusal)
        except Exception as error:
            if outage.is_outage(error):
                outage.note(error, route.method)
            else:
                log.exception("%s failed", route.method)
            return refused(error)
        return _json(json_format.MessageToDict(response), method(route.method).success)

    return answer


def parsed(route: Route, request: Request, path: dict[str, str]) -> Message:
    """The request message: body, then query, then path. Raises InvalidInput."""
    content = _body(request._request) if route.body else {}
    if route.body not in ("", "*"):
        content = {route.body: content}
    described = method(route.method).request.DESCRIPTOR
    for name, values in request.query_params.lists():
        if not route.body:
            place(content, described, name, values)
    if route.alias:
        content = rewritten(route.alias, content)
    message = method(route.method).request()
    check_words(content, message.DESCRIPTOR)
    try:
        json_format.ParseDict(content, message, ignore_unknown_fields=True, max_recursion_depth=DEEPEST)
        for name, value in path.items():
            setattr(message, (route.alias.names.get(name, name) if route.alias else name), value)
    except (json_format.ParseError, ValueError, TypeError, AttributeError) as wrong:
        raise InvalidInput("api.body_invalid", reason=str(wrong)[:300]) from wrong
    return message


def _body(request: Any) -> Any:
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        raise InvalidInput("api.body_too_large")
    raw = request.body
    if not raw.strip():
        return {}
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as wrong:
        raise InvalidInput("api.body_invalid", reason=str(wrong)[:200]) from wrong
    if not isinstance(content, dict):
        raise InvalidInput("api.body_invalid", reason="expected an object")
    return content


def refused(error: Exception) -> HttpResponse:
    """An error in REST's form."""
    answer = told(error)
    response = _json(rest_body(answer), answer.kind.http)
    if retry := getattr(error, "retry_after", None):
        response.headers["Retry-After"] = str(max(1, round(retry.total_seconds())))
    if answer.kind.http == 503:
        response.headers["Retry-After"] = str(AWAY_SECONDS)
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
