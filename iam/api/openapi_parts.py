"""What operations of the OpenAPI document share: refusals, headers, conditions."""

from http import HTTPStatus
from typing import Any

from iam.api import idempotency, versions
from iam.api.errors import INTERNAL, WIRE
from iam.api.methods import Method
from iam.api.routes import Route, resources_of

ALWAYS = (400, 404, 408, 413, 429, 500, 501, 503)
DETAILS = ("ErrorDetail", "CredentialsCheckError")
IN_DETAIL: dict[str, Any] = {
    "id": {"type": "string", "description": "stable id, see deploy/docs/errors.md"},
    "message": {"type": "string"},
}
REFUSAL: dict[str, Any] = {
    "Refusal": {
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {"type": "integer", "description": "code of gRPC", "minimum": 1, "maximum": 16},
            "message": {"type": "string", "description": "text, with the id in brackets where there is one"},
            "details": {
                "type": "array",
                "items": {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in DETAILS]},
            },
        },
    },
    "ErrorDetail": {
        "type": "object",
        "required": ["@type"],
        "properties": {"@type": {"const": "type.googleapis.com/zitadel.v1.ErrorDetail"}, **IN_DETAIL},
    },
    "CredentialsCheckError": {
        "type": "object",
        "description": "a wrong password or code",
        "required": ["@type"],
        "properties": {
            "@type": {"const": "type.googleapis.com/zitadel.v1.CredentialsCheckError"},
            **IN_DETAIL,
            "failedAttempts": {"type": "integer", "description": "how often in a row it was wrong"},
        },
    },
}
PARAMETERS: dict[str, Any] = {
    "Organization": {
        "name": "x-zitadel-orgid",
        "in": "header",
        "description": "organization that the call acts in; default is the caller's own",
        "schema": {"type": "string", "maxLength": 200},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "the same key gets the same answer for 24 hours, and the change happens once",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "ETag of the resource as it was read; 412 when it has changed",
        "schema": {"type": "string"},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "ETag that the caller has; 304 when it is still right",
        "schema": {"type": "string"},
    },
}
HEADERS: dict[str, Any] = {
    "ETag": {"description": "strong entity tag of the resource", "schema": {"type": "string"}},
    "IdempotencyReplayed": {"description": "this is the kept answer", "schema": {"const": "true"}},
    "RetryAfter": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}},
}


def responses() -> dict[str, Any]:
    """One response per status that a refusal can have."""
    statuses = {kind.http for kind in (*WIRE.values(), INTERNAL)} | {408}
    return {f"Refused{status}": _response(status) for status in sorted(statuses)} | {
        "NotModified": {"description": "Not Modified", "headers": {"ETag": _header("ETag")}}
    }


def _response(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Refusal"}
    made: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {"application/json": {"schema": schema}},
    }
    return made | {"headers": {"Retry-After": _header("RetryAfter")}} if status in (429, 503) else made


def refusals_of(route: Route, called: Method) -> dict[str, Any]:
    """The refusals of an operation by status."""
    statuses = {*ALWAYS} | (set() if called.is_public else {401, 403, 409})
    if takes_condition(route):
        statuses.add(412)
    if takes_key(route, called):
        statuses.add(422)
    made = {str(status): {"$ref": f"#/components/responses/Refused{status}"} for status in sorted(statuses)}
    if versions.is_resource(route.verb, route.method):
        made["304"] = {"$ref": "#/components/responses/NotModified"}
    return made


def parameters_of(route: Route, called: Method) -> list[dict[str, Any]]:
    """The headers that an operation knows."""
    names = [] if called.is_public else ["Organization"]
    names += ["IdempotencyKey"] if takes_key(route, called) else []
    names += ["IfMatch"] if takes_condition(route) else []
    names += ["IfNoneMatch"] if versions.is_resource(route.verb, route.method) else []
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def headers_of(route: Route, called: Method) -> dict[str, Any]:
    """The headers of a good answer."""
    made = {"ETag": _header("ETag")} if versions.is_resource(route.verb, route.method) else {}
    return made | ({"Idempotency-Replayed": _header("IdempotencyReplayed")} if takes_key(route, called) else {})


def takes_key(route: Route, called: Method) -> bool:
    """Whether an Idempotency-Key means something."""
    return route.verb == "post" and not called.is_public and not idempotency.reads(route.method)


def takes_condition(route: Route) -> bool:
    """Whether If-Match can hold."""
    return route.verb != "get" and not idempotency.reads(route.method) and bool(resources_of(route.path))


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}
