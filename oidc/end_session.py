"""Signing out at the client's wish (OpenID Connect RP-Initiated Logout 1.0)."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from iam.access.caller import context_of_nobody, instance_of
from iam.access.http import meta_of
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from oidc.addresses import see_other, with_query
from oidc.authorize import hinted
from oidc.errors import ShownError
from oidc.login_door import browser_sessions, error_page
from oidc.registry import find_client
from users.commands.sessions import terminate_session

LOGOUT = "/ui/v2/login/logout"
SIGNED_OUT = "/ui/v2/login/signedout"


@csrf_exempt
def end_session(request: HttpRequest) -> HttpResponse:
    """/oidc/v1/end_session. Without a valid hint the person is asked first (checklist R13, R14)."""
    values = request.POST if request.method == "POST" else request.GET
    meta = meta_of(request)
    try:
        ctx = context_of_nobody(meta, instance_of(meta.host))
        target, known = _target(ctx, {name: str(value) for name, value in values.items()})
    except (ShownError, NotFound) as shown:
        return error_page(request, shown)
    if not known:
        query = urlencode({"post_logout_redirect": target}) if target else ""
        return see_other(f"{LOGOUT}?{query}" if query else LOGOUT)
    for row in browser_sessions(request, ctx.instance):
        if known in (row.id, row.user_id):
            terminate_session(ctx, session_id=row.id)
    return see_other(target or SIGNED_OUT)


def _target(ctx: Context, sent: dict[str, str]) -> tuple[str, str]:
    """(where to go afterwards, whose session the hint names); raises ShownError for an unregistered address."""
    claims = hinted(ctx, sent.get("id_token_hint", "")) if sent.get("id_token_hint") else None
    by_hint = str(claims.get("azp", "")) if claims else ""
    client_id = sent.get("client_id", "") or by_hint
    uri = sent.get("post_logout_redirect_uri", "")
    known = str(claims.get("sid") or claims.get("sub") or "") if claims else ""
    if not uri or not client_id:
        return "", known
    client = find_client(ctx.instance, client_id)
    if client is None or (by_hint and by_hint != client_id) or uri not in client.post_logout_redirect_uris:
        registered = client.post_logout_redirect_uris if client else ()
        raise ShownError("post_logout_redirect_uri_mismatch", asked=uri[:1000], registered=registered)
    return with_query(uri, {"state": sent["state"]}) if sent.get("state") else uri, known
