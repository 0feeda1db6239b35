"""Which host a request is for: the one it names, or the one that a trusted proxy says it named (checklist H01, H02)."""

from collections.abc import Mapping

from django.conf import settings

from iam.access.forwarded import elements_of, node_of
from iam.kernel.errors import InvalidInput
from iam.kernel.hosts import host_name
from iam.peers import FORWARDED, is_trusted, trusted_hops

HOST = "host"
INSTANCE_HOST = "x-zitadel-instance-host"
PUBLIC_HOST = "x-zitadel-public-host"
FORWARDED_ELEMENTS = "forwarded"
FORWARDED_HOST = "x-forwarded-host"


def origin_of(host: str) -> str:
    """The public origin of a host: its name with the scheme and port of the configuration, no port where it is the scheme's own.

    The only place where an origin is made. Raises InvalidInput for what is no host name.
    """
    return str(settings.CONFIG.origin(checked(host)))


def checked(host: str) -> str:
    """The name of a host as it is compared; raises InvalidInput."""
    try:
        return host_name(host)
    except ValueError as wrong:
        raise InvalidInput("auth.host_invalid", field=HOST) from wrong


def host_asked(headers: Mapping[str, str], peer: str) -> str:
    """The name of the host that a client asked for; raises InvalidInput. Header names in lower case.

    Without a trusted proxy at the other end, what headers other than Host say is what the client says: nothing.
    """
    told = _forwarded_host(headers, peer) if is_trusted(peer) else ""
    return checked(told or headers.get(HOST, ""))


def public_host(headers: Mapping[str, str], peer: str) -> str:
    """The host that a trusted proxy, or a login of one's own behind it, wants links to lead to; empty when none says so."""
    named = headers.get(PUBLIC_HOST, "").strip()
    return checked(named) if named and is_trusted(peer) else ""


def _forwarded_host(headers: Mapping[str, str], peer: str) -> str:
    if named := headers.get(INSTANCE_HOST, "").strip():
        return named
    if FORWARDED_ELEMENTS in headers and (named := _of_elements(headers[FORWARDED_ELEMENTS])):
        return named
    hosts = [one.strip() for one in headers.get(FORWARDED_HOST, "").split(",") if one.strip()]
    if not hosts:
        return ""
    return hosts[-min(len(hosts), trusted_hops(peer, headers.get(FORWARDED, "")))]


def _of_elements(header: str) -> str:
    """The host that the outermost trusted proxy was asked for: each one's element says who asked it (RFC 7239 §5.2, §5.3)."""
    try:
        elements = elements_of(header)
    except ValueError as wrong:
        raise InvalidInput("auth.host_invalid", field=FORWARDED_ELEMENTS) from wrong
    named = ""
    for element in reversed(elements):
        named = element.get("host", named)
        if not is_trusted(node_of(element)):
            break
    return named
