"""/debug/metrics: for whoever scrapes inside, not for the outside (checklist H11)."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from iam.observe import exposition, figures
from iam.peers import is_trusted, is_within

TEXT = "text/plain; version=0.0.4; charset=utf-8"
LOOPBACK = "127.0.0.0/8,::1"
EVERYBODY = "0.0.0.0/0"
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")


def metrics(request: HttpRequest) -> HttpResponse:
    """All figures. 404 while they are switched off, and for callers who may not know that they are here."""
    registry = exposition.running()
    if settings.CONFIG.Metrics.Type == "none" or registry is None or not _may(request):
        return HttpResponse("Not Found", status=404, content_type="text/plain")
    return HttpResponse(registry.text(), content_type=TEXT, headers={"Cache-Control": "no-store"})


def _may(request: HttpRequest) -> bool:
    """With a token configured: who has it. Else: the loopback, the proxies' networks and those named, without a proxy between."""
    if token := settings.CONFIG.Metrics.Token:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    named = settings.CONFIG.Metrics.Networks
    if EVERYBODY in named:
        return True
    if any(name in request.headers for name in FORWARDED):
        return False
    peer = request.META.get("REMOTE_ADDR", "")
    return is_trusted(peer) or is_within(peer, LOOPBACK) or is_within(peer, named)


__all__ = ["figures", "metrics"]
