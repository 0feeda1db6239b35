"""The OpenAPI 3.1 document of the REST routes, built from the same descriptors, and a page to browse it."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2
from drf_spectacular.views import SpectacularJSONAPIView
from google.protobuf.descriptor import FieldDescriptor

from iam.api import descriptors
from iam.api.methods import Method, method, registered
from iam.api.openapi_parts import HEADERS, PARAMETERS, REFUSAL, headers_of, parameters_of, refusals_of, responses
from iam.api.routes import Route, routes

SCALARS: dict[int, dict[str, Any]] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "format": "byte"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "format": "uint32", "minimum": 0, "maximum": 2**32 - 1},
    FieldDescriptor.TYPE_INT64: {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"},
    FieldDescriptor.TYPE_UINT64: {"type": "string", "format": "uint64", "pattern": "^[0-9]{1,20}$"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number"},
}
WELL_KNOWN = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {
        "type": "string",
        "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$",
        "examples": ["3600s"],
    },
    "google.protobuf.Struct": {"type": "object"},
}


MOST_NESTED = 3
"""How deep messages are taken apart into query parameters; deeper ones are better sent to a POST."""
DESCRIPTION = """Every REST route. The same methods answer Connect, gRPC and gRPC-Web at `/<service>/<method>`.

Limits, `Idempotency-Key` and `ETag`/`If-Match` are described in deploy/docs/api.md, error ids in deploy/docs/errors.md."""


@cache
def built() -> dict[str, Any]:
    """The document."""
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for route in routes():
        paths.setdefault(address_of(route), {})[route.verb] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gatehouse API", "version": "2", "description": DESCRIPTION},
        "tags": sorted(({"name": name} for name in {route.method.partition("/")[0] for route in routes()}), key=str),
        "paths": paths,
        "components": {
            "schemas": {**schemas, **REFUSAL},
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "responses": responses(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "personal access token or access token"}
            },
        },
        "security": [{"bearer": []}],
    }


def address_of(route: Route) -> str:
    """A path as OpenAPI writes it."""
    return route.path.replace("=**", "")


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    called = method(route.method)
    service, _, name = route.method.partition("/")
    described = called.request.DESCRIPTOR
    parts = re.findall(r"\{(\w+)", route.path)
    in_path = {route.alias.names.get(part, part) if route.alias else part for part in parts}
    operation: dict[str, Any] = {
        "operationId": f"{route.verb}_{re.sub(r'[^a-z0-9]+', '_', address_of(route).lower()).strip('_')}",
        "summary": (registered()[route.method].__doc__ or name).strip().splitlines()[0],
        "description": f"{service}/{name}",
        "tags": [service],
        "parameters": [
            {"name": part, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for part in parts
        ],
        "responses": {str(called.success): _answer(route, called, schemas), **refusals_of(route, called)},
    }
    operation["parameters"] += parameters_of(route, called)
    if route.body == "*":
        operation["requestBody"] = _body(_inline(described, in_path, schemas))
    elif route.body:
        operation["requestBody"] = _body(_single(described.fields_by_name[route.body], schemas))
    else:
        operation["parameters"] += list(_query(described, in_path, schemas))
    if called.is_public:
        operation["security"] = []
    return operation


def _answer(route: Route, called: Method, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = _reference(called.response.DESCRIPTOR, schemas)
    answer = {"description": "The answer", "content": {"application/json": {"schema": schema}}}
    return answer | {"headers": headers} if (headers := headers_of(route, called)) else answer


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": bool(schema.get("required")), "content": {"application/json": {"schema": schema}}}


def _inline(described: Any, without: set[str], schemas: dict[str, Any]) -> dict[str, Any]:
    """The members of a body; what is in the path is not repeated."""
    fields = [field for field in described.fields if field.name not in without]
    schema: dict[str, Any] = {
        "type": "object",
        "title": described.name,
        "properties": {field.json_name: _field(field, schemas) for field in fields},
    }
    required = [field.json_name for field in fields if _rules(field).required]
    return schema | {"required": required} if required else schema


def _query(
    described: Any, without: set[str], schemas: dict[str, Any], prefix: str = "", depth: int = 1
) -> Iterator[Any]:
    """The fields of a request without body, nested ones with dots."""
    for field in described.fields:
        if field.name in without:
            continue
        is_message = field.type == FieldDescriptor.TYPE_MESSAGE and field.message_type.full_name not in WELL_KNOWN
        if is_message and not field.is_repeated and depth < MOST_NESTED:
            yield from _query(field.message_type, set(), schemas, f"{prefix}{field.json_name}.", depth + 1)
        elif not is_message:
            yield {"name": prefix + field.json_name, "in": "query", "schema": _field(field, schemas)}


def _rules(field: Any) -> Any:
    return field.GetOptions().Extensions[descriptors.extension("rules")]


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
    return {"type": "array", "items": schema, **_counts(_rules(field))} if field.is_repeated else schema


def _counts(rules: Any) -> dict[str, Any]:
    """How many items a list has."""
    bounds = {"minItems": rules.min_items, "maxItems": rules.max_items, "uniqueItems": rules.unique}
    return {name: value for name, value in bounds.items() if value}


def _single(field: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return _reference(field.message_type, schemas)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return {"type": "string", "enum": [value.name for value in field.enum_type.values]}
    schema = dict(SCALARS.get(field.type, {"type": "string"}))
    rules = _rules(field).items if field.is_repeated else _rules(field)
    if rules.only_true:
        schema |= {"const": True}
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
            line = {"verb": verb.upper(), "path": path, "name": operation["summary"]}
            services.setdefault(operation["tags"][0], []).append(line)
    return render(request, "api/openapi.html", {"services": sorted(services.items())})
