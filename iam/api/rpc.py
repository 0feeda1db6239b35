"""Connect, gRPC and gRPC-Web into the method table: one ASGI application for every service."""

from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async
from connectrpc.compat import google_protobuf_binary_codec, google_protobuf_json_codec
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.server import ConnectASGIApplication, Endpoint
from django.conf import settings
from google.protobuf.message import Message

from iam.api import descriptors, grpc_health, reflection
from iam.api.calls import called, connect_error, meta_of_call
from iam.api.content import object_of
from iam.api.cors import Asgi, Scope
from iam.api.errors import told
from iam.api.limits import check_words
from iam.api.methods import Exchange
from iam.api.threads import threads
from iam.api.web_text import as_text, is_text
from iam.kernel.errors import InvalidInput


class _Json(type(google_protobuf_json_codec())):  # type: ignore[misc] - the library keeps the class to itself
    """Proto JSON that refuses unknown enum words instead of dropping them."""

    def decode(self, data: Any, message_class: Any) -> Any:
        """The message; raises ConnectError, or what the parser raises."""
        try:
            check_words(object_of(bytes(data)), message_class.DESCRIPTOR)
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
    unary = {f"/{name}/{one.name}": _endpoint(name, one) for one in described.methods if not one.server_streaming}
    return {**unary, **grpc_health.endpoints()} if name == grpc_health.SERVICE else unary


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
        exchange = Exchange(meta_of_call(context))
        try:
            return await sync_to_async(called, thread_sensitive=False, executor=threads())(full, request, exchange)
        finally:
            for name, value in exchange.headers.items():
                context.response_headers[name.lower()] = value

    return Endpoint.unary(info, answered)


_applications: dict[str, _Application] = {}


def application_of(path: str) -> Asgi | None:
    """The application of `/package.Service/Method`; None for any other path."""
    name = path[1:].partition("/")[0]
    if name not in descriptors.services() and name not in reflection.SERVICES:
        return None
    if name not in _applications:
        _applications[name] = _Application(name)
    return _readable(_applications[name])


def _readable(application: Any) -> Asgi:
    """Refuse what connectrpc cannot read: gRPC needs trailers (HTTP/2), header values are text."""

    async def answer(scope: Scope, receive: Any, send: Any) -> None:
        kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"").lower()
        trailers = "http.response.trailers" in scope.get("extensions", {})
        if kind.startswith(b"application/grpc") and not kind.startswith(b"application/grpc-web") and not trailers:
            await send({"type": "http.response.start", "status": 505, "headers": []})
            await send({"type": "http.response.body", "body": b"gRPC needs HTTP/2", "more_body": False})
            return
        headers = [(name, value.decode("utf-8", "replace").encode()) for name, value in scope["headers"]]
        readable = as_text(application) if is_text(kind) else application
        await readable({**scope, "headers": headers}, receive, send)

    return answer
