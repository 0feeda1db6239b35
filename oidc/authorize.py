"""The authorization endpoint as a list of checks; nothing redirects before the redirect URI has passed."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from iam.access.caller import context_of_nobody, instance_of
from iam.access.http import meta_of
from iam.api import failure_page
from iam.kernel.context import Context
from iam.kernel.errors import NotFound, ResourceExhausted
from oidc import login_door, waiting
from oidc.addresses import see_other, with_query
from oidc.admission import must_be_reasonable
from oidc.clients import Client
from oidc.errors import OAuthError, ShownError
from oidc.issuers import is_issuer
from oidc.jose import BadTokenError, read, verify
from oidc.models import AuthRequest
from oidc.registry import find_client
from oidc.role_scopes import with_roles
from oidc.scopes import Scopes, known
from oidc.web_keys import verifying_key

log = logging.getLogger(__name__)

LIFETIME = timedelta(hours=1)
PROMPTS = {"none", "login", "select_account", "create", "consent"}
LONGEST = 4096
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
LOGIN = "/ui/v2/login/login?authRequest="
LOGIN_CLIENT = "x-zitadel-login-client"
MOST_ID = 200


@dataclass(frozen=True)
class Asked:
    """What a request asks for, filled in check by check."""

    sent: Mapping[str, str]
    client: Client = field(default_factory=lambda: Client(""))
    redirect_uri: str = ""
    scopes: tuple[str, ...] = ()
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    hint_user_id: str = ""


Check = Callable[[Context, Asked], Asked]


def known_client(ctx: Context, asked: Asked) -> Asked:
    """RFC 6749 §4.1.2.1: an unknown client is shown, never redirected."""
    client = find_client(ctx.instance, asked.sent.get("client_id", ""))
    if client is None or client.kind != "oidc":
        raise ShownError("client_unknown", asked=asked.sent.get("client_id", "")[:200])
    return replace(asked, client=client)


def registered_redirect_uri(ctx: Context, asked: Asked) -> Asked:
    """RFC 9700 §2.1: equal to a registered one, character by character."""
    uri = asked.sent.get("redirect_uri", "")
    if not uri:
        raise ShownError("redirect_uri_missing")
    if not asked.client.registered(uri):
        log.info("client %s asked for %.200r; it registered %s", asked.client.id, uri, asked.client.redirect_uris)
        raise ShownError("redirect_uri_mismatch", asked=uri[:1000])
    if weakness := asked.client.weakness_of(uri):
        log.info("client %s asked for %.200r: %s", asked.client.id, uri, weakness)
        raise ShownError("redirect_uri_insecure", asked=uri[:1000])
    return replace(asked, redirect_uri=uri)


def supported_response(ctx: Context, asked: Asked) -> Asked:
    """RFC 6749 §3.1.1, §4.1.2.1: only the code flow, and only where the client registered it."""
    wanted = asked.sent.get("response_type", "")
    if not wanted:
        raise OAuthError("invalid_request", "response_type is missing")
    if wanted != "code":
        raise OAuthError("unsupported_response_type", "only code is supported")
    if "code" not in asked.client.response_types or "authorization_code" not in asked.client.grant_types:
        raise OAuthError("unauthorized_client", "this client did not register the code flow")
    return asked


def no_foreign_parameters(ctx: Context, asked: Asked) -> Asked:
    """OpenID Connect Core §3.1.2.6: what is not offered is refused, never passed over."""
    for name in ("request", "request_uri", "registration"):
        if name in asked.sent:
            raise OAuthError(f"{name}_not_supported")
    return asked


def sizes(ctx: Context, asked: Asked) -> Asked:
    """Nothing longer than a reasonable address (checklist R19)."""
    for name in ("state", "nonce", "login_hint", "ui_locales"):
        value = asked.sent.get(name, "")
        if len(value) > 2 * LONGEST or "\0" in value:
            raise OAuthError("invalid_request", f"{name} is too long or malformed")
    return asked


def answerable_scopes(ctx: Context, asked: Asked) -> Asked:
    """RFC 6749 §3.3: some scope; unknown ones are dropped, what they name has to be there.

    Without `openid` the flow is plain OAuth and yields no ID token.
    """
    if not asked.sent.get("scope", "").split():
        raise OAuthError("invalid_scope", "the scope is missing")
    scopes = known(asked.sent["scope"])
    must_be_reasonable(ctx, Scopes(scopes))
    return replace(asked, scopes=scopes)


def proof_of_possession(ctx: Context, asked: Asked) -> Asked:
    """RFC 7636 §4.3: S256 only; a public client must use it (checklist C03)."""
    challenge, method = asked.sent.get("code_challenge", ""), asked.sent.get("code_challenge_method", "")
    if not challenge:
        if asked.client.is_public:
            raise OAuthError("invalid_request", "a public client needs a code_challenge")
        return asked
    if method != "S256":
        raise OAuthError("invalid_request", "code_challenge_method must be S256")
    if not CHALLENGE.fullmatch(challenge):
        raise OAuthError("invalid_request", "code_challenge is not a SHA-256 in base64url")
    return asked


def sensible_prompt(ctx: Context, asked: Asked) -> Asked:
    """OpenID Connect Core §3.1.2.1: `none` alone, unknown words are passed over; max_age a whole number."""
    words = asked.sent.get("prompt", "").split()
    if "none" in words and len(words) > 1:
        raise OAuthError("invalid_request", "prompt has none together with another")
    prompt = tuple(dict.fromkeys(word for word in words if word in PROMPTS))
    age = asked.sent.get("max_age", "")
    if age and not (age.isdecimal() and len(age) < 10):
        raise OAuthError("invalid_request", "max_age must be a number of seconds")
    return replace(asked, prompt=prompt, max_age=int(age) if age else None)


def believable_hint(ctx: Context, asked: Asked) -> Asked:
    """An id_token_hint must be ours; an expired one is fine (OpenID Connect Core §3.1.2.1)."""
    hint = asked.sent.get("id_token_hint", "")
    if not hint:
        return asked
    claims = hinted(ctx, hint)
    if claims is None:
        raise OAuthError("invalid_request", "id_token_hint was not issued here")
    return replace(asked, hint_user_id=str(claims.get("sub", "")))


CHECKS: tuple[Check, ...] = (
    known_client,
    registered_redirect_uri,
    supported_response,
    no_foreign_parameters,
    sizes,
    answerable_scopes,
    proof_of_possession,
    sensible_prompt,
    believable_hint,
)


def hinted(ctx: Context, token: str) -> Mapping[str, Any] | None:
    """The claims of an ID token of ours whose signature holds, expired or not; else None."""
    try:
        read(token)
        claims = verify(token, lambda kid: verifying_key(ctx.instance, kid), types=("jwt",))
    except BadTokenError:
        return None
    return claims if is_issuer(ctx.instance, ctx.base_url, str(claims.get("iss", ""))) else None


@csrf_exempt
def authorize(request: HttpRequest) -> HttpResponse:
    """/oauth/v2/authorize."""
    if request.method not in ("GET", "POST"):
        return HttpResponse(status=405, headers={"Allow": "GET, POST"})
    meta = meta_of(request)
    try:
        ctx = context_of_nobody(meta, instance_of(meta.host))
        return _answer(ctx, request)
    except (ShownError, NotFound) as shown:
        return login_door.error_page(request, shown)
    except ResourceExhausted as full:
        return failure_page.wait_page(request, full.retry_after)


def _answer(ctx: Context, request: HttpRequest) -> HttpResponse:
    asked = Asked(_sent(request))
    try:
        for check in CHECKS:
            asked = check(ctx, asked)
        made = request_of(ctx, asked, request.headers.get(LOGIN_CLIENT, ""))
        session_id = login_door.silent_session(ctx, request, made)
    except OAuthError as refused:
        if not refused.kind.redirects or not asked.redirect_uri:
            raise ShownError("refused", asked=refused.description) from refused
        return see_other(error_url(ctx, asked.redirect_uri, asked.sent.get("state", ""), refused))
    if session_id:
        made.save(force_insert=True)  # over at once, so it needs no room
        return see_other(login_door.finish(ctx, made.id, session_id))
    if "none" in asked.prompt:
        refused = OAuthError("login_required", "nobody is signed in")
        return see_other(error_url(ctx, asked.redirect_uri, asked.sent.get("state", ""), refused))
    made.source = waiting.require_room(ctx, browser=login_door.known_browser(request, ctx.instance))
    made.save(force_insert=True)
    response = see_other(LOGIN + made.id)
    login_door.bind(request, response, made.id)
    return response


def _sent(request: HttpRequest) -> Mapping[str, str]:
    """The parameters; raises ShownError when one is sent twice (RFC 6749 §3.1, checklist R08)."""
    values = request.POST if request.method == "POST" else request.GET
    for name, all_of_it in values.lists():
        if len(all_of_it) > 1:
            raise ShownError("parameter_twice", asked=name[:60])
    return {name: value for name, value in values.items() if isinstance(value, str) and value}


def request_of(ctx: Context, asked: Asked, login_client_id: str = "") -> AuthRequest:
    """The request as it waits until a person has answered, an hour at most; not stored yet.

    `login_client_id`: the user that serves the login pages and passed the request on, as it says of itself.
    """
    now = ctx.now()
    return AuthRequest(
        instance_id=ctx.instance,
        id=f"V2_{ctx.ports.new_id()}",
        issuer=ctx.base_url,
        client_id=asked.client.id,
        app_id=asked.client.app_id,
        redirect_uri=asked.redirect_uri,
        response_type="code",
        response_mode="query",
        scopes=list(with_roles(ctx, asked.client, asked.scopes)),
        state=asked.sent.get("state", ""),
        nonce=asked.sent.get("nonce", ""),
        prompt=list(asked.prompt),
        max_age=asked.max_age,
        login_hint=asked.sent.get("login_hint", "")[:500],
        hint_user_id=asked.hint_user_id,
        ui_locales=asked.sent.get("ui_locales", "").split()[:10],
        code_challenge=asked.sent.get("code_challenge", ""),
        login_client_id=login_client_id.strip()[:MOST_ID],
        created_at=now,
        expires_at=now + LIFETIME,
    )


def error_url(ctx: Context, redirect_uri: str, state: str, refused: OAuthError) -> str:
    """The client's address with the error, its state and the issuer (RFC 6749 §4.1.2.1, RFC 9207)."""
    return with_query(redirect_uri, {**refused.answer(), **({"state": state} if state else {}), "iss": ctx.base_url})
