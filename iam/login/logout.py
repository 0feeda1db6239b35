"""The pages of signing out: who is to be signed out, and that it is done."""

from django.http import HttpRequest, HttpResponse

from iam.login import browser
from iam.login.views import BASE, Visit, fill, may_go_on_to, page, people_of, see_other
from oidc.end_session import checked_target
from users.commands.sessions import terminate_session
from users.models import SessionRow


@page
def logout(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Which sessions to end, when the client could not say."""
    sessions, signed = (
        browser.sessions_of(request, visit.ctx.instance),
        request.POST.get("then") or request.GET.get("then"),
    )
    target = checked_target(visit.ctx.instance, signed or "")
    if request.method == "POST":
        _end_chosen(request, visit, sessions)
    if request.method == "POST" or not sessions:
        return see_other(target or f"{BASE}signedout")
    response = fill(request, visit, "logout", people=people_of(visit.ctx, sessions), then=signed if target else "")
    if target:
        may_go_on_to(response, target)
    return response


def _end_chosen(request: HttpRequest, visit: Visit, sessions: list[SessionRow]) -> None:
    """End the ticked sessions, and the older ones of the same people in this browser."""
    ticked = request.POST.getlist("session")
    people = {one.user_id for one in sessions if one.id in ticked}
    for one in browser.all_sessions_of(request, visit.ctx.instance):
        if one.user_id in people:
            terminate_session(visit.ctx, session_id=one.id)


@page
def signed_out(request: HttpRequest, visit: Visit) -> HttpResponse:
    """It is done."""
    return fill(request, visit, "signedout")
