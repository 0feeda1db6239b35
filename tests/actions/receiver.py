"""A receiver of webhooks with TLS of its own, as somebody would write one: it believes nothing that is not signed."""

import hashlib
import hmac
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.ports import free_port
from tests.servers import certify

TOLERANCE_SECONDS = 300


def check(header: str, body: bytes, keys: list[str], now: float | None = None) -> None:
    """As the reference's Go package checks (clients.md): one good `v1` of any key, not older than five minutes."""
    parts = [part.partition("=")[::2] for part in header.split(",")]
    (stamp,) = [value for name, value in parts if name == "t"]
    assert abs((now or time.time()) - int(stamp)) <= TOLERANCE_SECONDS, "too old"
    wanted = {hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest() for key in keys}
    assert wanted & {value for name, value in parts if name == "v1"}, "signed with no key that is known"


class Receiver:
    """Keeps what was sent and is signed with a key it knows; what is not, is wrong. `statuses` answers by turns, then 200."""

    def __init__(self, folder) -> None:
        self.keys: list[str] = []
        self.bodies: list[dict] = []
        self.headers: list[dict] = []
        self.wrong: list[object] = []
        self.statuses: list[int] = []
        self.redirect = ""
        self.seconds = 0.0
        self.port = free_port()
        self.certificate, key = folder / "receiver.pem", folder / "receiver-key.pem"
        certify(self.certificate, key)
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self.port}/hook?from=gatehouse"

    def close(self) -> None:
        """End."""
        self.server.shutdown()
        self.server.server_close()

    def _handler(site):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                site.take(self.headers, body)
                time.sleep(site.seconds)
                self.send_response(site.statuses.pop(0) if site.statuses else 200)
                if site.redirect:
                    self.send_header("Location", site.redirect)
                self.end_headers()
                self.wfile.write(b"secret answer of an inner service")

            def log_message(self, *_):
                pass

        return Handler

    def take(self, headers, body: bytes) -> None:
        """Check and keep."""
        try:
            check(headers["ZITADEL-Signature"], body, list(self.keys))
            self.headers.append(dict(headers))
            self.bodies.append(json.loads(body))
        except Exception as failure:
            self.wrong.append((repr(failure), dict(headers), body))
