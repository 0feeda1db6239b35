"""Which addresses an application may register (reference/oidc.md §3; RFC 6749 §3.1.2, RFC 8252, RFC 9700 §2.1)."""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from iam.kernel.errors import InvalidInput
from iam.kernel.hosts import host_name

WEB, USER_AGENT, NATIVE = 0, 1, 2
DANGEROUS = {"javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem", "mailto", "tel"}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
FORBIDDEN = re.compile(r"[\s\x00-\x20\x7f\\<>\"{}|^`]")
LONGEST = 2000
MOST = 100


def check_uris(uris: tuple[str, ...], *, dev_mode: bool, field: str) -> None:
    """Raises InvalidInput naming the first address that may not be registered, and why."""
    if len(uris) > MOST:
        raise InvalidInput("app.too_many_uris", field=field, reason=f"at most {MOST}")
    for uri in uris:
        if problem := problem_of(uri, dev_mode=dev_mode):
            raise InvalidInput("app.redirect_uri_invalid", field=field, reason=f"{uri[:200]}: {problem}")


def problem_of(uri: str, *, dev_mode: bool) -> str:
    """Why an address may not be registered; empty when it may.

    What is merely weak may be: it is listed as a problem of the application, and not answered (`weakness_of`).
    """
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
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return "must not carry user information"
    if parts.netloc and not _is_host(parts.netloc.replace("*", "x")):
        return "has a host that is none; write an international name in its ASCII form (xn--…)"
    if scheme in ("http", "https") and not parts.hostname:
        return "needs a host"
    return _problem_of_wildcard(parts, dev_mode=dev_mode) if "*" in uri else ""


def _is_host(netloc: str) -> bool:
    """Whether it can stand in headers, as a source of the content policy does (Content Security Policy 3 §2.3.1)."""
    try:
        host_name(netloc)
    except ValueError:
        return False
    return True


def _problem_of_wildcard(parts: SplitResult, *, dev_mode: bool) -> str:
    """In dev mode a part of a path or of the first label of a host may be left open; never the whole host (checklist R07)."""
    if not dev_mode:
        return "must not have a wildcard (only in dev mode)"
    first, _, rest = parts.netloc.partition(".")
    open_host = "*" in parts.netloc and ("*" in rest or ":" in first or not rest.partition(":")[0])
    if open_host or "*" in parts.query or parts.scheme not in ("http", "https"):
        return "may have a wildcard only in its path and in the first label of its host"
    return ""


def weakness_of(uri: str, *, app_type: int, dev_mode: bool) -> str:
    """Why an address that is registered is not answered nevertheless; empty when it is (RFC 8252 §7, §8.4, checklist R06)."""
    parts = urlsplit(uri)
    if parts.scheme.lower() not in ("http", "https"):
        return "" if app_type == NATIVE else "only native applications may use a scheme of their own"
    if parts.scheme.lower() == "https" or dev_mode or (parts.hostname or "") in LOOPBACK:
        return ""
    return "needs https (plain http only on localhost or in dev mode)"


def fits_pattern(uri: str, pattern: str) -> bool:
    """Whether an address is one of those that a registered one with wildcards leaves open.

    `*` stands for a part of one label of a host, or of one step of a path; nothing that means more than itself.
    """
    try:
        wanted, given = urlsplit(pattern), urlsplit(uri)
    except ValueError:
        return False
    if not _fits(given.netloc, wanted.netloc, r"[A-Za-z0-9-]+") or {".", ".."} & set(given.path.split("/")):
        return False
    rest = uri.removeprefix(f"{wanted.scheme}://{given.netloc}")
    return rest != uri and _fits(rest, pattern.removeprefix(f"{wanted.scheme}://{wanted.netloc}"), r"[A-Za-z0-9._~-]*")


def _fits(text: str, pattern: str, filling: str) -> bool:
    return bool(re.fullmatch(filling.join(map(re.escape, pattern.split("*"))), text, re.ASCII))


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
