"""Every answer's frame: request id, security headers, the public origin."""

import re
import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'{targets}; frame-ancestors {ancestors}; base-uri 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # none at all makes browsers send `Origin: null` with our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")


def request_frame(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give each request an id and each answer its security headers (checklist H09).

    A page that must post on to a client's address names the origin in `response.form_targets`; one that may be shown
    in a frame names who may show it in `response.frame_ancestors`.
    """

    def framed(request: HttpRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-Id", "")
        request.request_id = sent if REQUEST_ID.fullmatch(sent) else secrets.token_hex(8)  # type: ignore[attr-defined]
        if settings.CONFIG.ExternalSecure:
            request.META["wsgi.url_scheme"] = "https"
        response = answer(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        targets = "".join(f" {target}" for target in getattr(response, "form_targets", ()))
        framing = " ".join(getattr(response, "frame_ancestors", ()))
        if framing:
            del response.headers["X-Frame-Options"]  # cannot name origins; the policy below does
        ancestors = framing or "'none'"
        response.headers.setdefault("Content-Security-Policy", CSP.format(targets=targets, ancestors=ancestors))
        if settings.CONFIG.ExternalSecure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        response.headers["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response

    return framed
