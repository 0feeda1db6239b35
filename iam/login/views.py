"""The pages of the login. Each submits to a command and goes on to the next due step."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from iam.access.caller import context_of_nobody, instance_of
from iam.access.catalog import text_of
from iam.access.http import meta_of
from iam.api import failure_page
from iam.instance.domain.links import destination
from iam.instance.settings import InstanceSettings, settings_of
from iam.kernel.context import Caller, Context
from iam.kernel.errors import FailedPrecondition, InvalidInput, NotFound, Refusal, ResourceExhausted
from iam.login import browser, language
from iam.login.flow import Attempt, Step, next_step
from iam.login.look import frame_ancestors, look
from oidc import login_door
from oidc.errors import OAuthError
from oidc.membership import org_asked
from oidc.models import AuthRequest
from oidc.scopes import Scopes
from users.commands import change_own_password
from users.commands.sessions import (
    NOBODY,
    check_user,
    create_session,
    must_know_password,
    record_password_check,
    set_session_token,
    terminate_session,
)
from users.login_names import certain_name
from users.models import SessionRow, UserRow
from users.queries import days_to_change_password, find_user_by_login, must_change_password, users_by_id

BASE = "/ui/v2/login/"


@dataclass
class Visit:
    """One request to a page of the login."""

    ctx: Context
    flow: AuthRequest | None
    language: str = ""

    @cached_property
    def org_asked(self) -> str:
        """The organization that the request names, by its id or primary domain; empty for any."""
        try:
            return org_asked(self.ctx, Scopes(tuple(self.flow.scopes))) if self.flow else ""
        except OAuthError:  # it is gone since: nobody can answer the request
            return ""

    @property
    def org_id(self) -> str:
        """The organization that the request names; else the default one. Never that of the person typed (P01)."""
        return self.org_asked or settings_of(self.ctx.instance).default_org_id

    @cached_property
    def settings(self) -> InstanceSettings:
        """What that organization says of sign-ins and of the pages' look."""
        return settings_of(self.ctx.instance, self.org_id)


