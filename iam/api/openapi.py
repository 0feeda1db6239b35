"""The OpenAPI 3.1 document of the REST routes, built from the same descriptors, and a page to browse it."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2
from drf_spectacular.views import SpectacularJSONAPIView
from google.protobuf.descriptor import FieldDescriptor

from iam.api import descriptors
from iam.api.methods import method
from iam.api.rest import routes

SCALARS: dict[int, dict[str, Any]] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "format": "byte"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_INT32: {"type": "integer"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer"},
    FieldDescriptor.TYPE_INT64: {"type": "string", "format": "int64"},
    FieldDescriptor.TYPE_UINT64: {"type": "string", "format": "uint64"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number"},
}
WELL_KNOWN = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "examples": ["3600s"]},
    "google.protobuf.Struct": {"type": "object"},
}


@cache
def built() -> dict[str, Any]:
    """The document."""
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for route in routes():
        path = route.path.replace("=**", "")
        paths.setdefault(path, {})[route.verb] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gatehouse API", "version": "2"},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}],
    }


def _operation(route: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    called = method(route.method)
    service, _, name = route.method.partition("/")
    parts = [part.strip("{}").replace("=**", "") for part in route.path.split("/") if part.startswith("{")]
    operation: dict[str, Any] = {
        "operationId": _operation_id(service, name) + ("_alias" if route.alias else ""),
        "tags": [service],
        "parameters": [{"name": part, "in": "path", "required": True, "schema": {"type": "string"}} for part in parts],
        "responses": {
            str(called.success): {
                "description": "Answer",
                "content": {"application/json": {"schema": _reference(called.response.DESCRIPTOR, schemas)}},
            },
            "default": {"description": "Refusal: code, message, details"},
        },
    }
    if route.body:
        schema = _reference(called.request.DESCRIPTOR, schemas)
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    if called.is_public:
        operation["security"] = []
    return operation


def _operation_id(service: str, name: str) -> str:
    """Service and method; those of v2beta have the names of v2 and say so."""
    return f"{service.rpartition('.')[2]}{'Beta' if '.v2beta.' in service else ''}_{name}"


def _reference(described: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if described.full_name in WELL_KNOWN:
        return WELL_KNOWN[described.full_name]
    if described.full_name not in schemas:
        schemas[described.full_name] = {}
        fields = {field.json_name: _field(field, schemas) for field in described.fields}
        schemas[described.full_name] = {"type": "object", "properties": fields}
    return {"$ref": f"#/components/schemas/{described.full_name}"}


def _field(field: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if field.type == FieldDescriptor.TYPE_MESSAGE and field.message_type.GetOptions().map_entry:
        return {"type": "object", "additionalProperties": _field(field.message_type.fields_by_name["value"], schemas)}
    schema = _single(field, schemas)
    return {"type": "array", "items": schema} if field.is_repeated else schema


def _single(field: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return _reference(field.message_type, schemas)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return {"type": "string", "enum": [value.name for value in field.enum_type.values]}
    schema = dict(SCALARS.get(field.type, {"type": "string"}))
    rules = field.GetOptions().Extensions[descriptors.extension("rules")]
    if field.type == FieldDescriptor.TYPE_STRING and rules.max_len:
        schema |= {"minLength": rules.min_len, "maxLength": rules.max_len}
    return schema


class Descriptors(SchemaGenerator):  # type: ignore[misc] - no types
    """Hands drf-spectacular the document: the descriptors say more than the views could."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        """The document."""
        return built()


document = SpectacularJSONAPIView.as_view(
    generator_class=Descriptors, renderer_classes=[OpenApiJsonRenderer2, OpenApiJsonRenderer]
)
"""/openapi.json."""


def page(request: HttpRequest) -> HttpResponse:
    """/openapi: every operation by service, without any script."""
    services: dict[str, list[dict[str, Any]]] = {}
    for path, verbs in built()["paths"].items():
        for verb, operation in verbs.items():
            line = {"verb": verb.upper(), "path": path, "name": operation["operationId"].partition("_")[2]}
            services.setdefault(operation["tags"][0], []).append(line)
    return render(request, "api/openapi.html", {"services": sorted(services.items())})
