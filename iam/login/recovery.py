"""Pages that codes lead to: confirm an address, ask for a new password, set it."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from iam.access.catalog import text_of
from iam.kernel.errors import Refusal, ResourceExhausted
from iam.login import browser
from iam.login.views import Visit, fill, page, wait
from users.commands import codes, set_password_by_code
from users.resets import Browser, ask_for_reset


@page
def reset(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Ask for a code by mail. A known name and an unknown one get the same answer, after the same work (checklist P02)."""
    if visit.settings.login.hide_password_reset:
        return fill(request, visit, "told", 403, text=_("Ask an administrator for a new password."))
    name = request.POST.get("login_name", "").strip()[:500]
    if request.method == "GET" or not name:
        return fill(request, visit, "reset", name=request.GET.get("login_name", ""))
    device = browser.device_of(request, visit.ctx.instance)
    try:
        ask_for_reset(visit.ctx, login_name=name, browser=Browser(device.digest, device.people))
    except ResourceExhausted as busy:
        return wait(request, visit, "reset", busy, name=name)
    response = fill(request, visit, "told", text=_("If there is such an account, a message with a code is on its way."))
    browser.remember_device(request, response, visit.ctx.instance, device)
    return response


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
    device = browser.device_of(request, visit.ctx.instance).digest
    try:
        set_password_by_code(visit.ctx, user_id=shown["user_id"], code=shown["code"], password=new, device=device)
    except ResourceExhausted as busy:
        return wait(request, visit, "set", busy, **shown)
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
    except ResourceExhausted as busy:
        return wait(request, visit, "verify", busy, **shown)
    except Refusal as refused:
        return fill(request, visit, "verify", 422, problem=_(text_of(refused.code)), **shown)
    return fill(request, visit, "told", text=_("Thank you. Your address is confirmed."))
