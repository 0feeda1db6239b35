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
from oidc.errors import OAuthError, ShownError
from oidc.issuers import is_issuer, origin_of
from oidc.models import AuthRequest, Grant
from oidc.registry import find_client
from oidc.scopes import Scopes
from oidc.subjects import living_user
from projects.queries import project_checks
from users.models import SessionRow, UserRow
from users.queries import must_change_password

AMR = ("pwd", "password")
"""How a password check is told: RFC 8176, and the word that older clients know (reference/oidc.md §6)."""
CODE_LIFETIME = timedelta(seconds=60)
DEVICE_QUESTION = "/ui/v2/login/device/confirm?authRequest="
FLOWS_SALT = "oidc.flows"
FLOWS_SECONDS = 3600
MOST_FLOWS = 10
FindSessions = Callable[[HttpRequest, str], Iterable[SessionRow]]
_finders: list[FindSessions] = []


def finds_browser_sessions(find: FindSessions) -> FindSessions:
    """Register who knows the living sessions of a browser, (request, instance) → rows (the login does)."""
    _finders[:] = [find]
    return find


def browser_sessions(request: HttpRequest, instance: str) -> list[SessionRow]:
    """The living sessions of a browser."""
    return [row for find in _finders for row in find(request, instance)]


def get_auth_request(ctx: Context, id: str) -> AuthRequest:
    """An application's request that still waits; raises NotFound."""
    row = get_flow(ctx, id)
    if row.device_id:
        raise NotFound("auth_request.not_found")
    return row


def get_flow(ctx: Context, id: str) -> AuthRequest:
    """The same, and the sign-in of somebody who is to decide about a device: what the login's pages serve."""
    row = AuthRequest.objects.filter(
        instance_id=ctx.instance, id=id, expires_at__gt=ctx.now(), finished_at=None
    ).first()
    if row is None or not is_issuer(ctx.instance, ctx.base_url, row.issuer):
        raise NotFound("auth_request.not_found")
    return row


def begin_without_client(ctx: Context, redirect_uri: str) -> AuthRequest:
    """A sign-in that no application asked for; it ends at an address that an administrator chose, without a code.

    Raises ResourceExhausted while too many wait.
    """
    now = ctx.now()
    return AuthRequest.objects.create(
        instance_id=ctx.instance,
        source=waiting.make_room(ctx),
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
    if "login" in row.prompt and checked < row.created_at:
        return False
    if row.max_age is not None and ctx.now() - checked > timedelta(seconds=row.max_age):
        return False
    if not _counts(ctx, row, session, checked):
        return False
    if row.hint_user_id and row.hint_user_id != session.user_id:
        return False
    wanted = Scopes(tuple(row.scopes)).org_id
    return not wanted or wanted == session.org_id


def _counts(ctx: Context, row: AuthRequest, session: SessionRow, checked: datetime) -> bool:
    """Whether a password check is young enough for the person's organization. One for this very request always is."""
    if checked >= row.created_at:
        return True
    return ctx.now() - checked <= settings_of(ctx.instance, session.org_id).login.password_check_lifetime


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
        check_project(ctx, row.client_id, user)
    except OAuthError as refused:
        return refuse(ctx, id, refused.error, refused.description)
    code = _code(ctx, row, session)
    end(ctx, row)
    values = {"code": code, **({"state": row.state} if row.state else {}), "iss": origin_of(row.issuer)}
    values["session_state"] = hashlib.sha256(session.id.encode()).hexdigest()[:16]
    return with_query(row.redirect_uri, values)


def proved(ctx: Context, row: AuthRequest, session_id: str) -> tuple[SessionRow, UserRow]:
    """A living session that proves what a request asks, and its person, who may sign in; raises FailedPrecondition."""
    session = SessionRow.objects.filter(instance_id=ctx.instance, id=session_id, terminated=False).first()
    if session is None or not satisfies(ctx, row, session):
        raise FailedPrecondition("auth_request.session_insufficient")
    user = living_user(ctx.instance, session.user_id)
    if user is None or must_change_password(user, ctx.now()):
        raise FailedPrecondition("auth_request.session_insufficient")
    return session, user


def check_project(ctx: Context, client_id: str, user: UserRow) -> None:
    """A role of the project, an organization that owns it or was granted it, where the project wants that.

    Raises OAuthError access_denied.
    """
    client = find_client(ctx.instance, client_id)
    if client is None:
        raise OAuthError("access_denied", "the application is not active")
    if not client.checks_role and not client.checks_project:
        return
    has_role, granted = project_checks(ctx.instance, client.project_id, user.id, user.org_id)
    if client.checks_role and not has_role:
        raise OAuthError("access_denied", "the user holds no role of the project")
    if client.checks_project and not granted:
        raise OAuthError("access_denied", "the user's organization was not granted the project")


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