def page(view: Callable[[HttpRequest, Visit], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give a page its Context, the request that it serves, and its language."""

    @never_cache
    @require_http_methods(["GET", "POST"])
    @wraps(view)
    def shown(request: HttpRequest) -> HttpResponse:
        meta = meta_of(request)
        try:
            ctx = context_of_nobody(meta, instance_of(meta.host))
        except NotFound as unknown:
            return login_door.error_page(request, unknown)
        id = (request.POST.get("authRequest") or request.GET.get("authRequest") or "").removeprefix("oidc_")
        try:
            flow = login_door.get_flow(ctx, id) if id else None
            if flow is not None and not login_door.is_bound(request, flow.id):
                raise NotFound("auth_request.not_found")
            visit = Visit(ctx, flow)
            visit.language = _spoken(request, visit)
            return view(request, visit)
        except ResourceExhausted as full:
            return failure_page.wait_page(request, full.retry_after)
        except (NotFound, FailedPrecondition) as over:
            if over.code.startswith("instance."):
                return login_door.error_page(request, over)
            status = 404 if isinstance(over, NotFound) else 400
            return failure_page.error_page(
                request, status=status, reason="login_over", back=_way_back(request, ctx, id)
            )

    return shown


def _way_back(request: HttpRequest, ctx: Context, id: str) -> str:
    """Where somebody goes on whose sign-in is over: to the application, as far as this browser asked for it."""
    if id and login_door.is_bound(request, id) and (origin := login_door.origin_of_request(ctx, id)):
        return f"{origin}/"
    settings = settings_of(ctx.instance)
    end = destination(settings_of(ctx.instance, settings.default_org_id).login.default_redirect_uri)
    return end.replace("{{.Lang}}", settings.default_language) or "/ui/console/"


def _spoken(request: HttpRequest, visit: Visit) -> str:
    """The language of a page: one that the instance allows, its own one if nobody wishes another."""
    wished = visit.flow.ui_locales if visit.flow else ()
    among = language.offered(visit.settings.restrictions.allowed_languages)
    return language.activate(request, wished, among=among, otherwise=visit.settings.default_language)


def see_other(to: str, flow: AuthRequest | None = None) -> HttpResponse:
    """Go on to a page of the login."""
    query = f"?{urlencode({'authRequest': flow.id})}" if flow else ""
    return HttpResponse(status=303, headers={"Location": to + query})


def fill(request: HttpRequest, visit: Visit, template: str, status: int = 200, **more: object) -> HttpResponse:
    """A page with what all of them need; its form may go on to the client's origin."""
    asked = {name: value for name, value in request.GET.items() if name != "lang"}
    kept = urlencode({**asked, **({"authRequest": visit.flow.id} if visit.flow else {})})
    told = {"flow": visit.flow, "language": visit.language, "kept": kept, **look(visit), **more}
    response = render(request, f"login/{template}.html", told, status=status)
    response.frame_ancestors = frame_ancestors(visit.settings.security)  # type: ignore[attr-defined]
    if visit.flow is not None and visit.flow.redirect_uri:
        may_go_on_to(response, visit.flow.redirect_uri)
    if (lang := request.GET.get("lang", "").split("-")[0].lower()) in language.OFFERED:
        response.set_cookie(language.COOKIE, lang, max_age=browser.AGE_SECONDS, samesite="Lax", httponly=True)
    return response


def wait(request: HttpRequest, visit: Visit, template: str, busy: ResourceExhausted, **more: object) -> HttpResponse:
    """The page again, with when to come back (RFC 6585 §4)."""
    response = fill(request, visit, template, 429, problem=_(text_of(busy.code)), **more)
    response.headers["Retry-After"] = str(max(1, math.ceil(busy.retry_after.total_seconds())))
    return response


def may_go_on_to(response: HttpResponse, uri: str) -> None:
    """Let the page's form lead to the origin of an address in the end."""
    response.form_targets = (uri,)  # type: ignore[attr-defined]


@page
def login(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Where the protocol sends people: on to whatever step is due."""
    flow = visit.flow
    if flow is None:
        return _without_request(request, visit)
    if {"login", "create"} & set(flow.prompt) or "switch" in request.GET:
        return see_other(f"{BASE}loginname", flow)
    return go_on(request, visit)


def _without_request(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Nobody asked for a sign-in: one that ends where the settings say, else at the console."""
    end = destination(visit.settings.login.default_redirect_uri).replace("{{.Lang}}", visit.language)
    if not end:
        return HttpResponse(status=302, headers={"Location": "/ui/console/"})
    flow = login_door.begin_without_client(visit.ctx, end)
    response = see_other(f"{BASE}login", flow)
    login_door.bind(request, response, flow.id)
    return response


def go_on(request: HttpRequest, visit: Visit) -> HttpResponse:
    """To the next due step, or back to the client."""
    flow = visit.flow
    assert flow is not None
    if step := due_step(request, visit):
        return see_other(BASE + step.page, flow)
    return answered(visit, flow.session_id) or see_other(f"{BASE}loginname", flow)


def answered(visit: Visit, session_id: str) -> HttpResponse | None:
    """Back to whoever asked; None for a session that does not answer the request, such as another person's."""
    flow = visit.flow
    assert flow is not None
    try:
        return HttpResponse(status=303, headers={"Location": login_door.finish(visit.ctx, flow.id, session_id)})
    except FailedPrecondition:
        return None


def due_step(request: HttpRequest, visit: Visit) -> Step | None:
    """The step that a sign-in lacks, by what the server knows of it and of this browser; None when it lacks none."""
    flow = visit.flow
    assert flow is not None
    sessions = browser.sessions_of(request, visit.ctx.instance)
    session = next((one for one in sessions if one.id == flow.session_id), None)
    proved = session is not None and login_door.satisfies(visit.ctx, flow, session)
    user = users_by_id(visit.ctx.instance, [session.user_id]).get(session.user_id) if session and proved else None
    attempt = Attempt(
        sessions=len(sessions),
        login_name=flow.login_hint,
        password_ok=proved and user is not None,
        change_required=bool(user and must_change_password(user, visit.ctx.now())),
    )
    return next_step(attempt)


@page
def accounts(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Which of the people known in this browser."""
    flow = visit.flow
    if flow is None:
        return see_other("/ui/console/")
    sessions = browser.sessions_of(request, visit.ctx.instance)
    if request.method == "POST":
        chosen = next((one for one in sessions if one.id == request.POST.get("session")), None)
        if chosen is None:
            return see_other(f"{BASE}loginname", flow)
        user = users_by_id(visit.ctx.instance, [chosen.user_id]).get(chosen.user_id)
        keep(flow, session_id=chosen.id, login_hint=certain_name(user) if user else "")
        return go_on(request, visit)
    return fill(request, visit, "accounts", people=people_of(visit.ctx, sessions))


def people_of(ctx: Context, sessions: list[SessionRow]) -> list[tuple[SessionRow, UserRow]]:
    """Sessions with their people; those whose person is gone are left out."""
    users = users_by_id(ctx.instance, [one.user_id for one in sessions])
    return [(one, users[one.user_id]) for one in sessions if one.user_id in users]


@page
def loginname(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Who it is. Every name goes on to the password, known or not (checklist P01)."""
    flow = visit.flow
    if flow is None:
        return see_other("/ui/console/")
    if request.method == "POST":
        name = request.POST.get("login_name", "").strip()[:500]
        if not name:
            return fill(request, visit, "loginname", 422, problem=_("Enter your login name."))
        keep(flow, login_hint=name, session_id="")
        return see_other(f"{BASE}password", flow)
    return fill(request, visit, "loginname", name=flow.login_hint)


@page
def password(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The proof. A wrong one and an unknown name look and last alike."""
    flow, ctx = visit.flow, visit.ctx
    if flow is None or not flow.login_hint:
        return see_other(f"{BASE}loginname", flow)
    if request.method == "GET":
        return fill(request, visit, "password", name=flow.login_hint)
    user = find_user_by_login(ctx.instance, flow.login_hint, org_id=visit.org_asked)
    try:
        must_know_password(
            ctx,
            user_id=user.id if user else NOBODY,
            password=request.POST.get("password", ""),
            asked="" if user else flow.login_hint,
            typed=flow.login_hint,
            device=browser.device_of(request, ctx.instance).known_to(user.id if user else ""),
        )
    except ResourceExhausted as busy:
        return wait(request, visit, "password", busy, name=flow.login_hint)
    except FailedPrecondition as refused:
        return fill(request, visit, "password", 422, name=flow.login_hint, problem=_(text_of(refused.code)))
    except InvalidInput:
        return fill(
            request, visit, "password", 422, name=flow.login_hint, problem=_("The login name or the password is wrong.")
        )
    assert user is not None
    return _signed_in(request, visit, user)


def _signed_in(request: HttpRequest, visit: Visit, user: UserRow) -> HttpResponse:
    """A new session, always: what was known before the proof opens nothing after it (checklist L02).

    The person's older sessions of this browser stay what their applications stand on, and end with the new one.
    """
    ctx, flow = visit.ctx, visit.flow
    assert flow is not None
    known = browser.tokens_of(request)
    for old in browser.sessions_of(request, ctx.instance):
        if old.user_id == user.id:
            set_session_token(ctx, session_id=old.id)  # nobody learns this one
            known[old.id] = ""
    id = create_session(ctx, user_agent=request.headers.get("User-Agent", ""), ip=ctx.origin.ip)
    check_user(ctx, session_id=id, user_id=user.id)
    record_password_check(ctx, session_id=id)
    opened = set_session_token(ctx, session_id=id)
    keep(flow, session_id=id)
    if must_change_password(user, ctx.now()):
        response = see_other(f"{BASE}password/change", flow)
    elif days_to_change_password(user, ctx.now()):
        response = see_other(f"{BASE}password/expiring", flow)
    else:
        response = answered(visit, id) or _another_account(request, visit)
    _end(ctx, browser.remember(request, response, {**known, id: opened.token}))
    browser.remember_device(request, response, ctx.instance, browser.device_of(request, ctx.instance), user.id)
    return response


def _end(ctx: Context, ids: list[str]) -> None:
    """End sessions that the browser knows no more: nothing lives on that signing out does not end (checklist L10)."""
    living = SessionRow.objects.filter(instance_id=ctx.instance, id__in=ids, terminated=False) if ids else ()
    for row in living:
        terminate_session(ctx, session_id=row.id)


def _another_account(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The proof is right, and of somebody whom the application did not ask for."""
    assert visit.flow is not None
    problem = _("The application asks for another account. Sign in with that one.")
    return fill(request, visit, "password", 422, name=visit.flow.login_hint, problem=problem)


@page
def change_password(request: HttpRequest, visit: Visit) -> HttpResponse:
    """A password of one's own, before anything else."""
    flow, ctx = visit.flow, visit.ctx
    session = _session_of(request, visit)
    if flow is None or session is None:
        return see_other(f"{BASE}loginname", flow)
    user = users_by_id(ctx.instance, [session.user_id]).get(session.user_id)
    shown = {
        "rules": settings_of(ctx.instance, session.org_id).password_complexity,
        "must_change": user is None or must_change_password(user, ctx.now()),
    }
    if request.method == "GET":
        return fill(request, visit, "change", **shown)
    new = request.POST.get("password", "")
    if new != request.POST.get("again", ""):
        return fill(request, visit, "change", 422, **shown, problem=_("The two new passwords differ."))
    if new == request.POST.get("current", ""):
        return fill(
            request,
            visit,
            "change",
            422,
            **shown,
            problem=_("Choose a password that differs from the current one."),
        )
    person = Caller(user_id=session.user_id, org_id=session.org_id, kind="human", session_id=session.id)
    acting = replace(ctx, caller=person)
    device = browser.device_of(request, ctx.instance).known_to(session.user_id)
    current = request.POST.get("current", "")
    try:
        change_own_password(acting, user_id=session.user_id, current=current, password=new, device=device)
    except ResourceExhausted as busy:
        return wait(request, visit, "change", busy, **shown)
    except Refusal as refused:
        wrong = _("The current password is wrong.") if refused.code == "password.invalid" else _(text_of(refused.code))
        return fill(request, visit, "change", 422, **shown, problem=wrong)
    record_password_check(ctx, session_id=session.id)
    return answered(visit, session.id) or see_other(f"{BASE}loginname", flow)


@page
def expiring(request: HttpRequest, visit: Visit) -> HttpResponse:
    """A note after a sign-in: the password has to be changed soon."""
    flow, session = visit.flow, _session_of(request, visit)
    if flow is None or session is None:
        return see_other(f"{BASE}loginname", flow)
    user = users_by_id(visit.ctx.instance, [session.user_id]).get(session.user_id)
    days = days_to_change_password(user, visit.ctx.now()) if user else None
    if request.method == "POST" or days is None:
        return go_on(request, visit)
    return fill(request, visit, "expiring", days=days)


def _session_of(request: HttpRequest, visit: Visit) -> SessionRow | None:
    sessions = browser.sessions_of(request, visit.ctx.instance)
    wanted = visit.flow.session_id if visit.flow else ""
    return next((one for one in sessions if one.id == wanted and one.password_checked_at), None)


def keep(flow: AuthRequest, **columns: str) -> None:
    """Remember what a step found out about a sign-in."""
    for name, value in columns.items():
        setattr(flow, name, value)
    AuthRequest.objects.filter(instance_id=flow.instance_id, id=flow.id).update(**columns)
