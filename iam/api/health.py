"""Whether the process lives and may get requests; the four Healthz of the API."""

import sys
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from eventstore import outage
from iam.api import readiness
from iam.api.errors import AWAY_SECONDS
from iam.api.failure_page import error_page
from iam.api.gen import admin_v1, auth_v1, management_v1, system_v1
from iam.api.methods import Service
from iam.kernel.context import Context


def alive(request: HttpRequest) -> HttpResponse:
    """/debug/healthz: the process answers."""
    return HttpResponse("ok", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """/debug/ready: 412 with the reason while requests would not be answered well."""
    wrong = readiness.reason()
    return HttpResponse(wrong or "ok", status=412 if wrong else 200, content_type="text/plain")


def validate(request: HttpRequest) -> HttpResponse:
    """/debug/validate: every check with its outcome."""
    wrong = readiness.problems()
    told = {name: problem or "ok" for name, problem in wrong.items()}
    return JsonResponse(told, status=412 if any(wrong.values()) else 200)


def malformed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A form or query that cannot be read: a page for people, OAuth's own error for programs (RFC 6749 §5.2)."""
    if "text/html" in request.headers.get("Accept", ""):
        return error_page(request, status=400, reason="page_unknown")
    told = {"error": "invalid_request", "error_description": "the request cannot be read"}
    return JsonResponse(told, status=400, headers={"Cache-Control": "no-store"})


def unknown(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A path that nothing has: a page for people, for programs what unknown paths of the API answer."""
    if "text/html" not in request.headers.get("Accept", ""):
        return JsonResponse({"code": 5, "message": "Not Found"}, status=404)
    return error_page(request, status=404, reason="page_unknown")


def failed(request: HttpRequest) -> HttpResponse:
    """What an error of the program looks like from outside: nothing of it (checklist H11)."""
    error = sys.exc_info()[1]
    if error is not None and outage.is_outage(error):
        outage.note(error, request.resolver_match.route if request.resolver_match else "a request")
        return _away(request)
    return HttpResponse("An internal error occurred", status=500, content_type="text/plain")


def _away(request: HttpRequest) -> HttpResponse:
    """503: a page for people, OAuth's own error for programs (RFC 6749 §4.1.2.1)."""
    response: HttpResponse
    if "text/html" in request.headers.get("Accept", ""):
        response = error_page(request, status=503, reason="database_away")
    else:
        text = "the database does not answer or takes no writes; try again in a moment"
        response = JsonResponse({"error": "temporarily_unavailable", "error_description": text}, status=503)
    response.headers["Retry-After"] = str(AWAY_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response


def _healthz(service: str, response: Callable[[], Any]) -> None:
    def Healthz(ctx: Context, request: Any) -> Any:
        """The service answers."""
        return response()

    Service(service).method(Healthz)


for _name, _module in (
    ("zitadel.admin.v1.AdminService", admin_v1),
    ("zitadel.auth.v1.AuthService", auth_v1),
    ("zitadel.management.v1.ManagementService", management_v1),
    ("zitadel.system.v1.SystemService", system_v1),
):
    _healthz(_name, _module.HealthzResponse)
