"""Which addresses an application may register (reference/oidc.md §3; RFC 6749 §3.1.2, RFC 8252, RFC 9700 §2.1)."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from iam.kernel.errors import InvalidInput
from iam.kernel.hosts import host_name

WEB, USER_AGENT, NATIVE = 0, 1, 2
DANGEROUS = {"javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem", "mailto", "tel"}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
FORBIDDEN = re.compile(r"[\s\x00-\x20\x7f\\<>\"{}|^`]")
LONGEST = 2000
MOST = 100


def check_uris(uris: tuple[str, ...], *, app_type: int, dev_mode: bool, field: str) -> None:
    """Raises InvalidInput naming the first address that may not be registered, and why."""
    if len(uris) > MOST:
        raise InvalidInput("app.too_many_uris", field=field, reason=f"at most {MOST}")
    for uri in uris:
        if problem := problem_of(uri, app_type=app_type, dev_mode=dev_mode):
            raise InvalidInput("app.redirect_uri_invalid", field=field, reason=f"{uri[:200]}: {problem}")


def problem_of(uri: str, *, app_type: int, dev_mode: bool) -> str:
    """Why an address may not be registered; empty when it may."""
    if len(uri) > LONGEST or FORBIDDEN.search(uri):
        return "contains characters that do not belong into an address"
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return "is not an address"
    scheme = parts.scheme.lower()
    if not scheme:
        return "needs a scheme such as https"
    if scheme in DANGEROUS:
        return f"the scheme {scheme} is never allowed"
    if "#" in uri:
        return "must not have a fragment"
    if "*" in uri:
        return "must not have a wildcard"
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return "must not carry user information"
    if parts.netloc and not _is_host(parts.netloc):
        return "has a host that is none; write an international name in its ASCII form (xn--…)"
    if scheme in ("http", "https"):
        return _problem_of_web(scheme, parts.hostname or "", app_type=app_type, dev_mode=dev_mode)
    return "" if app_type == NATIVE else "only native applications may use a scheme of their own"


def _is_host(netloc: str) -> bool:
    """Whether it can stand in headers, as a source of the content policy does (Content Security Policy 3 §2.3.1)."""
    try:
        host_name(netloc)
    except ValueError:
        return False
    return True


def _problem_of_web(scheme: str, host: str, *, app_type: int, dev_mode: bool) -> str:
    if not host:
        return "needs a host"
    if scheme == "https" or dev_mode or host in LOOPBACK:
        return ""
    return "needs https (plain http only on localhost or in dev mode)"


def origins_of(uris: Iterable[str]) -> frozenset[str]:
    """The web origins of some addresses."""
    return frozenset(origin for origin in map(origin_of, uris) if origin)


def origin_of(uri: str) -> str:
    """scheme://host[:port] of an http(s) address, in lower case and without a default port; otherwise empty."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != default else "")
