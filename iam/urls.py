"""Every address of the server that Django answers; RPC paths and WebSockets are in `iam.asgi`."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path, re_path

from iam.api import health
from iam.api.openapi import document, page
from iam.api.rest import rest_urls, unknown_route
from iam.console.urls import console_urls
from iam.observe.door import metrics
from iam.setup.seen import seen

API = r"^(?:v2|v2beta|management|admin|auth|system)/"


def front(request: HttpRequest) -> HttpResponse:
    """`/`: to the console."""
    return HttpResponseRedirect("/ui/console/")


urlpatterns = [
    path("", front),
    path("", include("oidc.urls")),
    path("", include("iam.login.urls")),
    path("", include("orgs.urls")),
    path("ui/console", front),
    path("ui/console/", include(console_urls())),
    path("debug/healthz", health.alive),
    path("debug/ready", health.ready),
    path("debug/seen", seen),
    path("debug/validate", health.validate),
    path("debug/metrics", metrics),
    path("openapi.json", document),
    path("openapi", page),
    *rest_urls(),
    re_path(API, unknown_route),
]
handler400 = "iam.api.health.malformed"
handler404 = "iam.api.health.unknown"
handler500 = "iam.api.health.failed"
