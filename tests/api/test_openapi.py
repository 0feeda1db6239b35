"""The OpenAPI document, as programs and people read it."""

import re

import pytest
from google.protobuf import json_format, wrappers_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from iam.api.errors import rest_body, told
from iam.api.methods import method
from iam.api.openapi import SCALARS, WELL_KNOWN, address_of, built
from iam.api.routes import routes
from iam.kernel.errors import InvalidInput, WrongCredentials
from tests.conftest import HOST


@pytest.fixture(scope="module")
def document():
    return built()


def operations(document):
    return {(path, verb): operation for path, verbs in document["paths"].items() for verb, operation in verbs.items()}


def test_the_document_is_valid_and_names_every_route(db, client):
    answer = client.get("/openapi.json", HTTP_HOST=HOST)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    document = answer.json()
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")
    assert {(address_of(route), route.verb) for route in routes()} == operations(document).keys()


def test_every_operation_tells_request_answer_refusals_and_who_may_call(document):
    for route in routes():
        operation = operations(document)[address_of(route), route.verb]
        called = method(route.method)
        assert operation["responses"][str(called.success)]["content"]["application/json"]["schema"]["$ref"]
        assert {"400", "429", "500"} <= operation["responses"].keys()
        assert ("401" in operation["responses"]) is not called.is_public
        assert operation.get("security", document["security"]) == ([] if called.is_public else [{"bearer": []}])
        assert ("requestBody" in operation) is bool(route.body)
        assert operation["summary"]
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    "refusal",
    [
        InvalidInput("api.length", field="name"),
        WrongCredentials("password.invalid", field="password", failed_attempts=2),
        ValueError("an error of the program"),
    ],
)
def test_every_kind_of_refusal_is_described(document, refusal):
    schema = {"$ref": "#/components/schemas/Refusal", "components": document["components"]}
    body = rest_body(told(refusal))
    Draft202012Validator(schema).validate(body)
    for detail in body["details"]:
        assert not Draft202012Validator(schema).is_valid({**body, "details": [{**detail, "@type": "another"}]})
        assert not Draft202012Validator(schema).is_valid({**body, "details": [{"id": "without type"}]})


def test_headers_of_keys_conditions_and_limits_are_told(document):
    def names(path, verb):
        return {one.get("$ref", "").rpartition("/")[2] for one in operations(document)[path, verb]["parameters"]}

    assert {"IfNoneMatch"} <= names("/v2/users/{user_id}", "get")
    assert {"IfMatch"} <= names("/v2/users/{user_id}", "patch")
    assert {"IfMatch", "IdempotencyKey"} <= names("/v2/users/{user_id}/lock", "post")
    assert not {"IfMatch", "IdempotencyKey"} & names("/v2/users", "post")
    user = operations(document)["/v2/users/{user_id}", "get"]["responses"]
    assert "ETag" in user["200"]["headers"] and user["304"]
    assert "Retry-After" in document["components"]["responses"]["Refused429"]["headers"]


def test_what_is_in_the_path_is_not_asked_for_again(document):
    body = operations(document)["/v2/users/{user_id}", "patch"]["requestBody"]["content"]["application/json"]["schema"]
    assert "userId" not in body["properties"] and "username" in body["properties"]


@pytest.mark.parametrize(
    ("message", "field", "least", "most", "wrong"),
    [
        (wrappers_pb2.Int64Value, FieldDescriptor.TYPE_INT64, -(2**63), 2**63 - 1, "many"),
        (wrappers_pb2.UInt64Value, FieldDescriptor.TYPE_UINT64, 0, 2**64 - 1, "-1"),
        (wrappers_pb2.Int32Value, FieldDescriptor.TYPE_INT32, -(2**31), 2**31 - 1, 2**31),
        (wrappers_pb2.UInt32Value, FieldDescriptor.TYPE_UINT32, 0, 2**32 - 1, -1),
    ],
)
def test_numbers_are_described_as_they_are_read_and_written(message, field, least, most, wrong):
    described = Draft202012Validator(SCALARS[field])
    for value in (least, most):
        assert described.is_valid(json_format.MessageToDict(message(value=value)))
    assert not described.is_valid(wrong)
    with pytest.raises((json_format.ParseError, ValueError)):
        json_format.ParseDict(wrong, message())


def test_durations_are_described_as_they_are_read_and_written():
    described = Draft202012Validator(WELL_KNOWN["google.protobuf.Duration"])
    longest = 315_576_000_000
    for value in (Duration(seconds=longest), Duration(seconds=-longest), Duration(seconds=1, nanos=1), Duration()):
        assert described.is_valid(json_format.MessageToDict(value))
    for wrong in ("", "10", "10m", "s", "1.s"):
        assert not described.is_valid(wrong)


def test_the_browsable_page_needs_no_script_and_nothing_from_elsewhere(db, client):
    answer = client.get("/openapi", HTTP_HOST=HOST)
    page = answer.content.decode()
    assert "zitadel.user.v2.UserService" in page and "<script" not in page and " style=" not in page
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    for address in re.findall(r'(?:href|src)="([^"]+)"', page):
        assert address.startswith("/"), address
        assert client.get(address, HTTP_HOST=HOST).status_code == 200, address
    for route in routes():
        assert f"<code>{address_of(route)}</code>" in page
