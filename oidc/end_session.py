"""Signing out at the client's wish (OpenID Connect RP-Initiated Logout 1.0)."""

import logging
from urllib.parse import urlencode

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from iam.access.caller import context_of_nobody, instance_of
from iam.access.http import meta_of
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from oidc.addresses import see_other, with_query
from oidc.authorize import hinted
from oidc.errors import ShownError
from oidc.login_door import browser_sessions, error_page, sessions_to_end
from oidc.registry import find_client
from users.commands.sessions import terminate_session

log = logging.getLogger(__name__)

END_SESSION = "/oidc/v1/end_session"
LOGOUT = "/ui/v2/login/logout"
SIGNED_OUT = "/ui/v2/login/signedout"
SALT = "oidc.end_session"
AGAIN_SALT = "oidc.end_session.again"
QUESTION_SECONDS = 3600
AGAIN_SECONDS = 60


@csrf_exempt
def end_session(request: HttpRequest) -> HttpResponse:
    """/oidc/v1/end_session. Without a valid hint a person who is signed in is asked first (checklist R13, R14)."""
    values = request.POST if request.method == "POST" else request.GET
    meta = meta_of(request)
    try:
        ctx = context_of_nobody(meta, instance_of(meta.host))
        target, known = _came_again(ctx, request) or _target(ctx, {name: str(value) for name, value in values.items()})
    except (ShownError, NotFound) as shown:
        return error_page(request, shown)
    if _is_posted_from_elsewhere(ctx, request):
        return see_other(_again(ctx, target, known))
    if not known:
        return _ask(ctx, request, target)
    for row in sessions_to_end(request, ctx.instance):
        if known & {row.id, row.user_id}:
            terminate_session(ctx, session_id=row.id)
    return see_other(target or SIGNED_OUT)


def _is_posted_from_elsewhere(ctx: Context, request: HttpRequest) -> bool:
    """Whether a form of another site brought the browser here: it keeps its cookies back then (SameSite=Lax)."""
    origin = request.headers.get("Origin", ctx.base_url)
    return request.method == "POST" and origin != ctx.base_url and not sessions_to_end(request, ctx.instance)


def _again(ctx: Context, target: str, known: set[str]) -> str:
    """This endpoint, with what was found out, for the browser to come again with its cookies (RP-Initiated Logout §2)."""
    checked = signing.dumps([ctx.instance, target, sorted(known)], salt=AGAIN_SALT)
    return f"{END_SESSION}?{urlencode({'checked': checked})}"


def _came_again(ctx: Context, request: HttpRequest) -> tuple[str, set[str]] | None:
    """What an earlier request found out; None for any other."""
    try:
        of, target, known = signing.loads(request.GET.get("checked", ""), salt=AGAIN_SALT, max_age=AGAIN_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    return (str(target), set(known)) if of == ctx.instance else None


def _ask(ctx: Context, request: HttpRequest, target: str) -> HttpResponse:
    """To the page that asks; when nobody is signed in there is nothing to ask."""
    if not target:
        return see_other(LOGOUT)
    if not browser_sessions(request, ctx.instance):
        return see_other(target)
    return see_other(f"{LOGOUT}?{urlencode({'then': signing.dumps([ctx.instance, target], salt=SALT)})}")


def checked_target(instance: str, signed: str) -> str:
    """The address that a checked request said to go on to; empty for anything else (checklist R13, R15)."""
    try:
        of, target = signing.loads(signed, salt=SALT, max_age=QUESTION_SECONDS)
    except (signing.BadSignature, ValueError):
        return ""
    return str(target) if of == instance else ""


def _target(ctx: Context, sent: dict[str, str]) -> tuple[str, set[str]]:
    """(where to go afterwards, session and person that the hint names); raises ShownError for an unregistered address.

    Nowhere after a hint that is none: what else came with it is not believed either (RP-Initiated Logout §4).
    """
    claims = hinted(ctx, sent.get("id_token_hint", "")) if sent.get("id_token_hint") else None
    by_hint = str(claims.get("azp", "")) if claims else ""
    client_id = sent.get("client_id", "") or by_hint
    uri = sent.get("post_logout_redirect_uri", "")
    known = {str(claims[name]) for name in ("sid", "sub") if claims.get(name)} if claims else set()
    if not uri or not client_id:
        return "", known
    client = find_client(ctx.instance, client_id)
    registered = client.post_logout_redirect_uris if client else ()
    if client is None or (by_hint and by_hint != client_id) or uri not in registered or client.weakness_of(uri):
        log.info("client %.200r asked to go on to %.200r; it registered %s", client_id, uri, registered)
        raise ShownError("post_logout_redirect_uri_mismatch", asked=uri[:1000])
    if claims is None and sent.get("id_token_hint"):
        return "", known
    return with_query(uri, {"state": sent["state"]}) if sent.get("state") else uri, known
