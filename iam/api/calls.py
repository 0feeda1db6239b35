"""From an RPC call to the method table and back: what the caller said, what a refusal looks like."""

import logging
import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError, ErrorDetail
from django.conf import settings
from django.db import close_old_connections
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import RetryInfo
from protobuf import message_from_json_value
from protobuf.wkt import Any as AnyDetail
from protobuf.wkt import Struct

from eventstore import outage
from iam.access.caller import RequestMeta
from iam.access.hosts import host_asked, public_host
from iam.api.errors import Told, told, type_url
from iam.api.methods import Exchange, answer
from iam.cache import epochs
from iam.kernel.context import Deadline
from iam.kernel.errors import Refusal
from iam.observe import exposition, requests
from iam.observe.requests import Served
from iam.peers import FORWARDED, client_address

log = logging.getLogger(__name__)
LONGEST_WAIT = timedelta(days=1)


def called(full: str, request: Message, exchange: Exchange) -> Message:
    """The answer of a method; raises ConnectError."""
    meta = exchange.meta
    served = Served(meta.request_id, "POST", _wire(meta.headers.get("content-type", "")), f"/{full}")
    trusted = settings.CONFIG.Instrumentation.Trace.TrustRemoteSpans
    try:
        with requests.serving(served, meta.headers.get("traceparent", ""), trusted=trusted), epochs.noted():
            return _answered(full, request, exchange, served)
    finally:
        close_old_connections()
        exposition.refresh()


def _answered(full: str, request: Message, exchange: Exchange, served: Served) -> Message:
    try:
        return answer(full, request, exchange)
    except Refusal as refusal:
        refused, wait = told(refusal), getattr(refusal, "retry_after", None)
        served.status, served.outcome = refused.kind.connect, requests.outcome_of(refused.kind.http)
        if wait is not None:  # for clients and proxies that know HTTP only; the message's detail says it precisely
            exchange.headers["Retry-After"] = str(max(1, math.ceil(wait.total_seconds())))
        raise connect_error(refused, wait) from refusal
    except Exception as error:
        if outage.is_outage(error):
            outage.note(error, full)
        else:
            log.exception("%s failed", full)
        refused = told(error)
        served.status, served.outcome = refused.kind.connect, "failed"
        raise connect_error(refused) from error


def _wire(content_type: str) -> str:
    """Which of the three it is."""
    if content_type.startswith("application/grpc-web"):
        return "grpc_web"
    return "grpc" if content_type.startswith("application/grpc") else "connect"


def connect_error(refused: Told, retry_after: timedelta | None = None) -> ConnectError:
    """A refusal for Connect, gRPC and gRPC-Web, with the API's error detail and when to come back (google.rpc.RetryInfo)."""
    details = [] if (found := refused.detail) is None else [_Detail(found)]
    if retry_after is not None:
        retry = RetryInfo()
        retry.retry_delay.FromTimedelta(retry_after)
        details.append(_Detail(retry))
    return ConnectError(Code(refused.kind.connect), refused.message, details)


class _Detail(ErrorDetail):
    """A detail that Connect shows in clear, too (`debug`): the library cannot do it, as it does not know our messages."""

    def __init__(self, detail: Message) -> None:
        super().__init__(AnyDetail(type_url=type_url(detail), value=detail.SerializeToString()))
        self.shown = message_from_json_value(Struct, json_format.MessageToDict(detail))

    def value(self, *_: Any) -> Any:
        """What `debug` says."""
        return self.shown


def meta_of_call(context: Any) -> RequestMeta:
    """What the access room needs of a call."""
    headers = _joined(context.request_headers.allitems())
    peer = (context.client_address or "").rsplit(":", 1)[0].strip("[]")
    return RequestMeta(
        host=host_asked(headers, peer),
        headers=headers,
        public_host=public_host(headers, peer),
        remote_addr=client_address(peer, headers.get(FORWARDED, "")),
        request_id=requests.request_id_of(headers.get("x-request-id", "")),
        deadline=_deadline(context.timeout_ms),
    )


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by name; one that came twice is one with a comma, as over REST (RFC 9110 §5.3)."""
    joined: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        joined[lower] = f"{joined[lower]},{value}" if lower in joined else value
    return joined


def _deadline(left: float | None) -> Deadline | None:
    """When the caller stops waiting (`grpc-timeout`, `Connect-Timeout-Ms`); None when that was not said."""
    if left is None or left >= LONGEST_WAIT / timedelta(milliseconds=1):
        return None
    return Deadline(datetime.now(UTC) + timedelta(milliseconds=left))
