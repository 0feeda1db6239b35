"""Whether the process lives and may get requests; the four Healthz of the API."""

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from iam.api.gen import admin_v1, auth_v1, management_v1, system_v1
from iam.api.methods import Service
from iam.kernel.context import Context


def alive(request: HttpRequest) -> HttpResponse:
    """/debug/healthz: the process answers."""
    return HttpResponse("ok", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """/debug/ready: 412 with the reason while the database does not answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("the database does not answer", status=412, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")


def failed(request: HttpRequest) -> HttpResponse:
    """What an error of the program looks like from outside: nothing of it (checklist H11)."""
    return HttpResponse("An internal error occurred", status=500, content_type="text/plain")


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
