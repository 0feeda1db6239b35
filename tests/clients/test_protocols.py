"""What the protocols ask of one port: TLS with ALPN, deadlines, compression, health, refusals of the wire itself."""

import base64
import gzip
import http.client
import json
import ssl
import uuid

import grpc
import httpx
import pytest
from google.rpc import status_pb2

from iam.api.gen import grpc_health_v1, org_v2, user_v2, v1
from tests.clients.test_wires import framed, frames, send

ORGS = "/zitadel.org.v2.OrganizationService/"
USERS = "/zitadel.user.v2.UserService/"


def unary(channel, path, response):
    return channel.unary_unary(
        path, request_serializer=lambda one: one.SerializeToString(), response_deserializer=response.FromString
    )


def owner(server):
    return (("authorization", f"Bearer {server.pat}"),)


def test_one_tls_port_speaks_http1_http2_and_grpc(tls_server):
    cafile = tls_server.certificate
    credentials = grpc.ssl_channel_credentials(cafile.read_bytes())
    with grpc.secure_channel(f"localhost:{tls_server.port}", credentials) as channel:
        listed = unary(channel, ORGS + "ListOrganizations", org_v2.ListOrganizationsResponse)(
            org_v2.ListOrganizationsRequest(), metadata=owner(tls_server), timeout=20
        )
    headers = {"Authorization": f"Bearer {tls_server.pat}"}
    answers = {}
    for http2 in (True, False):
        with httpx.Client(http1=not http2, http2=http2, verify=tls_server.trust, trust_env=False) as client:
            answer = client.post(tls_server.url + ORGS + "ListOrganizations", json={}, headers=headers)
            discovery = client.get(tls_server.url + "/.well-known/openid-configuration").json()
        answers[answer.http_version] = [one["id"] for one in answer.json()["result"]]
        assert discovery["issuer"] == tls_server.url
    assert answers == {one: [org.id for org in listed.result] for one in ("HTTP/2", "HTTP/1.1")}


