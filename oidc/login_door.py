"""Between the protocol and the login: read a request, finish it with a session, refuse it."""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.core import signing
from django.http import HttpRequest, HttpResponse

from iam.access.http import meta_of
from iam.access.tokens import digest
from iam.api import failure_page
from iam.instance.settings import settings_of
from iam.kernel.context import Context
from iam.kernel.errors import FailedPrecondition, NotFound
from oidc import waiting
from oidc.addresses import with_query
from oidc.admission import must_admit
from oidc.errors import OAuthError, ShownError
from oidc.issuers import is_issuer, origin_of
from oidc.membership import is_member
from oidc.models import AuthRequest, Grant
from oidc.scopes import Scopes
from oidc.subjects import living_user
from projects.domain import uris
from users.models import SessionRow, UserRow
from users.queries import must_change_password

AMR = ("pwd",)
"""How a password check is told (RFC 8176)."""
CODE_LIFETIME = timedelta(seconds=60)
DEVICE_QUESTION = "/ui/v2/login/device/confirm?authRequest="
FLOWS_SALT = "oidc.flows"
FLOWS_SECONDS = 3600
MOST_FLOWS = 10
FindSessions = Callable[[HttpRequest, str], Iterable[SessionRow]]
_finders: list[FindSessions] = []
_finders_of_all: list[FindSessions] = []
FindBrowser = Callable[[HttpRequest, str], str]
_finders_of_browser: list[FindBrowser] = []


def finds_browser_sessions(find: FindSessions) -> FindSessions:
    """Register who knows the living sessions that a browser can prove, (request, instance) → rows (the login does)."""
    _finders[:] = [find]
    return find


def finds_sessions_to_end(find: FindSessions) -> FindSessions:
    """Register who knows those, and the older ones of the same people, which end with them (the login does)."""
    _finders_of_all[:] = [find]
    return find


def finds_known_browser(find: FindBrowser) -> FindBrowser:
    """Register who knows a browser in which somebody has signed in before, (request, instance) → digest (the login does)."""
    _finders_of_browser[:] = [find]
    return find


def known_browser(request: HttpRequest, instance: str) -> str:
    """The digest of a browser in which somebody has signed in before; empty for any other."""
    return next((find(request, instance) for find in _finders_of_browser), "")


def browser_sessions(request: HttpRequest, instance: str) -> list[SessionRow]:
    """The living sessions that a browser can prove."""
    return [row for find in _finders for row in find(request, instance)]


def sessions_to_end(request: HttpRequest, instance: str) -> list[SessionRow]:
    """Those, and the ones that later sign-ins of the same people in this browser took the place of."""
    return [row for find in _finders_of_all for row in find(request, instance)]


def find_auth_request(ctx: Context, id: str) -> AuthRequest | None:
    """An application's request that still waits, or None."""
    row = _find_flow(ctx, id)
    return None if row is None or row.device_id else row


def get_auth_request(ctx: Context, id: str) -> AuthRequest:
    """The same; raises NotFound."""
    row = find_auth_request(ctx, id)
    if row is None:
        raise NotFound("auth_request.not_found")
    return row


def get_flow(ctx: Context, id: str) -> AuthRequest:
    """The same, and the sign-in of somebody who is to decide about a device: what the login's pages serve."""
    row = _find_flow(ctx, id)
    if row is None:
        raise NotFound("auth_request.not_found")
    return row


def origin_of_request(ctx: Context, id: str) -> str:
    """The web origin that a request was to be answered at, over or not; empty when it has none."""
    row = AuthRequest.objects.filter(instance_id=ctx.instance, id=id).first()
    return uris.origin_of(row.redirect_uri) if row is not None else ""


def _find_flow(ctx: Context, id: str) -> AuthRequest | None:
    rows = AuthRequest.objects.filter(instance_id=ctx.instance, id=id, expires_at__gt=ctx.now(), finished_at=None)
    return next((row for row in rows if is_issuer(ctx.instance, ctx.base_url, row.issuer)), None)


def begin_without_client(ctx: Context, redirect_uri: str) -> AuthRequest:
    """A sign-in that no application asked for; it ends at an address that an administrator chose, without a code.

    Raises ResourceExhausted while too many wait.
    """
    now = ctx.now()
    return AuthRequest.objects.create(
        instance_id=ctx.instance,
        source=waiting.require_room(ctx),
        id=f"V2_{ctx.ports.new_id()}",
        issuer=ctx.base_url,
        redirect_uri=redirect_uri,
        created_at=now,
        expires_at=now + timedelta(seconds=FLOWS_SECONDS),
    )


def bind(request: HttpRequest, response: HttpResponse, id: str) -> None:
    """Remember in the browser that it began a request: no other browser may go on with it (checklist L01)."""
    kept = [*_bound(request), id][-MOST_FLOWS:]
    response.set_cookie(
        _flows_name(request),
        signing.dumps(kept, salt=FLOWS_SALT),
        max_age=FLOWS_SECONDS,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
        path="/",
    )


def is_bound(request: HttpRequest, id: str) -> bool:
    """Whether this browser began a request."""
    return id in _bound(request)


def _bound(request: HttpRequest) -> list[str]:
    try:
        known = signing.loads(request.COOKIES.get(_flows_name(request), ""), salt=FLOWS_SALT, max_age=FLOWS_SECONDS)
    except signing.BadSignature:
        return []
    return [str(one) for one in known]


def _flows_name(request: HttpRequest) -> str:
    return f"{'__Host-' if request.is_secure() else ''}gatehouse_flows"


