"""The API's descriptors, loaded package by package when they are first needed."""

from functools import cache
from pathlib import Path
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, message_factory, struct_pb2, timestamp_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

GEN = Path(__file__).parent / "gen"
LINKED = (descriptor_pb2, timestamp_pb2, duration_pb2, struct_pb2, http_pb2, annotations_pb2)
"""Modules whose files are in the default pool already."""

_pool = descriptor_pool.Default()


@cache
def load(file: str) -> None:
    """Add a .proto file and what it imports to the pool."""
    if file.startswith("google/"):
        return
    content = (GEN / f"{file.removesuffix('.proto').replace('/', '_')}.binpb").read_bytes()
    for needed in descriptor_pb2.FileDescriptorProto.FromString(content).dependency:
        load(needed)
    _pool.AddSerializedFile(content)


def file_of(package: str) -> str:
    """The file of a package."""
    return f"{package.replace('.', '/')}.proto"


def message_class(package: str, name: str) -> Any:
    """A message class or an enum of a package; nested ones with underscores (`CreateUserRequest_Human`)."""
    if name.startswith("__"):
        raise AttributeError(name)
    load(file_of(package))
    full = f"{package}.{name.replace('_', '.')}"
    try:
        return message_factory.GetMessageClass(_pool.FindMessageTypeByName(full))
    except KeyError:
        pass
    try:
        return EnumTypeWrapper(_pool.FindEnumTypeByName(full))
    except KeyError:
        raise AttributeError(f"{package} has no {name}") from None


@cache
def service(full_name: str) -> ServiceDescriptor:
    """The descriptor of a service; raises KeyError."""
    load(file_of(full_name.rpartition(".")[0]))
    return _pool.FindServiceByName(full_name)


@cache
def method(full_name: str) -> MethodDescriptor:
    """The descriptor of `package.Service/Method`; raises KeyError."""
    name, _, short = full_name.partition("/")
    return service(name).methods_by_name[short]


@cache
def services() -> tuple[str, ...]:
    """The services of the method table, read from the generated files."""
    found = []
    for file in sorted([*GEN.glob("grpc_health_*.binpb"), *GEN.glob("zitadel_*.binpb")]):
        described = descriptor_pb2.FileDescriptorProto.FromString(file.read_bytes())
        found += [f"{described.package}.{one.name}" for one in described.service]
    return tuple(found)


def find_file(name: str) -> list[bytes]:
    """A serialized .proto file and all that it imports; empty when there is none of this name."""
    try:
        load(name)
        found = _pool.FindFileByName(name)
    except (KeyError, OSError):
        return []
    files: dict[str, bytes] = {}
    _collect(found, files)
    return list(files.values())


def find_symbol(name: str) -> list[bytes]:
    """The file of a message, enum, service or method, and all that it imports; empty when there is no such symbol."""
    package = name
    while package:
        package = package.rpartition(".")[0]
        if package and (GEN / f"{file_of(package).removesuffix('.proto').replace('/', '_')}.binpb").exists():
            load(file_of(package))
            break
    try:
        return find_file(_pool.FindFileContainingSymbol(name).name)
    except KeyError:
        return []


def _collect(file: Any, files: dict[str, bytes]) -> None:
    if file.name not in files:
        files[file.name] = file.serialized_pb
        for needed in file.dependencies:
            _collect(needed, files)


@cache
def extension(name: str) -> Any:
    """One of our options, `rules`, `oneof_required`, `permission`, `org_field`, `http_success`."""
    load("gatehouse/options.proto")
    return _pool.FindExtensionByName(f"gatehouse.{name}")


def new(descriptor: Any) -> Any:
    """The message class of a descriptor."""
    return message_factory.GetMessageClass(descriptor)
