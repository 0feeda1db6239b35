"""The same call over REST, Connect JSON, Connect binary, gRPC-Web and gRPC: one result, one refusal."""

import base64
import http.client
import json
import struct

import grpc
import pytest
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from iam.api.gen import org_v2, user_v2

SERVICE = "/zitadel.user.v2.UserService/"
GET = SERVICE + "GetUserByID"


def send(server, path, body, kind, *, method="POST", token=True, **headers):
    """Raw bytes in, status, headers and raw bytes out."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=20)
    given = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if token:
        given["Authorization"] = f"Bearer {server.pat}"
    connection.request(method, path, body, given)
    answer = connection.getresponse()
    result = answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
    connection.close()
    return result


def framed(message):
    payload = message.SerializeToString()
    return b"\0" + struct.pack(">I", len(payload)) + payload


def frames(body):
    """gRPC-Web frames: flag and payload."""
    found = []
    while body:
        flag, length = body[0], struct.unpack(">I", body[1:5])[0]
        found.append((flag, body[5 : 5 + length]))
        body = body[5 + length :]
    return found


@pytest.fixture(scope="module")
def admin(server):
    """The id of the human administrator."""
    found = json.loads(send(server, SERVICE + "ListUsers", b"{}", "application/json")[2])
    return next(one["userId"] for one in found["result"] if one.get("human"))


def by_rest(server, id):
    status, _, body = send(server, f"/v2/users/{id}", None, "application/json", method="GET")
    told = json.loads(body)
    return (told["user"]["userId"], "") if status == 200 else ("", {404: "not_found", 400: "invalid_argument"}[status])


def by_connect_json(server, id):
    status, _, body = send(server, GET, json.dumps({"userId": id}).encode(), "application/json")
    told = json.loads(body)
    return (told["user"]["userId"], "") if status == 200 else ("", told["code"])


def by_connect_binary(server, id):
    request = user_v2.GetUserByIDRequest(user_id=id)
    status, headers, body = send(server, GET, request.SerializeToString(), "application/proto")
    if status == 200:
        assert headers["content-type"] == "application/proto"
        return user_v2.GetUserByIDResponse.FromString(body).user.user_id, ""
    return "", json.loads(body)["code"]


def by_grpc_web(server, id):
    request = user_v2.GetUserByIDRequest(user_id=id)
    status, _, body = send(server, GET, framed(request), "application/grpc-web+proto", X_Grpc_Web="1")
    assert status == 200
    parts = dict(frames(body))
    trailers = dict(line.split(":", 1) for line in parts[128].decode().lower().split("\r\n") if line)
    code = trailers["grpc-status"].strip()
    if code == "0":
        return user_v2.GetUserByIDResponse.FromString(parts[0]).user.user_id, ""
    return "", {"5": "not_found", "3": "invalid_argument"}[code]


def by_grpc_web_text(server, id):
    """The same frames in base64, here sent in two pieces with padding of their own."""
    body = framed(user_v2.GetUserByIDRequest(user_id=id))
    text = base64.b64encode(body[:7]) + base64.b64encode(body[7:])
    status, headers, answer = send(server, GET, text, "application/grpc-web-text+proto", X_Grpc_Web="1")
    assert (status, headers["content-type"]) == (200, "application/grpc-web-text+proto")
    parts = dict(frames(base64.b64decode(answer, validate=True)))
    trailers = dict(line.split(":", 1) for line in parts[128].decode().lower().split("\r\n") if line)
    code = trailers["grpc-status"].strip()
    if code == "0":
        return user_v2.GetUserByIDResponse.FromString(parts[0]).user.user_id, ""
    return "", {"5": "not_found", "3": "invalid_argument"}[code]


def by_grpc(server, id):
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        method = channel.unary_unary(
            GET,
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=user_v2.GetUserByIDResponse.FromString,
        )
        try:
            answer = method(
                user_v2.GetUserByIDRequest(user_id=id),
                metadata=(("authorization", f"Bearer {server.pat}"),),
                timeout=20,
            )
        except grpc.RpcError as refused:
            return "", refused.code().name.lower()
        return answer.user.user_id, ""


WIRES = [by_rest, by_connect_json, by_connect_binary, by_grpc_web, by_grpc_web_text, by_grpc]


@pytest.mark.parametrize("ask", WIRES)
def test_every_wire_gives_the_same_result(server, admin, ask):
    assert ask(server, admin) == (admin, "")


@pytest.mark.parametrize("ask", WIRES)
def test_every_wire_gives_the_same_refusal(server, ask):
    assert ask(server, "1") == ("", "not_found")


@pytest.mark.parametrize("ask", WIRES)
def test_an_oversized_field_is_refused_on_every_wire(server, ask):
    assert ask(server, "x" * 201) == ("", "invalid_argument")


MALFORMED = [b"{", b"[]", b"\xff\xfe", b'{"userId": {}}', b'{"userId": 1.5}', b""]


@pytest.mark.parametrize("body", MALFORMED)
def test_malformed_json_is_refused_in_the_form_of_rest(server, body):
    status, headers, answer = send(server, "/v2/users/new", body or b" ", "application/json")
    told = json.loads(answer)
    assert (status, told["code"]) == (400, 3)
    assert "application/json" in headers["content-type"]
    status, _, answer = send(server, "/v2/projects", body, "application/json")
    assert (status, json.loads(answer)["code"]) == (400, 3)


@pytest.mark.parametrize("body", MALFORMED[:-1])
def test_malformed_json_is_refused_in_the_form_of_connect(server, body):
    status, _, answer = send(server, GET, body, "application/json")
    assert (status, json.loads(answer)["code"]) == (400, "invalid_argument")


@pytest.mark.parametrize("payload", [b"\xff\xff\xff", b"\x0a\x7fshort"])
def test_malformed_messages_are_refused_in_the_form_of_grpc(server, payload):
    status, _, answer = send(server, GET, payload, "application/proto")
    assert (status, json.loads(answer)["code"]) == (400, "invalid_argument")
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        method = channel.unary_unary(GET, request_serializer=lambda one: one, response_deserializer=lambda one: one)
        with pytest.raises(grpc.RpcError) as refused:
            method(payload, metadata=(("authorization", f"Bearer {server.pat}"),), timeout=20)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_an_unknown_enum_word_is_refused_in_each_form(server):
    body = json.dumps({"queries": [{"stateQuery": {"state": "USER_STATE_DREAMING"}}]}).encode()
    status, _, answer = send(server, "/v2/users", body, "application/json")
    assert (status, json.loads(answer)["code"]) == (400, 3)
    status, _, answer = send(server, SERVICE + "ListUsers", body, "application/json")
    assert (status, json.loads(answer)["code"]) == (400, "invalid_argument")


def test_reflection_tells_services_and_messages(server):
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        known = ProtoReflectionDescriptorDatabase(channel)
        services = known.get_services()
        assert {"zitadel.user.v2.UserService", "zitadel.admin.v1.AdminService", "grpc.health.v1.Health"} <= {*services}
        assert {"zitadel.org.v2beta.OrganizationService", "zitadel.user.v2beta.UserService"} <= {*services}
        file = known.FindFileContainingSymbol("zitadel.org.v2.OrganizationService")
        assert file.package == "zitadel.org.v2"
        assert file.name == org_v2.AddOrganizationRequest.DESCRIPTOR.file.name
        with pytest.raises(KeyError):
            known.FindFileContainingSymbol("zitadel.nothing.Here")


def acting_in(server, path, body, orgs):
    """A call with several headers of the same name: status and code of the answer."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=20)
    connection.putrequest("POST", path)
    for name, value in (("Authorization", f"Bearer {server.pat}"), *(("x-zitadel-orgid", org) for org in orgs)):
        connection.putheader(name, value)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


@pytest.mark.parametrize("path", ["/v2/users", SERVICE + "ListUsers"])
def test_an_organization_may_be_named_twice_but_not_two(server, path):
    connection = http.client.HTTPConnection("localhost", server.port, timeout=20)
    connection.request("GET", "/management/v1/orgs/me", headers={"Authorization": f"Bearer {server.pat}"})
    own = json.loads(connection.getresponse().read())["org"]["id"]
    connection.close()
    assert acting_in(server, path, b"{}", [own, own])[0] == 200
    assert acting_in(server, path, b"{}", [own, ""])[0] == 200
    status, told = acting_in(server, path, b"{}", [own, "123456789012345678"])
    assert (status, told["details"][0]["@type" if path == "/v2/users" else "type"].rpartition(".")[2]) == (
        400,
        "ErrorDetail",
    )
