"""The headers that keep browsers from doing more with an answer than it is for; the same on every wire (checklist H09)."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings

from iam.kernel.hosts import host_name

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'{targets}; frame-ancestors {ancestors}; base-uri 'none'"
)
POLICY = "default-src 'none'; frame-ancestors 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # none at all makes browsers send `Origin: null` with our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
TRANSPORT = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
ANCESTOR = re.compile(r"[A-Za-z0-9+.-]+:|([a-z]+://)?[A-Za-z0-9*._\[\]:-]+/?", re.ASCII)
"""A source as an instance may have it set: with a scheme or without, with an asterisk for what stands before."""
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII | re.IGNORECASE)


def headers_of_all() -> dict[str, str]:
    """What every answer has, unless it says otherwise itself."""
    kept = {**HEADERS, "Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return kept | dict([TRANSPORT] if settings.CONFIG.ExternalSecure else [])


def page_policy(targets: Iterable[str], ancestors: Iterable[str]) -> str:
    """The content policy of a page: where its forms may lead besides here, and who may show it in a frame."""
    also = "".join(f" {source}" for source in map(source_of, targets) if source)
    framing = " ".join(one for one in ancestors if ANCESTOR.fullmatch(one))
    return PAGE_POLICY.format(targets=also, ancestors=framing or "'none'")


def source_of(address: str) -> str:
    """An address as a source of a content policy, a scheme alone where it is not of the web; empty when it cannot be one.

    Nothing of it may end the source: a semicolon would begin a directive, a comma another policy.
    """
    try:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https"):
            port = f":{parts.port}" if parts.port is not None else ""
            return f"{parts.scheme}://{host_name(_ascii(parts.netloc))}{port}"
    except ValueError:  # a host that is none
        return ""
    return f"{parts.scheme}:" if SCHEME.fullmatch(parts.scheme) else ""


def _ascii(netloc: str) -> str:
    return netloc if netloc.isascii() else netloc.encode("idna").decode()
