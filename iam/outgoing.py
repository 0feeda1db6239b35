"""The way out: https to public addresses, and DNS. Every call that somebody else's value leads to goes through here.

Checklist S01 to S06, S09: the name is resolved once, every address of it must be public, and the connection goes to the
address that was checked, with the certificate checked against the name. Port 443, no redirects, no proxies from the
environment, no compression; time and size are bounded as a whole. Whatever goes wrong answers nothing, and says why only
in the log.
"""

import http.client
import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import dns.exception
import dns.resolver

log = logging.getLogger(__name__)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SECONDS = 5.0
MOST_BYTES = 4096
MOST_RECORDS = 100
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenError(Exception):
    """The name leads to an address that is not public, or to none."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public Internet; an IPv4 address inside an IPv6 one counts as what it is."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def addresses_of(host: str) -> list[Address]:
    """Where a host is, as the system resolves it; numbers in any notation come out as the address they mean."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]


@dataclass(frozen=True)
class Outgoing:
    """The client. What a test replaces: how names are resolved, which addresses are allowed, the port, whom TLS trusts."""

    resolve: Callable[[str], list[Address]] = addresses_of
    allows: Callable[[Address], bool] = is_public
    port: int = 443
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    names: dns.resolver.Resolver | None = None
    seconds: float = SECONDS

    def text_at(self, host: str, path: str) -> str:
        """The text under `https://host/path`; empty when there is none, whatever the reason."""
        try:
            return self._fetched(host, path)
        except (OSError, http.client.HTTPException, ForbiddenError, ValueError) as failed:
            log.info("nothing from https://%s: %s", host, failed)
            return ""

    def texts_of_name(self, name: str) -> frozenset[str]:
        """The TXT records of a name; empty when there are none, whatever the reason."""
        try:
            resolver = self.names or dns.resolver.Resolver()
            answer = resolver.resolve(name, "TXT", lifetime=self.seconds, search=False)
        except (dns.exception.DNSException, OSError, ValueError) as failed:
            log.info("no TXT record of %s: %s", name, failed)
            return frozenset()
        records = list(answer)[:MOST_RECORDS]
        return frozenset(b"".join(one.strings).decode("utf-8", "replace") for one in records)

    def checked_address(self, host: str) -> Address:
        """An address of a host; raises ForbiddenError unless every one is allowed."""
        found = self.resolve(host)
        if not found or not all(self.allows(one) for one in found):
            raise ForbiddenError("not a public address")
        return found[0]

    def _fetched(self, host: str, path: str) -> str:
        raw = socket.create_connection((str(self.checked_address(host)), self.port), timeout=self.seconds)
        with self.trust.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False) as secure:
            end = threading.Timer(self.seconds, _shut, [secure])
            end.start()
            try:
                secure.do_handshake()
                return _text(secure, host, path)
            finally:
                end.cancel()


def _text(secure: ssl.SSLSocket, host: str, path: str) -> str:
    connection = http.client.HTTPSConnection(host)
    connection.sock = secure
    connection.request("GET", path, headers={"Accept": "text/plain", "Accept-Encoding": "identity"})
    answer = connection.getresponse()
    if answer.status != http.client.OK or answer.getheader("Content-Encoding", "identity") != "identity":
        return ""
    content = answer.read(MOST_BYTES + 1)
    return content.decode() if len(content) <= MOST_BYTES else ""


def _shut(secure: ssl.SSLSocket) -> None:
    """End a conversation that lasts too long, wherever it stands: below TLS, so that whoever waits wakes up."""
    with suppress(OSError):
        socket.socket.shutdown(secure, socket.SHUT_RDWR)
