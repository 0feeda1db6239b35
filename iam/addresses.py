"""Which addresses may be called: the public Internet, and what of the inner networks the operator lets be called."""

import ipaddress
import socket
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NAT64 = ipaddress.ip_network("64:ff9b::/96")
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
    """Whether an address belongs to the public Internet; an IPv4 address inside an IPv6 one counts as what it is."""
    meant = _meant(address)
    return meant.is_global and not meant.is_multicast


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
