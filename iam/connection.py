"""A connection whose request line and headers are bounded in bytes and time (checklist N07; RFC 9112 §3, RFC 6585 §5).

gunicorn bounds each header and their number, not all of them together, and waits for them as long as they trickle.
"""

from typing import Any

from django.conf import settings
from gunicorn.asgi.parser import LimitRequestHeaders
from gunicorn.asgi.protocol import ASGIProtocol

from iam.settings.guards import headers_of_all

UNFINISHED = ("request_line", "headers")
BESIDE = 4
"""What stands between name and value of a header, and behind it."""


class Connection(ASGIProtocol):  # type: ignore[misc] - gunicorn has no types
    """gunicorn's connection; a head that is too large is 431, one that is too slow 408."""

    _head_timer: Any = None

    def connection_made(self, transport: Any) -> None:
        """The first request has to come now, in whichever protocol."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and look whether a head is still under way."""
        super().data_received(data)
        if self._head_is_unfinished():
            self._await_head()
            waiting = len(self._callback_parser._buffer)
            if _size(self._callback_parser) + waiting > settings.CONFIG.Limits.HeaderBytes:
                self._refuse(431, "Request headers are too large")
        elif self._h2c_buffer is None:
            self._forget_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """No head is waited for any more."""
        self._forget_head()
        super().connection_lost(exc)

    def _on_headers_complete(self) -> bool:
        if _size(self._callback_parser) > settings.CONFIG.Limits.HeaderBytes:
            raise LimitRequestHeaders("Request headers are too large")
        self._forget_head()
        return bool(super()._on_headers_complete())

    def _head_is_unfinished(self) -> bool:
        parser = self._callback_parser
        return parser is not None and parser._state in UNFINISHED

    def _await_head(self) -> None:
        if self._head_timer is None:
            seconds = settings.CONFIG.Limits.HeaderSeconds
            self._head_timer = self.worker.loop.call_later(seconds, self._head_is_late)

    def _forget_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._refuse(408, "The request did not arrive in time")

    def _refuse(self, status: int, message: str) -> None:
        self._forget_head()
        if self.reader is None:  # else it speaks HTTP/2, or has begun to: there is nobody to answer
            self._send_error_response(status, message)
        self._close_transport()
        if self._request_ready is not None:
            self._request_ready.set()

    def _send_error_response(self, status: int, message: str, extra_headers: Any = ()) -> None:
        super()._send_error_response(status, message, (*extra_headers, *headers_of_all().items()))


def _size(parser: Any) -> int:
    """Bytes of the lines of a head that have ended."""
    return len(parser.path or b"") + sum(len(name) + len(value) + BESIDE for name, value in parser._headers_list)
