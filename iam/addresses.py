"""Which addresses may be called: the public Internet, and what of the inner networks the operator lets be called."""

import ipaddress
import socket
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NAT64 = ipaddress.ip_network("64:ff9b::/96")
UNICAST = ipaddress.ip_network("2000::/3")
"""The only IPv6 addresses that are given out (RFC 4291 §2.4, IANA IPv6 address space)."""
SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        (
            *(
                "0.0.0.0/8",
                "10.0.0.0/8",
                "100.64.0.0/10",
                "127.0.0.0/8",
                "169.254.0.0/16",
                "172.16.0.0/12",
                "192.0.0.0/24",
            ),
            *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
        ),
    )
)
"""What the IANA registries for special purposes do not call globally reachable (RFC 6890, as of 2025), deprecated ones included."""
REACHABLE = tuple(
    map(
        ipaddress.ip_network,
        (
            *("192.0.0.9/32", "192.0.0.10/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:3::/32"),
            *("2001:4:112::/48", "2001:20::/28", "2001:30::/28"),
        ),
    )
)
"""And what they do, inside those."""
INNER = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
    "169.254.0.0/16",
    "fe80::/10",
    "localhost",
)
"""Loopback, private and link-local networks: what is refused unless the operator lists something else."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public Internet; one that only stands for an IPv4 address counts as that."""
    translated = isinstance(address, ipaddress.IPv6Address) and (address in NAT64 or address.ipv4_mapped)
    return _is_given_out(_meant(address)) and (bool(translated) or _is_given_out(address))


def _is_given_out(address: Address) -> bool:
    if address.version == 6 and address not in UNICAST:
        return False
    return any(address in network for network in REACHABLE) or not any(address in network for network in SPECIAL)


def _meant(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, or the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address
    return address


@dataclass(frozen=True)
class Denied:
    """What an operator lets nobody call: networks, and hosts by name.

    The inner networks are called once they are not listed any more; what is no address of a machine at all never is.
    """

    networks: tuple[Network, ...]
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, entries: Collection[str]) -> "Denied":
        """From networks and names."""
        hosts = frozenset(one.lower().rstrip(".") for one in entries if not _is_network(one))
        networks = tuple(ipaddress.ip_network(one, strict=False) for one in entries if _is_network(one))
        return cls(networks, hosts)

    def allows(self, address: Address) -> bool:
        """Whether an address may be called."""
        meant = _meant(address)
        if any(meant in network for network in self.networks):
            return False
        return is_public(meant) or any(meant in network for network in _INNER.networks)

    def names(self, host: str) -> bool:
        """Whether a host is denied by its name."""
        return host.lower().rstrip(".") in self.hosts


def _is_network(text: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.ip_network(text, strict=False))
    return False


_INNER = Denied.of(INNER)


def addresses_of(host: str) -> list[Address]:
    """Where a host is, as the system resolves it; numbers in any notation come out as the address they mean."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
