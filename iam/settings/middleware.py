"""Every answer's frame: request id, what is observed of it, security headers, the public origin."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from iam.access.catalog import text_of
from iam.access.hosts import host_asked, origin_of
from iam.api.failure_page import error_page
from iam.cache import epochs
from iam.kernel.errors import InvalidInput
from iam.observe import requests
from iam.observe.requests import Served
from iam.settings.guards import ANCESTOR, HEADERS, TRANSPORT, page_policy

OF_API = re.compile(r"/(?:v2|v2beta|management|admin|auth|system|assets)/")
NAMED_GROUP = re.compile(r"\(\?P<(\w+)>[^()]*(?:\([^()]*\)[^()]*)*\)")
WIRES = (
    (re.compile(r"(?:v2|v2beta|management|admin|auth|system)/"), "rest"),
    (re.compile(r"(?:oauth|oidc|\.well-known)/"), "oidc"),
    (re.compile(r"ui/console"), "console"),
    (re.compile(r"(?:ui/)?(?:v2/)?login|ui/"), "login"),
)


def request_frame(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give each request an id and each answer its security headers (checklist H09).

    A page that must post on to a client's address names the origin in `response.form_targets`; one that may be shown
    in a frame names who may show it in `response.frame_ancestors`.
    """

    def framed(request: HttpRequest) -> HttpResponse:
        request.request_id = requests.request_id_of(request.headers.get("X-Request-Id", ""))  # type: ignore[attr-defined]
        if settings.CONFIG.ExternalSecure:
            request.META["wsgi.url_scheme"] = "https"
        response = _observed(request, at_its_host(with_head(answer)))
        ancestors = getattr(response, "frame_ancestors", ())
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if any(map(ANCESTOR.fullmatch, ancestors)):
            del response.headers["X-Frame-Options"]  # cannot name origins; the policy below does
        policy = page_policy(getattr(response, "form_targets", ()), ancestors)
        response.headers.setdefault("Content-Security-Policy", policy)
        if settings.CONFIG.ExternalSecure:
            response.headers.setdefault(*TRANSPORT)
        response.headers["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response

    return framed


def at_its_host(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Let what follows see one host: the name that was asked for, with the port of the configuration (checklist H01)."""

    def addressed(request: HttpRequest) -> HttpResponse:
        try:
            host = origin_of(host_asked(request.headers, request.META.get("REMOTE_ADDR", ""))).partition("://")[2]
        except InvalidInput as wrong:
            return HttpResponse(text_of(wrong.code), status=400, content_type="text/plain")
        request.META["HTTP_HOST"] = host
        return answer(request)

    return addressed


def with_head(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer HEAD with the headers of GET (RFC 9110 §9.3.2), whatever a view says of its verbs."""

    def without_body(request: HttpRequest) -> HttpResponse:
        if request.method != "HEAD":
            return answer(request)
        request.method = "GET"
        try:
            response = answer(request)
        finally:
            request.method = "HEAD"
        if response.streaming:
            response.streaming_content = ()  # type: ignore[attr-defined]
        else:
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response

    return without_body


def _observed(request: HttpRequest, answer: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    """Answer inside the frame of `iam.observe`; what is told of a request is its route, never its path."""
    served = Served(request.request_id, request.method or "")  # type: ignore[attr-defined]
    trusted = settings.CONFIG.Instrumentation.Trace.TrustRemoteSpans
    with requests.serving(served, request.headers.get("Traceparent", ""), trusted=trusted), epochs.noted():
        response = answer(request)
        served.route = route_of(request)
        served.wire = next((wire for start, wire in WIRES if start.match(served.route[1:])), "web")
        served.status = str(response.status_code)
        served.outcome = requests.outcome_of(response.status_code)
    return response


def route_of(request: HttpRequest) -> str:
    """The template of the address, `/v2/users/{user_id}`; addresses that nothing answers are all one."""
    found = request.resolver_match
    if found is None:
        return "/static" if request.path.startswith(settings.STATIC_URL) else requests.NO_ROUTE
    if (found.url_name or "").startswith("/"):
        return str(found.url_name)  # a route of the API bears its template as its name
    words = NAMED_GROUP.sub(r"{\1}", found.route).replace("\\", "").replace("^", "").removesuffix("$")
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", words)


def whole_texts(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse a NUL in the address or the form of a page or endpoint: no text of ours holds one, and the database none at all.

    Messages of the API have limits of their own (`iam.api.limits`); uploads are read by who may send them.
    """

    def checked(request: HttpRequest) -> HttpResponse:
        if OF_API.match(request.path_info) or not _has_zero(request):
            return answer(request)
        if request.path_info.startswith("/ui/") or "text/html" in request.headers.get("Accept", ""):
            return error_page(request, status=400, reason="page_unknown")
        told = {"error": "invalid_request", "error_description": "NUL is no part of a parameter"}
        return JsonResponse(told, status=400, headers={"Cache-Control": "no-store"})

    return checked


def _has_zero(request: HttpRequest) -> bool:
    is_form = request.method == "POST" and request.content_type == "application/x-www-form-urlencoded"
    sent = [request.GET, request.POST] if is_form else [request.GET]
    texts = (text for values in sent for name, all_of_it in values.lists() for text in (name, *all_of_it))
    return "\0" in request.path_info or any("\0" in text for text in texts)
