"""The way out: https to public addresses, and DNS. Every call that somebody else's value leads to goes through here.

Checklist S01 to S06, S09: the name is resolved once, every address of it must be public, and the connection goes to the
address that was checked, with the certificate checked against the name. No redirects, no proxies from the environment, no
compression; time and size are bounded as a whole. Whatever goes wrong answers nothing, and says why only in the log.
"""

import http.client
import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import dns.exception
import dns.resolver

from iam.addresses import INNER, Address, Denied, addresses_of, is_public

log = logging.getLogger(__name__)
SECONDS = 5.0
LEAST_SECONDS = 0.001
MOST_BYTES = 4096
MOST_RECORDS = 100


class ForbiddenError(Exception):
    """The name leads to an address that is not public, or to none."""


@dataclass(frozen=True)
class Outgoing:
    """The client. What a test replaces: how names are resolved, which addresses are allowed, the port, whom TLS trusts."""

    resolve: Callable[[str], list[Address]] = addresses_of
    allows: Callable[[Address], bool] = is_public
    refuses: Callable[[str], bool] = Denied.of(INNER).names
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

    def status_of_post(
        self, host: str, port: int, path: str, body: bytes, headers: Mapping[str, str], *, seconds: float
    ) -> int:
        """The status that answers a POST of JSON to `https://host:port/path`; 0 when none came, whatever the reason."""
        try:
            with self._connected(host, port, seconds) as secure:
                return _status(secure, host, port, path, body, headers)
        except (OSError, http.client.HTTPException, ForbiddenError, ValueError) as failed:
            log.info("no answer from https://%s: %s", host, failed)
            return 0

    def leads_inside(self, host: str) -> bool:
        """Whether a host is one that must not be called; one that is not found leads nowhere yet."""
        try:
            return self.refuses(host) or not all(map(self.allows, self._found(host, self.seconds)))
        except (OSError, ValueError):
            return False

    def checked_address(self, host: str) -> Address:
        """An address of a host; raises ForbiddenError unless every one is allowed."""
        return self._checked(host, self.seconds)[0]

    def _checked(self, host: str, seconds: float) -> list[Address]:
        found = [] if self.refuses(host) else self._found(host, seconds)
        if not found or not all(self.allows(one) for one in found):
            raise ForbiddenError("not a public address")
        return found

    def _found(self, host: str, seconds: float) -> list[Address]:
        """The addresses of a host, within a time that the system's resolver does not keep by itself; raises OSError."""
        answer: queue.SimpleQueue[list[Address] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answer.put(self.resolve(host))
            except Exception as failed:  # whatever it was belongs to who waits
                answer.put(failed)

        threading.Thread(target=ask, name="resolver", daemon=True).start()
        try:
            found = answer.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError("the name was not resolved in time") from None
        if isinstance(found, Exception):
            raise found
        return found

    def _fetched(self, host: str, path: str) -> str:
        with self._connected(host, self.port, self.seconds) as secure:
            return _text(secure, host, path)

    @contextmanager
    def _connected(self, host: str, port: int, seconds: float) -> Iterator[ssl.SSLSocket]:
        """A conversation with an address that was checked; it ends when its time is over, wherever it stands."""
        until = time.monotonic() + seconds
        raw = _socket(self._checked(host, seconds), port, until)
        with self.trust.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False) as secure:
            end = threading.Timer(_left(until), _shut, [secure])
            end.start()
            try:
                secure.do_handshake()
                yield secure
            finally:
                end.cancel()
            if time.monotonic() >= until:
                raise TimeoutError("it lasted too long")  # what was cut off may look complete


def _socket(addresses: list[Address], port: int, until: float) -> socket.socket:
    """A connection to the first address that takes it; raises OSError."""
    for number, address in enumerate(addresses, start=1):
        try:
            return socket.create_connection((str(address), port), timeout=_left(until))
        except OSError:
            if number == len(addresses) or time.monotonic() >= until:
                raise
    raise OSError("no address")


def _left(until: float) -> float:
    return max(until - time.monotonic(), LEAST_SECONDS)


class _Conversation(http.client.HTTPConnection):
    """HTTP over a socket that speaks TLS already; the library's own class reads every authority of the system each time."""

    default_port = http.client.HTTPS_PORT


def _text(secure: ssl.SSLSocket, host: str, path: str) -> str:
    connection = _Conversation(host, http.client.HTTPS_PORT)
    connection.sock = secure
    connection.request("GET", path, headers={"Accept": "text/plain", "Accept-Encoding": "identity"})
    answer = connection.getresponse()
    if answer.status != http.client.OK or answer.getheader("Content-Encoding", "identity") != "identity":
        return ""
    content = answer.read(MOST_BYTES + 1)
    return content.decode() if len(content) <= MOST_BYTES else ""


def _status(secure: ssl.SSLSocket, host: str, port: int, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Nothing of the answer is read but its head."""
    connection = _Conversation(host, port)
    connection.sock = secure
    told = {"Content-Type": "application/json", "Accept-Encoding": "identity", "Connection": "close", **headers}
    connection.request("POST", path, body, told)
    return connection.getresponse().status


def _shut(secure: ssl.SSLSocket) -> None:
    """End a conversation that lasts too long, wherever it stands: below TLS, so that whoever waits wakes up."""
    with suppress(OSError):
        socket.socket.shutdown(secure, socket.SHUT_RDWR)
