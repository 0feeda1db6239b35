"""Home, search and the ways in and out."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from eventstore.recent import sign_ins_per_hour
from iam.console import signin, site
from iam.console.chart import Point, chart_of
from iam.console.views import refused, see_unknown_host, show, signed_in
from iam.kernel.context import Context
from iam.kernel.errors import Refusal
from projections.statistics import facts_per_hour

HOURS = 24
NEXT = (
    ("Create a project and its first application", "projects/new", "what people sign in to", "project.create"),
    ("Create a person", "users/new-human", "with an e-mail address, or with a password to be changed", "user.write"),
    ("Create a service user", "users/new-machine", "a program with a token or a key for the API", "user.write"),
    ("Set how people sign in", "instance?tab=settings", "passwords, lockout, languages, branding", "iam.policy.read"),
    ("Look at your own account", "users/{me}", "name, addresses, password, sessions", ""),
)
"""What to do next: words, address, what it is about, and the permission without which it is not offered."""
LONGEST_SEARCH = 200


@require_GET
@signed_in
def home(request: HttpRequest, ctx: Context) -> HttpResponse:
    """Figures, and the last day as a chart."""
    figures = [(figure, figure.count(ctx)) for figure in site.figures(ctx)]
    whole = ctx.rights.reach("events.read").everywhere
    steps = [
        (words, to.format(me=ctx.actor), about)
        for words, to, about, needs in NEXT
        if not needs or ctx.rights.anywhere(needs)
    ]
    shown = {"figures": figures, "chart": _chart(ctx) if whole else None, "steps": steps, "section": ""}
    return show(request, "console/home.html", shown, ctx)


def _chart(ctx: Context) -> object:
    now = ctx.now().replace(minute=0, second=0, microsecond=0)
    hours = [now - timedelta(hours=back) for back in reversed(range(HOURS))]
    facts = facts_per_hour(ctx.instance, hours[0])
    sign_ins = sign_ins_per_hour(ctx.instance, hours[0])
    return chart_of([Point(f"{hour:%H}:00", facts.get(hour, 0), sign_ins.get(hour, 0)) for hour in hours])


@require_GET
@signed_in
def search(request: HttpRequest, ctx: Context) -> HttpResponse:
    """Whatever the text finds; an exact single hit is opened at once."""
    text = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    hits = site.search(ctx, text) if text else []
    return show(request, "console/search.html", {"text": text, "hits": hits, "section": "search"}, ctx)


@require_GET
def sign_in(request: HttpRequest) -> HttpResponse:
    """Off to the login."""
    try:
        return signin.start(request)
    except Refusal as refusal:
        return see_unknown_host(request) if refusal.code.startswith("instance.") else refused(request, refusal)


@require_GET
def signed_in_again(request: HttpRequest) -> HttpResponse:
    """Back from the login."""
    try:
        return signin.finish(request)
    except Refusal as refusal:
        return refused(request, refusal)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Out, here and at the login."""
    return signin.leave(request)
