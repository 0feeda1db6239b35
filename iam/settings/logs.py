"""The log on stderr through structlog: text or JSON lines, every line with its request, nothing personal or secret in any.

Our own lines hold ids and words of ours only. Lines of libraries go through the same pipe: what looks like a credential, an
address or a query string is masked, control characters are escaped, and of an error its kind and place are told, never its
message, which may quote a row or a request (checklist H08).
"""

import copy
import json
import logging
import re
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog

Event = MutableMapping[str, Any]
MASK = "****"
LONGEST = 2000
MOST_FRAMES = 12
SECRETS = re.compile(
    r"(?i)(?:\b(?:bearer|basic|dpop)\s+[\w.~+/=-]+)"
    r"|(?:\bgth[a-z]_\w+)"
    r"|(?:\beyJ[\w-]*(?:\.[\w-]*){0,2})"
    r"|(?:[^\s\"'=<>(,;]+@[^\s\"'<>),;]+)"
    r"|(?:(?<=\?)[^\s\"'<>]+)"
    r"|(?:\b(?:[\w-]*(?:password|secret|token|code|assertion|verifier|masterkey|cookie|authorization|login_?name|e?mail|phone)[\w-]*)"
    r"[\"']?\s*[=:]\s*[\"']?(?:(?:bearer|basic|dpop)\s+)?[^\s\"'&,;}]+)"
)
CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}
SAFE_MESSAGES = ("OperationalError", "ConnectionError", "TimeoutError", "PoolTimeout")
"""Kinds whose first line names a host or a port and no row."""


def clean(text: str) -> str:
    """A text of somebody else, fit for the log."""
    return SECRETS.sub(MASK, text).translate(CONTROL)[:LONGEST]


def told_of(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> dict[str, Any]:
    """An error for the log: its kind and where it came from."""
    frames = traceback.extract_tb(trace)[-MOST_FRAMES:]
    told: dict[str, Any] = {
        "error": kind.__name__,
        "at": [f"{frame.filename.rsplit('site-packages/')[-1]}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if kind.__name__ in SAFE_MESSAGES:
        told["reason"] = clean((str(error).splitlines() or [""])[0])
    return told


def _with_request(_: Any, __: str, event: Event) -> Event:
    from iam.observe.requests import current  # settings are read before the rooms may be loaded

    if served := current.get():
        told = {"request_id": served.request_id, "trace_id": served.trace_id, "instance": served.instance}
        event.update({name: value for name, value in told.items() if value})
    return event


def _with_fields(_: Any, __: str, event: Event) -> Event:
    """What our own lines tell beside their sentence."""
    record = event.get("_record")
    event.update(getattr(record, "told", {}))
    return event


def _with_error(_: Any, __: str, event: Event) -> Event:
    found = event.pop("exc_info", None)
    if isinstance(found, tuple) and found[0] is not None:
        event.update(told_of(*found))
    event.pop("stack_info", None)
    return event


def _masked(_: Any, __: str, event: Event) -> Event:
    event["event"] = clean(str(event["event"]))
    return event


def _text(_: Any, __: str, event: Event) -> str:
    """`time LEVEL logger sentence key=value …`: one line whatever the values hold."""
    head = " ".join(str(event.pop(name, "")) for name in ("time", "level", "logger", "event"))
    rest = " ".join(f"{name}={_value(value)}" for name, value in event.items())
    return f"{head} {rest}".strip()


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else " < ".join(value) if isinstance(value, list) else json.dumps(value)
    return text if re.fullmatch(r"[\w./:+{}-]+", text, re.ASCII) else json.dumps(text)


class Lines(structlog.stdlib.ProcessorFormatter):
    """Formats records; an error among a sentence's arguments is told by its kind."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        if isinstance(record.args, tuple) and any(isinstance(one, BaseException) for one in record.args):
            record = copy.copy(record)
            record.args = tuple(type(one).__name__ if isinstance(one, BaseException) else one for one in record.args)
        return super().format(record)


def lines(form: str = "text") -> Lines:
    """The formatter of a form: text or json."""
    before: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    after: list[Any] = [
        _with_request,
        _with_fields,
        _with_error,
        _masked,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(sort_keys=False) if form == "json" else _text,
    ]
    return Lines(foreign_pre_chain=before, processors=after)


def level_of(word: str) -> str:
    """The level as Python's logging names it."""
    return {"WARN": "WARNING"}.get(word.upper(), word.upper())


def configuration(level: str, form: str) -> dict[str, Any]:
    """Django's LOGGING. Requests are logged by us, so what Django says about them stays quiet."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "iam.settings.logs.lines", "form": form}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level_of(level)},
        "loggers": {
            "django": {"handlers": [], "level": level_of(level), "propagate": True},
            "django.request": {"level": "CRITICAL"},
            "django.db.backends": {"level": "WARNING"},  # at debug it would log values
            "django.server": {"handlers": [], "propagate": True},
            **{
                name: {"level": "WARNING"}
                for name in ("asyncio", "opentelemetry", "httpcore", "h2", "hpack", "amqp", "kombu")
            },
        },
    }