def satisfies(ctx: Context, row: AuthRequest, session: SessionRow) -> bool:
    """Whether a session proves what a request asks: a password check, fresh enough, by the right person."""
    checked = session.password_checked_at
    if checked is None or not session.user_id:
        return False
    if not _counts(ctx, row, session, checked):
        return False
    if row.hint_user_id and row.hint_user_id != session.user_id:
        return False
    return is_member(ctx, Scopes(tuple(row.scopes)), session.org_id)


def _counts(ctx: Context, row: AuthRequest, session: SessionRow, checked: datetime) -> bool:
    """Whether a password check is young enough for the request, and for the person's organization.

    One for this very request always is, also with max_age=0 (OpenID Connect Core §3.1.2.1).
    """
    if checked >= row.created_at:
        return True
    if "login" in row.prompt:
        return False
    age = ctx.now() - checked
    if row.max_age is not None and age > timedelta(seconds=row.max_age):
        return False
    return age <= settings_of(ctx.instance, session.org_id).login.password_check_lifetime


def silent_session(ctx: Context, request: HttpRequest, row: AuthRequest) -> str:
    """The one session that answers a request without asking anybody; empty when a person must choose or prove."""
    if {"login", "select_account", "create"} & set(row.prompt):
        return ""
    sessions = browser_sessions(request, ctx.instance)
    fitting = [one for one in sessions if satisfies(ctx, row, one) and _may_sign_in(ctx, one)]
    hinted = [one for one in fitting if row.login_hint == ""] if "none" not in row.prompt else fitting
    return hinted[0].id if len(hinted) == 1 and (len(sessions) == 1 or row.hint_user_id or "none" in row.prompt) else ""


def _may_sign_in(ctx: Context, session: SessionRow) -> bool:
    user = living_user(ctx.instance, session.user_id)
    return user is not None and not must_change_password(user, ctx.now())


def finish(ctx: Context, id: str, session_id: str) -> str:
    """Answer a request with a code for a session's person; the address to send the browser to.

    A device's is answered by the person: the page that asks. Raises NotFound for a request that is over,
    FailedPrecondition for a session that does not prove enough.
    """
    row = get_flow(ctx, id)
    session, user = proved(ctx, row, session_id)
    if row.device_id:
        return DEVICE_QUESTION + row.id
    if not row.client_id:
        end(ctx, row)
        return row.redirect_uri
    try:
        must_admit(ctx, row.client_id, user, Scopes(tuple(row.scopes)))
    except OAuthError as refused:
        return refuse(ctx, id, _in_words_of(row, refused), refused.description)
    code = _code(ctx, row, session)
    end(ctx, row)
    values = {"code": code, **({"state": row.state} if row.state else {}), "iss": origin_of(row.issuer)}
    values["session_state"] = hashlib.sha256(session.id.encode()).hexdigest()[:16]
    return with_query(row.redirect_uri, values)


def _in_words_of(row: AuthRequest, refused: OAuthError) -> str:
    """Only who asked for no interaction is told that one is missing: there is no page that asks for consent yet."""
    return "access_denied" if refused.error == "consent_required" and "none" not in row.prompt else refused.error


def proved(ctx: Context, row: AuthRequest, session_id: str) -> tuple[SessionRow, UserRow]:
    """A living session that proves what a request asks, and its person, who may sign in; raises FailedPrecondition."""
    session = SessionRow.objects.filter(instance_id=ctx.instance, id=session_id, terminated=False).first()
    if session is not None and not is_member(ctx, Scopes(tuple(row.scopes)), session.org_id):
        raise FailedPrecondition("auth_request.other_organization")
    if session is None or not satisfies(ctx, row, session):
        raise FailedPrecondition("auth_request.session_insufficient")
    user = living_user(ctx.instance, session.user_id)
    if user is None or must_change_password(user, ctx.now()):
        raise FailedPrecondition("auth_request.session_insufficient")
    return session, user


def _code(ctx: Context, row: AuthRequest, session: SessionRow) -> str:
    code, now = secrets.token_urlsafe(32), ctx.now()
    Grant.objects.create(
        instance_id=ctx.instance,
        id=ctx.ports.new_id(),
        digest=digest(code),
        family_id=ctx.ports.new_id(),
        issuer=row.issuer,
        client_id=row.client_id,
        app_id=row.app_id,
        user_id=session.user_id,
        org_id=session.org_id,
        session_id=session.id,
        scopes=row.scopes,
        auth_time=session.password_checked_at,
        amr=list(AMR),
        nonce=row.nonce,
        created_at=now,
        expires_at=now + CODE_LIFETIME,
        redirect_uri=row.redirect_uri,
        code_challenge=row.code_challenge,
    )
    return code


def end(ctx: Context, row: AuthRequest) -> None:
    """A request is answered once, whoever is faster."""
    rows = AuthRequest.objects.filter(instance_id=ctx.instance, id=row.id, finished_at=None)
    if not rows.update(finished_at=ctx.now()):
        raise NotFound("auth_request.not_found")


def refuse(ctx: Context, id: str, error: str, description: str = "", uri: str = "") -> str:
    """Answer a request with an error; the address to send the browser to. `uri`: a page about it (RFC 6749 §4.1.2.1)."""
    row = get_auth_request(ctx, id)
    end(ctx, row)
    values = OAuthError(error, description).answer() | ({"error_uri": uri} if uri else {})
    return with_query(
        row.redirect_uri, {**values, **({"state": row.state} if row.state else {}), "iss": origin_of(row.issuer)}
    )


def error_page(request: HttpRequest, shown: Exception) -> HttpResponse:
    """A page of our own that says what was compared with what; never a redirect, and never which hosts there are (T04)."""
    if isinstance(shown, ShownError):
        asked = {"reason": shown.reason, "asked": shown.asked, "registered": shown.registered}
    else:
        asked = {"reason": "host_unknown", "asked": meta_of(request).host}
    return failure_page.error_page(request, status=400, **asked)  # type: ignore[arg-type]
