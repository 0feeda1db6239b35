"""gRPC server reflection, v1 and v1alpha: clients without our .proto files learn the services from the server.

Source: gRPC Server Reflection Protocol. Descriptors are public; nobody has to sign in to read them.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.server import Endpoint
from google.protobuf.message import Message

from iam.api import descriptors

SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
NOT_FOUND, UNIMPLEMENTED = 5, 12


def endpoints(service: str) -> Mapping[str, Endpoint[Any, Any]]:
    """The one method of the service: a stream of questions, a stream of answers."""
    described = descriptors.service(service).methods_by_name["ServerReflectionInfo"]
    response = descriptors.new(described.output_type)
    info: Any = MethodInfo(
        name=described.name,
        service_name=service,
        input=descriptors.new(described.input_type),
        output=response,
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=StreamType.BIDI_STREAM,
    )

    async def answer(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Message]:
        async for request in requests:
            yield _answer(request, response)

    return {f"/{service}/{described.name}": Endpoint.bidi_stream(info, answer)}


def _answer(request: Any, response: Any) -> Message:
    made = response(valid_host=request.host, original_request=request)
    match request.WhichOneof("message_request"):
        case "list_services":
            for name in sorted((*descriptors.services(), *SERVICES)):
                made.list_services_response.service.add(name=name)
        case "file_by_filename":
            _add_files(made, descriptors.find_file(request.file_by_filename))
        case "file_containing_symbol":
            _add_files(made, descriptors.find_symbol(request.file_containing_symbol))
        case _:
            made.error_response.error_code = UNIMPLEMENTED
            made.error_response.error_message = "extensions are not described"
    return made  # type: ignore[no-any-return]


def _add_files(made: Any, files: list[bytes]) -> None:
    """The file asked for first, then all that it needs."""
    if files:
        made.file_descriptor_response.file_descriptor_proto.extend(files)
    else:
        made.error_response.error_code = NOT_FOUND
        made.error_response.error_message = "no such file or symbol"
