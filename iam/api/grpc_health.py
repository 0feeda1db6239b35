"""The standard health check of gRPC: Check asks once, Watch tells every change (gRPC Health Checking Protocol)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from asgiref.sync import sync_to_async
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.server import Endpoint
from django.db import close_old_connections

from iam.api import descriptors, readiness
from iam.api.gen import grpc_health_v1 as messages
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import NotFound

SERVICE = "grpc.health.v1.Health"
SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3
SECONDS_BETWEEN = 5

health = Service(SERVICE)


@health.method
def Check(ctx: Context, request: Any) -> Any:
    """The state of a service, or of the server when none is named; NotFound for a service that it does not have."""
    status = status_of(request.service)
    if status == SERVICE_UNKNOWN:
        raise NotFound("api.service_unknown", field="service")
    return messages.HealthCheckResponse(status=status)


def status_of(service: str) -> int:
    """Every service is served while the server is ready (checklist N09)."""
    if service and service not in descriptors.services():
        return SERVICE_UNKNOWN
    return NOT_SERVING if readiness.reason() else SERVING


def _looked_at(service: str) -> int:
    try:
        return status_of(service)
    finally:
        close_old_connections()


async def _watched(request: Any, context: Any) -> AsyncIterator[Any]:
    """The state now, and again whenever it has changed; the stream ends when the client goes."""
    told = 0
    while True:
        status = await sync_to_async(_looked_at, thread_sensitive=False)(request.service)
        if status != told:
            yield messages.HealthCheckResponse(status=status)
            told = status
        await asyncio.sleep(SECONDS_BETWEEN)


def endpoints() -> Mapping[str, Endpoint[Any, Any]]:
    """Watch, the one method that streams."""
    described = descriptors.service(SERVICE).methods_by_name["Watch"]
    info: Any = MethodInfo(
        name=described.name,
        service_name=SERVICE,
        input=descriptors.new(described.input_type),
        output=descriptors.new(described.output_type),
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=StreamType.SERVER_STREAM,
    )
    return {f"/{SERVICE}/{described.name}": Endpoint.server_stream(info, _watched)}
