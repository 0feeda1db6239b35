"""Connect, gRPC and gRPC-Web into the method table: one ASGI application for every service."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from connectrpc.code import Code
from connectrpc.compat import google_protobuf_binary_codec, google_protobuf_json_codec
from connectrpc.errors import ConnectError, ErrorDetail
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.server import ConnectASGIApplication, Endpoint
from django.conf import settings
from django.db import close_old_connections
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import RetryInfo
from protobuf.wkt import Any as AnyDetail

from iam.access.caller import RequestMeta
from iam.access.peers import FORWARDED, client_address
from iam.api import descriptors, reflection
from iam.api.content import loads
from iam.api.errors import Told, told
from iam.api.gen import v1
from iam.api.limits import check_words
from iam.api.methods import Exchange, answer
from iam.kernel.errors import InvalidInput, Refusal

log = logging.getLogger(__name__)
Scope = dict[str, Any]
Asgi = Callable[[Scope, Any, Any], Awaitable[None]]


class _Json(type(google_protobuf_json_codec())):  # type: ignore[misc] - the library keeps the class to itself
    """Proto JSON that refuses unknown enum words instead of dropping them."""

    def decode(self, data: Any, message_class: Any) -> Any:
        """The message; raises ConnectError, or what the parser raises."""
        try:
            check_words(loads(bytes(data)), message_class.DESCRIPTOR)
        except InvalidInput as wrong:
            raise connect_error(told(wrong)) from wrong
        return super().decode(data, message_class)


class _Application(ConnectASGIApplication[None]):
    """One service; methods that are not registered answer unimplemented."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__(
            service=None,
            endpoints=lambda _: _endpoints(name),
            read_max_bytes=settings.CONFIG.Limits.RequestBytes,
            codecs=[google_protobuf_binary_codec(), _Json()],
        )

    @property
    def path(self) -> str:
        """Where the service is."""
        return f"/{self._name}"


def _endpoints(name: str) -> Mapping[str, Endpoint[Any, Any]]:
    if name in reflection.SERVICES:
        return reflection.endpoints(name)
    described = descriptors.service(name)
    return {f"/{name}/{one.name}": _endpoint(name, one) for one in described.methods}


def _endpoint(service: str, one: Any) -> Endpoint[Any, Any]:
    info: Any = MethodInfo(
        name=one.name,
        service_name=service,
        input=descriptors.new(one.input_type),
        output=descriptors.new(one.output_type),
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=StreamType.UNARY,
    )
    full = f"{service}/{one.name}"

    async def answered(request: Message, context: Any) -> Message:
        exchange = Exchange(_meta(context))
        try:
            return await sync_to_async(_invoked, thread_sensitive=False)(full, request, exchange)
        finally:
            for name, value in exchange.headers.items():
                context.response_headers[name.lower()] = value

    return Endpoint.unary(info, answered)


def _invoked(full: str, request: Message, exchange: Exchange) -> Message:
    try:
        return answer(full, request, exchange)
    except Refusal as refusal:
        raise connect_error(told(refusal), getattr(refusal, "retry_after", None)) from refusal
    except Exception as error:
        log.exception("%s failed", full)
        raise connect_error(told(error)) from error
    finally:
        close_old_connections()


def connect_error(answer: Told, retry_after: timedelta | None = None) -> ConnectError:
    """A refusal for Connect, gRPC and gRPC-Web, with the API's error detail and when to come back (google.rpc.RetryInfo)."""
    details = []
    if answer.id:
        details.append(_detail("zitadel.v1.ErrorDetail", v1.ErrorDetail(id=answer.id, message=answer.text)))
    if retry_after is not None:
        retry = RetryInfo()
        retry.retry_delay.FromTimedelta(retry_after)
        details.append(_detail("google.rpc.RetryInfo", retry))
    return ConnectError(Code(answer.kind.connect), answer.message, details)


def _detail(name: str, message: Message) -> ErrorDetail:
    packed = AnyDetail(type_url=f"type.googleapis.com/{name}", value=message.SerializeToString())
    return ErrorDetail(packed)


def _meta(context: Any) -> RequestMeta:
    headers = {name.lower(): value for name, value in context.request_headers.items()}
    secure = settings.CONFIG.ExternalSecure
    return RequestMeta(
        host=headers.get("host", ""),
        scheme="https" if secure else "http",
        headers=headers,
        remote_addr=client_address(
            (context.client_address or "").rsplit(":", 1)[0].strip("[]"), headers.get(FORWARDED, "")
        ),
        request_id=headers.get("x-request-id", "")[:64],
    )


_applications: dict[str, _Application] = {}


def application_of(path: str) -> Asgi | None:
    """The application of `/package.Service/Method`; None for any other path."""
    name = path[1:].partition("/")[0]
    if name not in descriptors.services() and name not in reflection.SERVICES:
        return None
    if name not in _applications:
        _applications[name] = _Application(name)
    return with_host(_applications[name])


def with_host(application: Any) -> Asgi:
    """HTTP/2 names the host in a pseudo header; give it back as `host`."""

    async def answer(scope: Scope, receive: Any, send: Any) -> None:
        if not any(name == b"host" for name, _ in scope["headers"]):
            authority = next((value for name, value in scope["headers"] if name == b":authority"), b"")
            server = scope.get("server") or ("", 0)
            host = authority or f"{server[0]}:{server[1]}".encode()
            scope = {**scope, "headers": [*scope["headers"], (b"host", host)]}
        await application(scope, receive, send)

    return answer
