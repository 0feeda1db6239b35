"""Pages that codes lead to: confirm an address, ask for a new password, set it."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from iam.access.catalog import text_of
from iam.instance.settings import settings_of
from iam.kernel.context import Caller, Context
from iam.kernel.errors import Refusal, ResourceExhausted
from iam.login.views import Visit, fill, page
from users import attempts
from users.commands import codes, set_password_by_code
from users.commands.codes import Wish
from users.domain.states import UserState
from users.models import UserRow
from users.queries import find_user_by_login


@page
def reset(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for a code by mail. A known name and an unknown one get the same answer (checklist P02)."""
    if visit.settings.login.hide_password_reset:
        return fill(request, visit, "told", 403, text=_("Ask an administrator for a new password."))
    name = request.POST.get("login_name", "").strip()[:500]
    if request.method == "GET" or not name:
        return fill(request, visit, "reset", name=request.GET.get("login_name", ""))
    try:
        attempts.begin(visit.ctx, f"reset {name}")
    except ResourceExhausted as busy:
        return fill(request, visit, "reset", 429, name=name, problem=_(text_of(busy.code)))
    user = find_user_by_login(visit.ctx.instance, name)
    if user is not None and user.state == UserState.ACTIVE and user.email and _may_reset(user):
        codes.request_password_code(_as(visit.ctx, user), user_id=user.id, wish=Wish())
    return fill(request, visit, "told", text=_("If there is such an account, a message with a code is on its way."))


@page
def set_password(request: HttpRequest, visit: Visit) -> HttpResponse:
    """A new password, with the code instead of the one before."""
    sent = request.POST if request.method == "POST" else request.GET
    shown = {
        "user_id": sent.get("userId", "")[:200],
        "code": sent.get("code", "")[:50],
        "rules": visit.settings.password_complexity,
    }
    if request.method == "GET":
        return fill(request, visit, "set", **shown)
    new = request.POST.get("password", "")
    if new != request.POST.get("again", ""):
        return fill(request, visit, "set", 422, problem=_("The two new passwords differ."), **shown)
    try:
        set_password_by_code(visit.ctx, user_id=shown["user_id"], code=shown["code"], password=new)
    except Refusal as refused:
        return fill(request, visit, "set", 422, problem=_(text_of(refused.code)), **shown)
    return fill(request, visit, "told", text=_("Your new password is set. You can sign in with it now."))


@page
def verify(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Confirm an address. Opening the link changes nothing: programs that look at mails open links, too."""
    sent = request.POST if request.method == "POST" else request.GET
    shown = {"user_id": sent.get("userId", "")[:200], "code": sent.get("code", "")[:50]}
    if request.method == "GET":
        return fill(request, visit, "verify", **shown)
    try:
        codes.verify_email(visit.ctx, user_id=shown["user_id"], code=shown["code"])
    except Refusal as refused:
        return fill(request, visit, "verify", 422, problem=_(text_of(refused.code)), **shown)
    return fill(request, visit, "told", text=_("Thank you. Your address is confirmed."))


def _may_reset(user: UserRow) -> bool:
    """Whether the person's organization offers this way to a new password."""
    found = settings_of(user.instance_id, user.org_id).login
    return found.allow_username_password and not found.hide_password_reset


def _as(ctx: Context, user: UserRow) -> Context:
    """The person asks for themselves."""
    return replace(ctx, caller=Caller(user_id=user.id, org_id=user.org_id, kind="human"))
