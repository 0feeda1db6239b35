"""Who is really at the other end: the address that a trusted proxy tells, or the connection's own (checklist P04, H02)."""

import ipaddress
from functools import lru_cache

from django.conf import settings

FORWARDED = "x-forwarded-for"
MOST_HOPS = 20


def client_address(peer: str, forwarded: str) -> str:
    """The address of the client.

    Each trusted proxy appends the address that it saw, so the list is read from its end; the first one that is not a
    trusted proxy is the client. What stands before it is only what the client says.
    """
    hops = _hops(forwarded)
    address = peer
    while hops and is_trusted(address):
        address = hops.pop()
    return address if _parsed(address) else peer


def trusted_hops(peer: str, forwarded: str) -> int:
    """How many trusted proxies a request came through, one after the other: 0 when whoever connects is none."""
    seen = [*_hops(forwarded), peer]
    return next((count for count, address in enumerate(reversed(seen)) if not is_trusted(address)), len(seen))


def _hops(forwarded: str) -> list[str]:
    return [hop.strip() for hop in forwarded.split(",") if hop.strip()][-MOST_HOPS:]


def is_trusted(address: str) -> bool:
    """Whether an address is that of a named proxy."""
    return is_within(address, settings.CONFIG.TrustedProxies)


def is_within(address: str, networks: str) -> bool:
    """Whether an address is of one of the networks, which stand with commas."""
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in _networks(networks))


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


@lru_cache(maxsize=8)
def _networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(one.strip(), strict=False) for one in text.split(",") if one.strip())
