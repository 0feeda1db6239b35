"""One frame around every request of every wire: its id, its span, its duration, its line in the log."""

import logging
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from iam.observe import meter, spans

REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")
NO_ROUTE = "other"
QUIET = ("/debug/healthz", "/debug/ready", "/debug/metrics", "/debug/validate", NO_ROUTE)
log = logging.getLogger("gatehouse.request")


@dataclass
class Served:
    """What is known of a request while it is answered; nothing of it is personal or secret."""

    request_id: str
    method: str
    wire: str = "web"
    route: str = NO_ROUTE
    status: str = ""
    outcome: str = ""
    instance: str = ""
    trace_id: str = ""


def outcome_of(status: int) -> str:
    """What a status means to whoever watches: a method that is not there is no failure of the server."""
    return "failed" if status >= 500 and status != 501 else "refused" if status >= 400 else "ok"


current: ContextVar[Served | None] = ContextVar("gatehouse_request", default=None)


def request_id_of(sent: str) -> str:
    """The id that the caller gave, when it is one; else a new one (checklist H08)."""
    return sent if REQUEST_ID.fullmatch(sent) else secrets.token_hex(8)


def of_instance(instance: str) -> None:
    """Note whose request it is."""
    if served := current.get():
        served.instance = instance


@contextmanager
def serving(served: Served, traceparent: str, *, trusted: bool) -> Iterator[Served]:
    """Around the answer. Whoever answers fills in route, status and outcome."""
    token, started = current.set(served), time.perf_counter()
    try:
        with spans.root(served.method, traceparent, trusted=trusted) as span:
            caller = spans.parsed(traceparent) if trusted else None
            served.trace_id = spans.trace_id(span) or (caller[0] if caller else "")
            try:
                yield served
            except BaseException:
                served.status, served.outcome = served.status or "500", served.outcome or "failed"
                raise
            finally:
                served.status, served.outcome = served.status or "ok", served.outcome or "ok"
                if span is not None:
                    _tell(span, served)
                _finish(served, time.perf_counter() - started)
    finally:
        current.reset(token)


def _tell(span: object, served: Served) -> None:
    span.update_name(f"{served.method} {served.route}")  # type: ignore[attr-defined]
    told = {
        "http.request.method": served.method,
        "http.route": served.route,
        "http.response.status_code": served.status,
        "gatehouse.wire": served.wire,
        "gatehouse.instance": served.instance,
        "gatehouse.request_id": served.request_id,
    }
    span.set_attributes(told)  # type: ignore[attr-defined]


def _finish(served: Served, seconds: float) -> None:
    meter.add(
        "gatehouse_request_duration_seconds",
        seconds,
        wire=served.wire,
        method=served.method,
        route=served.route,
        outcome=served.outcome,
    )
    level = logging.ERROR if served.outcome == "failed" else logging.DEBUG if served.route in QUIET else logging.INFO
    told = {
        "wire": served.wire,
        "route": served.route,
        "status": served.status,
        "duration_ms": round(seconds * 1000, 2),
    }
    log.log(level, "request served", extra={"told": {"method": served.method, **told}})
