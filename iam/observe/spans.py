"""Spans of traces. Without an exporter nothing of OpenTelemetry is loaded and a span costs one comparison."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

_tracer: list[Any] = []
TABLE = re.compile(r'\b(?:FROM|INTO|UPDATE)\s+"?(\w+)', re.IGNORECASE)
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
ZEROS = re.compile(r"0+")


def trace_with(tracer: Any) -> None:
    """Make spans with a tracer of OpenTelemetry from now on; None ends it."""
    _tracer[:] = [tracer] if tracer is not None else []


def span(name: str, **attributes: str) -> Any:
    """A context manager around a piece of work; its value is the span, or None. Attributes hold no value of a request."""
    if not _tracer:
        return nullcontext()
    return _tracer[0].start_as_current_span(name, attributes=attributes, record_exception=False)


def root(name: str, traceparent: str, *, trusted: bool) -> Any:
    """The span of a request: a child of its caller's when callers are trusted, else the start of a trace."""
    if not _tracer:
        return nullcontext()
    from opentelemetry.context import Context  # only where spans are made
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    caller = Context()
    if trusted and parsed(traceparent):
        caller = TraceContextTextMapPropagator().extract({"traceparent": traceparent}, context=caller)
    return _tracer[0].start_as_current_span(name, context=caller, kind=SpanKind.SERVER, record_exception=False)


def parsed(traceparent: str) -> tuple[str, str] | None:
    """Trace id and span id of a well-formed header (W3C Trace Context §3.2), else None."""
    found = TRACEPARENT.fullmatch(traceparent)
    if found is None or ZEROS.fullmatch(found[1]) or ZEROS.fullmatch(found[2]):
        return None
    return found[1], found[2]


def trace_id(span: Any) -> str:
    """The id of the trace that a span belongs to; empty without a span."""
    return f"{span.get_span_context().trace_id:032x}" if span is not None else ""


def statement(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Around each statement of Django: its verb and table are told, its text and values are not."""
    if not _tracer:
        return execute(sql, params, many, context)
    text = str(sql)
    verb, table = text.split(None, 1)[0].upper() if text.strip() else "SQL", TABLE.search(text)
    name = f"{verb} {table[1]}" if table else verb
    with span(name, **{"db.system.name": context["connection"].vendor, "db.operation.name": verb}):
        return execute(sql, params, many, context)


@contextmanager
def pushing(facts: int) -> Iterator[None]:
    """Around a push to the log."""
    with span("push", **{"gatehouse.facts": str(facts)}):
        yield
