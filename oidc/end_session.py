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

LOGOUT = "/ui/v2/login/logout"
SIGNED_OUT = "/ui/v2/login/signedout"
SALT = "oidc.end_session"
QUESTION_SECONDS = 3600


@csrf_exempt
def end_session(request: HttpRequest) -> HttpResponse:
    """/oidc/v1/end_session. Without a valid hint a person who is signed in is asked first (checklist R13, R14)."""
    values = request.POST if request.method == "POST" else request.GET
    meta = meta_of(request)
    try:
        ctx = context_of_nobody(meta, instance_of(meta.host))
        target, known = _target(ctx, {name: str(value) for name, value in values.items()})
    except (ShownError, NotFound) as shown:
        return error_page(request, shown)
    if not known:
        return _ask(ctx, request, target)
    for row in sessions_to_end(request, ctx.instance):
        if known & {row.id, row.user_id}:
            terminate_session(ctx, session_id=row.id)
    return see_other(target or SIGNED_OUT)


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
    """(where to go afterwards, session and person that the hint names); raises ShownError for an unregistered address."""
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
    return with_query(uri, {"state": sent["state"]}) if sent.get("state") else uri, known