def test_tls_offers_h2_before_http1(tls_server):
    for offered, chosen in ((["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), (["h2"], "h2")):
        context = ssl.create_default_context(cafile=str(tls_server.certificate))
        context.set_alpn_protocols(offered)
        connection = http.client.HTTPSConnection("localhost", tls_server.port, context=context)
        connection.connect()
        assert connection.sock.selected_alpn_protocol() == chosen
        connection.close()


def test_one_cleartext_port_speaks_http1_and_http2_at_once(server):
    headers = {"Authorization": f"Bearer {server.pat}"}
    with (
        httpx.Client(http1=False, http2=True, trust_env=False) as newer,
        httpx.Client(trust_env=False) as older,
        grpc.insecure_channel(f"localhost:{server.port}") as channel,
    ):
        ask = unary(channel, ORGS + "ListOrganizations", org_v2.ListOrganizationsResponse)
        for _ in range(3):
            found = [
                client.post(server.url + ORGS + "ListOrganizations", json={}, headers=headers)
                for client in (newer, older)
            ]
            told = ask(org_v2.ListOrganizationsRequest(), metadata=owner(server), timeout=20)
            assert [one.http_version for one in found] == ["HTTP/2", "HTTP/1.1"]
            assert (
                [one["id"] for one in found[0].json()["result"]]
                == [one["id"] for one in found[1].json()["result"]]
                == [one.id for one in told.result]
            )


def test_status_details_name_the_error(server):
    with grpc.insecure_channel(f"localhost:{server.port}") as channel, pytest.raises(grpc.RpcError) as refused:
        unary(channel, USERS + "GetUserByID", user_v2.GetUserByIDResponse)(
            user_v2.GetUserByIDRequest(user_id="1"), metadata=owner(server), timeout=20
        )
    trailers = dict(refused.value.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    detail = v1.ErrorDetail()
    assert status.code == 5 and status.details[0].Unpack(detail)
    assert status.message == f"{detail.message} ({detail.id})" == refused.value.details()


def test_grpc_web_carries_status_and_details_in_its_last_frame(server):
    body = framed(user_v2.GetUserByIDRequest(user_id="1"))
    status, headers, answer = send(server, USERS + "GetUserByID", body, "application/grpc-web+proto")
    assert (status, headers["content-type"]) == (200, "application/grpc-web+proto")
    ((flag, trailers),) = frames(answer)
    told = dict(line.split(": ", 1) for line in trailers.decode().split("\r\n") if line)
    detail = base64.b64decode(told["grpc-status-details-bin"] + "==")
    assert (flag, told["grpc-status"], status_pb2.Status.FromString(detail).code) == (0x80, "5", 5)


def test_grpc_web_as_text_is_refused_where_it_is_no_base64(server):
    status, headers, answer = send(server, USERS + "GetUserByID", b"%%%", "application/grpc-web-text")
    assert (status, headers["grpc-status"], answer) == (200, "3", b"")


def test_connect_shows_the_details_of_a_refusal_in_clear(server):
    _, _, answer = send(server, USERS + "GetUserByID", b'{"userId": "1"}', "application/json")
    told = json.loads(answer)
    (detail,) = told["details"]
    packed = v1.ErrorDetail.FromString(base64.b64decode(detail["value"] + "=="))
    assert detail["debug"] == {"id": packed.id, "message": packed.message}
    assert told["message"] == f"{packed.message} ({packed.id})"


def add_user(name):
    return {
        "username": name,
        "profile": {"givenName": "A", "familyName": "B"},
        "email": {"email": f"{name}@example.com", "isVerified": True},
        "password": {"password": "Correct-Horse-9"},
    }


def users_named(server, name):
    query = {"queries": [{"userNameQuery": {"userName": name}}]}
    found = json.loads(send(server, "/v2/users", json.dumps(query).encode(), "application/json")[2])
    return len(found.get("result", []))


def test_a_late_connect_call_changes_nothing(server):
    name = f"late-{uuid.uuid4().hex[:8]}"
    body = json.dumps(add_user(name)).encode()
    status, _, answer = send(server, USERS + "AddHumanUser", body, "application/json", Connect_Timeout_Ms="1")
    assert (status, json.loads(answer)["code"]) == (504, "deadline_exceeded")
    settled(server)
    assert users_named(server, name) == 0
    status, _, _ = send(server, USERS + "AddHumanUser", body, "application/json", Connect_Timeout_Ms="60000")
    assert (status, users_named(server, name)) == (200, 1)


def test_a_late_grpc_call_changes_nothing(server):
    name = f"late-{uuid.uuid4().hex[:8]}"
    request = user_v2.AddHumanUserRequest(
        username=name,
        profile={"given_name": "A", "family_name": "B"},
        email={"email": f"{name}@example.com"},
        password={"password": "Correct-Horse-9"},
    )
    body, kind = framed(request), "application/grpc-web+proto"
    answer = send(server, USERS + "AddHumanUser", body, kind, Grpc_Timeout="1m")[2]
    assert b"grpc-status: 4" in frames(answer)[-1][1]
    settled(server)
    assert users_named(server, name) == 0
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        ask = unary(channel, USERS + "AddHumanUser", user_v2.AddHumanUserResponse)
        assert ask(request, metadata=owner(server), timeout=60).user_id
    assert users_named(server, name) == 1


def settled(server):
    """Work that hashes a password as the late call did: when it is done, so is the late one, which came first."""
    for _ in range(3):
        name = f"after-{uuid.uuid4().hex[:8]}"
        assert send(server, USERS + "AddHumanUser", json.dumps(add_user(name)).encode(), "application/json")[0] == 200


@pytest.mark.parametrize(("header", "value"), [("Connect_Timeout_Ms", "-1"), ("Connect_Timeout_Ms", "1e3")])
def test_a_nonsensical_deadline_is_refused(server, header, value):
    status, _, answer = send(server, ORGS + "ListOrganizations", b"{}", "application/json", **{header: value})
    assert (status, json.loads(answer)["code"]) == (400, "invalid_argument")


def test_gzip_bodies_are_read(server):
    body = gzip.compress(b"{}")
    status, _, answer = send(server, ORGS + "ListOrganizations", body, "application/json", Content_Encoding="gzip")
    assert status == 200 and json.loads(answer)["result"]


def test_gzip_messages_of_grpc_are_read_and_answered(server):
    with grpc.insecure_channel(f"localhost:{server.port}", compression=grpc.Compression.Gzip) as channel:
        ask = unary(channel, ORGS + "ListOrganizations", org_v2.ListOrganizationsResponse)
        query = org_v2.ListOrganizationsRequest(queries=[{"name_query": {"name": "n" * 190, "method": 4}}])
        assert not ask(query, metadata=owner(server), timeout=20).result
        assert ask(org_v2.ListOrganizationsRequest(), metadata=owner(server), timeout=20).result


@pytest.mark.parametrize("kind", ["application/json", "application/proto", "application/grpc-web+proto"])
def test_n02_what_inflates_beyond_the_limit_is_refused(server, kind):
    bomb = gzip.compress(b" " * 50_000_000, 9)
    if "grpc" in kind:
        body = b"\x01" + len(bomb).to_bytes(4, "big") + bomb
        answer = send(server, ORGS + "ListOrganizations", body, kind, Grpc_Encoding="gzip")[2]
        assert b"grpc-status: 8" in frames(answer)[-1][1]
    else:
        status, _, answer = send(server, ORGS + "ListOrganizations", bomb, kind, Content_Encoding="gzip")
        assert (status, json.loads(answer)["code"]) == (429, "resource_exhausted")


def test_n02_broken_compression_is_an_invalid_argument(server):
    path = ORGS + "ListOrganizations"
    for body in (b"\x1f\x8b broken", gzip.compress(b"{}")[:-9]):
        status, _, answer = send(server, path, body, "application/json", Content_Encoding="gzip")
        assert (status, json.loads(answer)["code"]) == (400, "invalid_argument")
    status, _, answer = send(server, path, b"{}", "application/json", Content_Encoding="br")
    assert (status, json.loads(answer)["code"]) == (501, "unimplemented")


@pytest.mark.parametrize(
    ("method", "kind", "body", "status"),
    [
        ("GET", "application/json", None, 405),
        ("PUT", "application/json", b"{}", 405),
        ("POST", "text/plain", b"{}", 415),
        ("POST", "application/xml", b"<a/>", 415),
        ("POST", "application/grpc-web-text", b"AAAAAAA=", 200),
        ("POST", "application/grpc-web-text+proto", b"AAAAAAA=", 200),
        ("POST", "application/grpc-web-text", b"%%%", 200),
        ("POST", "application/grpc-web-text+json", b"AAAAAAA=", 200),
        ("POST", "application/json", b"", 400),
        ("POST", "application/json", b"[]", 400),
        ("POST", "application/json", b"null", 400),
        ("POST", "application/json; charset=utf-8", b"{}", 200),
        ("POST", "application/grpc", b"\0\0\0\0\0", 505),
    ],
)
def test_verbs_and_content_types_of_the_rpc_paths(server, method, kind, body, status):
    found, headers, answer = send(server, ORGS + "ListOrganizations", body, kind, method=method)
    assert found == status
    if status == 405:
        assert headers["allow"] == "POST"
    if status == 400:
        assert json.loads(answer)["code"] == "invalid_argument"


def test_n01_a_message_too_large_is_resource_exhausted_over_grpc(server):
    """Refused while it arrives, before any method is asked; gRPC reads a status behind the body only."""
    with grpc.insecure_channel(f"localhost:{server.port}", options=[("grpc.max_send_message_length", -1)]) as channel:
        call = unary(channel, ORGS + "AddOrganization", org_v2.AddOrganizationResponse)
        with pytest.raises(grpc.RpcError) as refused:
            call(org_v2.AddOrganizationRequest(name="x" * 6_000_000), metadata=owner(server), timeout=20)
    assert (refused.value.code(), "API-b1g2x" in refused.value.details()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, True)
    assert "retry-after" not in dict(refused.value.initial_metadata()), "it will be as large the next time"


def test_a_method_that_nobody_has_is_unimplemented_over_grpc(server):
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        for path in (
            ORGS + "Nothing",
            "/zitadel.nothing.v1.Nothing/Here",
            "/zitadel.saml.v2.SAMLService/CreateResponse",
        ):
            method = channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
            with pytest.raises(grpc.RpcError) as refused:
                method(b"", metadata=owner(server), timeout=20)
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_header_values_that_are_no_text_do_no_harm(server):
    connection = http.client.HTTPConnection("localhost", server.port, timeout=20)
    connection.putrequest("POST", ORGS + "ListOrganizations")
    for name, value in (("Content-Type", b"application/json"), ("X-Odd", b"\xff\xfe"), ("Content-Length", b"2")):
        connection.putheader(name, value)
    connection.endheaders(b"{}")
    assert connection.getresponse().status == 401
    connection.close()


def test_the_organization_travels_as_metadata(server):
    from iam.api.gen import management_v1

    name = uuid.uuid4().hex[:12]
    made = json.loads(
        send(server, ORGS + "AddOrganization", json.dumps({"name": name}).encode(), "application/json")[2]
    )
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        ask = unary(channel, "/zitadel.management.v1.ManagementService/GetMyOrg", management_v1.GetMyOrgResponse)
        for org, expected in ((made["organizationId"], name), ("", "ZITADEL")):
            metadata = (*owner(server), ("x-zitadel-orgid", org))
            assert ask(management_v1.GetMyOrgRequest(), metadata=metadata, timeout=20).org.name == expected


def test_health_check_and_watch(server):
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        check = unary(channel, "/grpc.health.v1.Health/Check", grpc_health_v1.HealthCheckResponse)
        request = grpc_health_v1.HealthCheckRequest
        assert check(request(), timeout=20).status == 1
        assert check(request(service="zitadel.user.v2beta.UserService"), timeout=20).status == 1
        with pytest.raises(grpc.RpcError) as refused:
            check(request(service="nobody.knows.It"), timeout=20)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
        watch = channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=grpc_health_v1.HealthCheckResponse.FromString,
        )
        for service, status in (("", 1), ("nobody.knows.It", 3)):
            stream = watch(request(service=service), timeout=20)
            assert next(stream).status == status
            stream.cancel()
