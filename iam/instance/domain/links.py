"""Addresses among the settings: what may be kept, and where a sign-in without application goes."""

import re
from urllib.parse import urlsplit

from iam.kernel.errors import InvalidInput

LONGEST_LINK = 500
FORBIDDEN = re.compile(r"[\s<>\"'`\\]")
LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
BARE = re.compile(rf"(?:localhost|{LABEL}(?:\.{LABEL})+|{LABEL}(?=:[0-9]))(?::[0-9]{{1,5}})?(?:[/?].*)?")
"""A host with a port or a dot and no scheme, such as the provider's example `localhost:8080`."""
LOOPBACK = re.compile(r"(?:localhost|127\.0\.0\.1)(?:[:/?].*)?")


def check_link(link: str, name: str) -> None:
    """Raises InvalidInput for anything but a complete address of the web."""
    if not link:
        return
    if len(link) > LONGEST_LINK or FORBIDDEN.search(link) or not _of_the_web(_example(link)):
        raise InvalidInput("setting.link_invalid", field=name, reason=link[:100])


def check_destination(link: str, name: str) -> None:
    """Raises InvalidInput for what neither is a complete address nor becomes one by a scheme."""
    check_link(destination(link) if len(link) <= LONGEST_LINK else link, name)


def destination(link: str) -> str:
    """Where a browser is sent: an address that names no scheme gets https, on this machine http."""
    if not BARE.fullmatch(_example(link)):
        return link
    return f"{'http' if LOOPBACK.fullmatch(link) else 'https'}://{link}"


def _of_the_web(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:  # half an address in brackets
        return False
    return parts.scheme in ("https", "http") and bool(parts.netloc)


def _example(link: str) -> str:
    return link.replace("{{.Lang}}", "en")
