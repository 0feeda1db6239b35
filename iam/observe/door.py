"""/debug/metrics: for whoever scrapes inside, not for the outside (checklist H11)."""

import hmac
import ipaddress
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from iam.observe import exposition, figures

TEXT = "text/plain; version=0.0.4; charset=utf-8"
INSIDE = tuple(
    ipaddress.ip_network(one)
    for one in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10")
)
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")


def metrics(request: HttpRequest) -> HttpResponse:
    """All figures. 404 while they are switched off, and for callers who may not know that they are here."""
    registry = exposition.running()
    if settings.CONFIG.Metrics.Type == "none" or registry is None or not _may(request):
        return HttpResponse("Not Found", status=404, content_type="text/plain")
    return HttpResponse(registry.text(), content_type=TEXT, headers={"Cache-Control": "no-store"})


def _may(request: HttpRequest) -> bool:
    """With a token configured: who has it. Else: a peer of a private network that came without a proxy between."""
    if token := settings.CONFIG.Metrics.Token:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    if any(name in request.headers for name in FORWARDED):
        return False
    return _is_private(request.META.get("REMOTE_ADDR", ""))


def _is_private(peer: str) -> bool:
    try:
        address: Any = ipaddress.ip_address(peer)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in INSIDE)


__all__ = ["figures", "metrics"]
