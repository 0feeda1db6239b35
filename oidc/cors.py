"""Which scripts may call the endpoints (reference/oidc.md §10, checklist D10): registered origins only, no credentials."""

from collections.abc import Callable
from functools import wraps

from django.db.models import Case, Q, Value, When
from django.http import HttpRequest, HttpResponse

from iam.access.caller import instance_of
from iam.access.http import meta_of
from iam.api.cors import knows_origins
from iam.kernel.errors import NotFound
from oidc.registry import client_of
from projects.domain.uris import origin_of
from projects.models import AppRow

MOST = 50
"""Applications that are looked at for one origin."""
View = Callable[[HttpRequest], HttpResponse]


def with_cors(*, open_to_any: bool) -> Callable[[View], View]:
    """Answer preflights, and mark answers for the origins that may read them; errors, too."""

    def wrap(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest) -> HttpResponse:
            origin = request.headers.get("Origin", "")
            allowed = (
                "*" if open_to_any else (origin if origin and is_registered(meta_of(request).host, origin) else "")
            )
            if request.method == "OPTIONS":
                response = HttpResponse(status=204)
                if allowed:
                    response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
                    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Accept, DPoP"
                    response.headers["Access-Control-Max-Age"] = "600"
            else:
                response = view(request)
            if allowed:
                response.headers["Access-Control-Allow-Origin"] = allowed
                response.headers["Access-Control-Expose-Headers"] = "WWW-Authenticate"
            response.headers["Vary"] = "Origin"
            return response

        return answered

    return wrap


@knows_origins
def is_registered(host: str, origin: str) -> bool:
    """Whether an application of the instance at this host is at home at the origin."""
    try:
        instance = instance_of(host)
    except NotFound:
        return False
    wanted = origin_of(origin)
    if not wanted or wanted != origin.lower():
        return False
    likely = Q(redirect_uris__icontains=wanted) | Q(additional_origins__icontains=wanted)
    exact = Q(redirect_uris__icontains=f'"{wanted}/') | Q(additional_origins__icontains=f'"{wanted}"')
    rows = AppRow.objects.filter(likely, instance_id=instance, kind="oidc").select_related("project")
    # the surest first: addresses that only hold the origin somewhere, however many, push nobody out
    rows = rows.order_by(Case(When(exact, then=Value(0)), default=Value(1)), "id")[:MOST]
    return any(wanted in client_of(row).origins for row in rows)
