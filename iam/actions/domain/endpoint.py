"""Where a webhook is called: an https address that says nothing but host, port, path and query (checklist S01, S04)."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from iam.kernel.errors import InvalidInput

LONGEST = 2048
HTTPS, FIRST_FREE_PORT = 443, 1024
PRINTABLE = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Endpoint:
    """An address in its parts."""

    host: str
    port: int
    path: str


def endpoint_of(url: str) -> Endpoint:
    """The parts of an address; raises InvalidInput unless it is https, without credentials, at 443 or a port from 1024."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", HTTPS if parts.port is None else parts.port
    except ValueError:
        raise _invalid() from None
    is_plain = len(url) <= LONGEST and PRINTABLE.fullmatch(url) and "\\" not in url and "@" not in parts.netloc
    if not is_plain or parts.scheme != "https" or parts.fragment or not _is_host(host):
        raise _invalid()
    if port != HTTPS and port < FIRST_FREE_PORT:
        raise _invalid()
    path = parts.path or "/"
    return Endpoint(host, port, f"{path}?{parts.query}" if parts.query else path)


def _is_host(host: str) -> bool:
    """Letters, digits, dots and hyphens, or an IPv6 address; never a zone of this machine."""
    return 0 < len(host) <= 253 and all(sign.isalnum() or sign in "-._:" for sign in host)


def _invalid() -> InvalidInput:
    return InvalidInput("target.endpoint_invalid", field="endpoint")
