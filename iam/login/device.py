"""Pages for devices without a browser (RFC 8628 §3.3): enter the code, sign in by the usual steps, decide."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from iam.access.catalog import text_of
from iam.kernel.errors import FailedPrecondition, NotFound, PermissionDenied, ResourceExhausted
from iam.login import browser
from iam.login.views import BASE, Visit, due_step, fill, go_on, keep, page, people_of, see_other, wait
from oidc import devices, login_door
from oidc import scopes as named
from oidc.models import DeviceAuthorization
from oidc.scopes import OWN_PROJECT, Scopes
from users.models import UserRow

ENTER, CONFIRM = f"{BASE}device", f"{BASE}device/confirm"
LONGEST = 100


@page
def enter(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The code that the device shows. A link fills it in and does no more: somebody else may have sent it (C15)."""
    typed = (request.POST.get("user_code") or request.GET.get("user_code") or "").strip()[:LONGEST]
    if request.method == "GET":
        return fill(request, visit, "device", user_code=typed, by_link=bool(typed))
    known = browser.sessions_of(request, visit.ctx.instance)
    try:
        row = devices.guess_user_code(visit.ctx, typed, person=known[0].user_id if known else "")
    except ResourceExhausted as busy:
        return wait(request, visit, "device", busy, user_code=typed)
    except NotFound:
        told = _("No device waits under this code. Check it, or let the device show a new one.")
        return fill(request, visit, "device", 422, user_code=typed, problem=told)
    return _begin(request, visit, row)


def _begin(request: HttpRequest, visit: Visit, row: DeviceAuthorization) -> HttpResponse:
    """A sign-in of this browser alone; whoever is signed in as one person is shown to whom the question is put."""
    flow = devices.begin_sign_in(visit.ctx, row)
    session_id = login_door.silent_session(visit.ctx, request, flow)
    if session_id:
        keep(flow, session_id=session_id)
    response = see_other(CONFIRM if session_id else f"{BASE}login", flow)
    login_door.bind(request, response, flow.id)
    return response


@page
def confirm(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Who asks for what; the decision is a POST, and comes after every step that is due (checklist C15, L05)."""
    flow, ctx = visit.flow, visit.ctx
    if flow is None or not flow.device_id:
        return see_other(ENTER)
    if step := due_step(request, visit):
        return see_other(BASE + step.page, flow)
    row = devices.get_waiting(ctx, flow.device_id)
    decision = request.POST.get("decision", "")
    if decision == "approve":
        return _approve(request, visit)
    if decision == "deny":
        devices.deny(ctx, row.id, actor=_person(request, visit).id)
        login_door.end(ctx, flow)
        return _done(request, visit, _("Turned away"), _("The device stays outside."))
    may, others = asked_for(Scopes(tuple(row.scopes)))
    told = {"asker": devices.asker_of(ctx, row), "person": _person(request, visit), "may": may, "others": others}
    return fill(request, visit, "device_confirm", **told)


def _person(request: HttpRequest, visit: Visit) -> UserRow:
    """Who signed in; `due_step` found them."""
    flow = visit.flow
    assert flow is not None
    known = browser.sessions_of(request, visit.ctx.instance)
    return people_of(visit.ctx, [one for one in known if one.id == flow.session_id])[0][1]


def _approve(request: HttpRequest, visit: Visit) -> HttpResponse:
    flow = visit.flow
    assert flow is not None
    try:
        devices.approve(visit.ctx, flow.device_id, flow.session_id)
    except FailedPrecondition:
        return go_on(request, visit)
    except PermissionDenied as refused:
        login_door.end(visit.ctx, flow)
        return _done(request, visit, _("Not allowed"), _(text_of(refused.code)), status=403)
    login_door.end(visit.ctx, flow)
    text = _("The device goes on by itself in a moment. You may close this window.")
    return _done(request, visit, _("The device is signed in"), text)


def _done(request: HttpRequest, visit: Visit, title: str, text: str, *, status: int = 200) -> HttpResponse:
    """The end. Nothing is left to open again, so no link offers it in another language."""
    return fill(request, visit, "device_done", status, title=title, text=text, languages=())


def asked_for(scopes: Scopes) -> tuple[list[str], list[str]]:
    """What a device may do with these scopes: in words where there are some, and the scopes that have none."""
    words = {
        "openid": _("know who you are"),
        "profile": _("see your name and profile"),
        "email": _("see your e-mail address"),
        "phone": _("see your phone number"),
        "address": _("see your address"),
        "offline_access": _("stay signed in until you end it"),
        named.ROLES: _("see your roles"),
        named.ROLES_SINGULAR: _("see your roles"),
        named.METADATA: _("see what is noted about you (metadata)"),
        named.RESOURCE_OWNER: _("see your organization"),
        f"{named.PROJECT}{OWN_PROJECT}:aud": _("use the programming interface of this server in your name"),
    }
    words |= {scope: words[named.ROLES] for scope in scopes.granted if scope.startswith(named.ROLE)}
    said = [words[scope] for scope in scopes.granted if scope in words]
    return list(dict.fromkeys(said)), [scope for scope in scopes.granted if scope not in words]
