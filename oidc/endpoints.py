"""The endpoints that programs call: discovery, keys, token, devices, introspection, userinfo, revocation."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt

from iam.access.caller import context_of_nobody, instance_of
from iam.access.http import meta_of
from iam.api import rates
from iam.kernel.context import Context
from iam.kernel.errors import NotFound, ResourceExhausted
from oidc import counting, device_start, devices, discovery, families, introspection
from oidc.client_auth import authenticated_client
from oidc.clients import Client
from oidc.cors import with_cors
from oidc.errors import OAuthError, TokenMissingError
from oidc.grants import code, device, refresh, service
from oidc.tokens import Order, issue
from oidc.web_keys import published

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
OF_CLIENTS: Mapping[str, Callable[[Context, Client, Mapping[str, str]], Order]] = {
    "authorization_code": code.order,
    "refresh_token": refresh.order,
    devices.GRANT: device.order,
}
"""Grants of an application that authenticates as it is registered, and registered the grant."""
MOST_FORM = 1_000_000
Endpoint = Callable[[Context, HttpRequest], tuple[Any, int]]


def endpoint(*verbs: str, open_to_any: bool = False) -> Callable[[Endpoint], Callable[[HttpRequest], HttpResponse]]:
    """Give an endpoint its Context, CORS and error answers; `open_to_any` answers scripts of every origin."""

    def wrap(answer: Endpoint) -> Callable[[HttpRequest], HttpResponse]:
        @csrf_exempt
        @with_cors(open_to_any=open_to_any)
        def view(request: HttpRequest) -> HttpResponse:
            if request.method not in verbs:
                return HttpResponse(status=405, headers={"Allow": ", ".join(verbs)})
            meta = meta_of(request)
            try:
                if not open_to_any:
                    counting.enter(request, meta)
                content, status = answer(context_of_nobody(meta, instance_of(meta.host)), request)
            except OAuthError as refused:
                counting.count_refusal(request, meta, refused)
                return _refused(refused)
            except ResourceExhausted as wait:
                return _told_to_wait(wait)
            except NotFound as unknown:
                return _json({"error": "invalid_request", "error_description": f"unknown host {unknown.reason}"}, 404)
            return _json(content, status)

        return view

    return wrap


def _told_to_wait(wait: ResourceExhausted) -> HttpResponse:
    """429: OAuth has no word of its own for it at these endpoints."""
    told = OAuthError("temporarily_unavailable", "too many requests; wait before the next one").answer()
    response = _json(told, 429)
    response.headers["Retry-After"] = str(max(1, math.ceil(wait.retry_after.total_seconds())))
    return response


def _refused(refused: OAuthError) -> HttpResponse:
    response = _json(refused.answer(), refused.kind.status)
    if challenge := _challenge(refused):
        response.headers["WWW-Authenticate"] = challenge
    return response


def _challenge(refused: OAuthError) -> str:
    """How to come again (RFC 6749 §5.2, RFC 6750 §3)."""
    if isinstance(refused, TokenMissingError):
        return "Bearer"
    match refused.error:
        case "invalid_client":
            return "Basic"
        case "invalid_token":
            return 'Bearer error="invalid_token"'
        case "insufficient_scope":
            return 'Bearer error="insufficient_scope", scope="openid"'
    return ""


def _json(content: Any, status: int) -> HttpResponse:
    body = json.dumps(content) if content is not None else ""
    response = HttpResponse(body, status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


def form_of(request: HttpRequest) -> Mapping[str, str]:
    """The form of a POST; raises OAuthError for a parameter sent twice or in the query (RFC 6749 §3.2, C08, D01)."""
    if "application/x-www-form-urlencoded" not in (request.content_type or ""):
        raise OAuthError("invalid_request", "expected application/x-www-form-urlencoded")
    for name, values in _posted(request).lists():
        if len(values) > 1:
            raise OAuthError("invalid_request", f"{name[:40]} was sent more than once" if name.isidentifier() else "")
    for secret in ("client_secret", "token", "refresh_token", "code", "access_token", "device_code"):
        if secret in request.GET:
            raise OAuthError("invalid_request", f"{secret} does not belong into the address")
    return {name: value for name, value in request.POST.items() if isinstance(value, str)}


def _posted(request: HttpRequest) -> QueryDict:
    try:
        return request.POST
    except (TooManyFieldsSent, RequestDataTooBig, BadRequest) as wrong:
        raise OAuthError("invalid_request", "the form cannot be read") from wrong


@endpoint("GET", open_to_any=True)
def configuration(ctx: Context, request: HttpRequest) -> tuple[Any, int]:
    """/.well-known/openid-configuration."""
    return discovery.document(ctx), 200


@csrf_exempt
def keys(request: HttpRequest) -> HttpResponse:
    """/oauth/v2/keys, cached by clients for five minutes."""
    response = _keys(request)
    if response.status_code == 200:
        response.headers["Cache-Control"] = "max-age=300, must-revalidate"
        del response.headers["Pragma"]
    return response


@endpoint("GET", open_to_any=True)
def _keys(ctx: Context, request: HttpRequest) -> tuple[Any, int]:
    return {"keys": published(ctx.instance)}, 200


@endpoint("POST")
def token(ctx: Context, request: HttpRequest) -> tuple[Any, int]:
    """/oauth/v2/token."""
    order = _order(ctx, request, form_of(request))
    try:
        return issue(ctx, order), 200
    except families.ReusedError as reused:
        families.revoke_family(ctx, reused.family_id, reason=reused.reason)
        raise


NEEDED = {
    "authorization_code": "code",
    "refresh_token": "refresh_token",
    devices.GRANT: "device_code",
    JWT_BEARER: "assertion",
}
"""What a grant cannot do without (RFC 6749 §4.1.3, §6; RFC 8628 §3.4; RFC 7523 §2.1)."""


def _order(ctx: Context, request: HttpRequest, form: Mapping[str, str]) -> Order:
    _must_have(form, NEEDED.get(form.get("grant_type", ""), ""))
    match form.get("grant_type", ""):
        case "client_credentials":
            made = service.by_secret(ctx, form, request.headers.get("Authorization", ""))
            counting.note_proved(request)
            return made
        case grant if grant == JWT_BEARER:
            return service.by_assertion(ctx, form)
        case grant if ordered := OF_CLIENTS.get(grant):
            return ordered(ctx, _client_with(ctx, grant, request, form), form)
        case "":
            raise OAuthError("invalid_request", "grant_type is missing")
    raise OAuthError("unsupported_grant_type")


def _must_have(form: Mapping[str, str], name: str) -> None:
    """A parameter sent without a value counts as left out (RFC 6749 §3.2); raises OAuthError invalid_request."""
    if name and not form.get(name):
        raise OAuthError("invalid_request", f"{name} is missing")


def _client_of(ctx: Context, request: HttpRequest, form: Mapping[str, str], *, public: bool = True) -> Client:
    """The application that calls; raises OAuthError invalid_client."""
    client = authenticated_client(ctx, form, request.headers.get("Authorization", ""), public=public)
    if not client.is_public:
        counting.note_proved(request)
    return client


def _client_with(ctx: Context, grant: str, request: HttpRequest, form: Mapping[str, str]) -> Client:
    """The application that calls and registered a grant; raises OAuthError invalid_client, unauthorized_client."""
    client = _client_of(ctx, request, form)
    if grant not in client.grant_types:
        raise OAuthError("unauthorized_client", f"this client may not use {grant}")
    return client


@endpoint("POST")
def device_authorization(ctx: Context, request: HttpRequest) -> tuple[Any, int]:
    """/oauth/v2/device_authorization (RFC 8628 §3.1). Each one makes a row: counted on its address, good or not (N08)."""
    form = form_of(request)
    client = _client_with(ctx, devices.GRANT, request, form)
    rates.count_nobody(meta_of(request))
    return device_start.start(ctx, client, form.get("scope", "")), 200


@endpoint("POST")
def introspect(ctx: Context, request: HttpRequest) -> tuple[Any, int]:
    """/oauth/v2/introspect (RFC 7662)."""
    form = form_of(request)
    client = _client_of(ctx, request, form, public=False)
    _must_have(form, "token")
    return introspection.introspect(ctx, client, form["token"]), 200


@endpoint("GET", "POST")
def userinfo(ctx: Context, request: HttpRequest) -> tuple[Any, int]:
    """/oidc/v1/userinfo (OpenID Connect Core §5.3)."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    in_form = _posted(request).get("access_token", "") if request.method == "POST" else ""
    if "access_token" in request.GET or (given and in_form):
        raise OAuthError("invalid_request", "send the token once, in the header")
    if scheme and scheme.lower() != "bearer":
        raise OAuthError("invalid_token", "expected a bearer token")
    token = (given or in_form).strip()
    if not token:
        raise TokenMissingError
    return introspection.userinfo(ctx, token), 200


@endpoint("POST")
def revoke(ctx: Context, request: HttpRequest) -> tuple[Any, int]:
    """/oauth/v2/revoke (RFC 7009): 200 for an unknown token, too; another client's is left alone (checklist D08)."""
    form = form_of(request)
    client = _client_of(ctx, request, form)
    _must_have(form, "token")
    row = introspection.find_any(ctx, form["token"])
    if row is None:
        return None, 200
    if row.app_id != client.app_id:
        raise OAuthError("invalid_client", "the token was not issued for this client")
    families.revoke_family(ctx, row.family_id, reason="revoked_by_client")
    return None, 200
