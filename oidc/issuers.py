"""Whether an issuer or an audience is this instance: any of its hosts; no port counts (RFC 3986 §6.2.3, Discovery §4.3).

What was issued under another port or spelling stays good. A path, even `/`, names somebody else (checklist J08).
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from iam.access import hosts
from iam.instance.queries import leads_to
from iam.kernel.hosts import host_name

TOKEN_ENDPOINT = "/oauth/v2/token"  # noqa: S105 - a path


def is_issuer(instance: str, base_url: str, issuer: str) -> bool:
    """Whether what bears this issuer was issued by the instance, by the host asked for or another of its hosts."""
    name = _name(issuer)
    return bool(name) and (name == _name(base_url) or leads_to(instance, name))


def is_audience(instance: str, base_url: str, audience: Collection[str], *paths: str) -> bool:
    """Whether one of the audiences is the instance, by the scheme of its origin, or one of the `paths` there."""
    scheme = base_url.partition("://")[0]
    ours = (without_path(one, paths) for one in audience if one.partition("://")[0].lower() == scheme)
    return any(is_issuer(instance, base_url, one) for one in ours)


def same_host(one: str, other: str) -> bool:
    """Whether two issuers are one host: a code of one is nothing at another (checklist R12)."""
    name = _name(one)
    return bool(name) and name == _name(other)


def same_origin(one: str, other: str) -> bool:
    """Whether two origins have one scheme and host."""
    return same_host(one, other) and urlsplit(one).scheme == urlsplit(other).scheme


def origin_of(issuer: str) -> str:
    """The issuer in the one spelling that clients compare (RFC 9207 §2.4)."""
    return hosts.origin_of(_name(issuer))


def without_path(url: str, paths: Collection[str]) -> str:
    """An address without its path, where that is one of these."""
    return next((url.removesuffix(path) for path in paths if url.endswith(path)), url)


def _name(url: str) -> str:
    """The host of an http(s) origin; empty for anything that is more or less than one."""
    try:
        parts = urlsplit(url)
        alone = parts.scheme in ("http", "https") and len(url) == len(f"{parts.scheme}://{parts.netloc}")
        return host_name(parts.netloc) if alone else ""
    except ValueError:
        return ""
