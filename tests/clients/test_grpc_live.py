"""What gRPC says beside the message, over a real cleartext HTTP/2 connection: keys, limits, deadlines, changing health."""

import queue
import socket
import sqlite3
import struct
import threading
import time
import uuid

import grpc
import h2.connection
import h2.events
import pytest
from google.rpc import error_details_pb2, status_pb2

from iam.api.gen import grpc_health_v1, management_v1, org_v2, v1
from tests.clients.test_protocols import owner, unary
from tests.servers import new_server

ORGS = "/zitadel.org.v2.OrganizationService/"
ORG = "/zitadel.management.v1.ManagementService/GetMyOrg"
BURST = 8


@pytest.fixture
def channel(server):
    with grpc.insecure_channel(f"localhost:{server.port}") as made:
        yield made


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory):
    """A server of its own with few requests for each caller, whose database the test may reach into."""
    made = new_server(tmp_path_factory.mktemp("strict"))
    made.environment |= {
        "ZITADEL_RATELIMITS_CALLER_BURST": str(BURST),
        "ZITADEL_RATELIMITS_CALLER_PERSECOND": "0.05",
    }
    made.start()
    yield made
    made.kill()


def add_org(channel, server, name, **metadata):
    sent = (*owner(server), *((key.replace("_", "-"), value) for key, value in metadata.items()))
    ask = unary(channel, ORGS + "AddOrganization", org_v2.AddOrganizationResponse)
    return ask.with_call(org_v2.AddOrganizationRequest(name=name), metadata=sent, timeout=20)


def named(channel, server, name):
    request = org_v2.ListOrganizationsRequest()
    request.queries.add().name_query.name = name
    ask = unary(channel, ORGS + "ListOrganizations", org_v2.ListOrganizationsResponse)
    return list(ask(request, metadata=owner(server), timeout=20).result)


def test_a_call_under_the_same_key_happens_once(channel, server):
    name, key = f"Once {uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    first, told = add_org(channel, server, name, idempotency_key=key)
    again, told_again = add_org(channel, server, name, idempotency_key=key)
    assert first == again and len(named(channel, server, name)) == 1
    replayed = [dict(one.initial_metadata()).get("idempotency-replayed") for one in (told, told_again)]
    assert replayed == [None, "true"]


def test_another_call_under_a_used_key_is_refused(channel, server):
    key = uuid.uuid4().hex
    add_org(channel, server, f"Used {key}", idempotency_key=key)
    with pytest.raises(grpc.RpcError) as refused:
        add_org(channel, server, f"Other {key}", idempotency_key=key)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details_of(refused.value)[v1.ErrorDetail].id == "API-1dr3u"
    assert named(channel, server, f"Other {key}") == []


def details_of(refused):
    """The details in `grpc-status-details-bin`, by their kind."""
    status = status_pb2.Status.FromString(dict(refused.trailing_metadata())["grpc-status-details-bin"])
    assert (status.code, status.message) == (refused.code().value[0], refused.details())
    kinds = (v1.ErrorDetail, error_details_pb2.RetryInfo)
    return {
        kind: kind.FromString(one.value)
        for one in status.details
        for kind in kinds
        if one.type_url == f"type.googleapis.com/{kind.DESCRIPTOR.full_name}"
    }


def test_who_calls_too_often_is_told_when_to_come_back(strict_server):
    with grpc.insecure_channel(f"localhost:{strict_server.port}") as channel:
        ask = unary(channel, ORG, management_v1.GetMyOrgResponse)
        for _ in range(BURST):
            ask(management_v1.GetMyOrgRequest(), metadata=owner(strict_server), timeout=20)
        with pytest.raises(grpc.RpcError) as refused:
            ask(management_v1.GetMyOrgRequest(), metadata=owner(strict_server), timeout=20)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    wait = details_of(refused.value)[error_details_pb2.RetryInfo].retry_delay.ToTimedelta().total_seconds()
    assert 0 < wait <= 20  # a request in twenty seconds


def test_a_client_that_stops_waiting_sees_its_own_deadline(channel, server):
    name = f"Late {uuid.uuid4().hex[:8]}"
    with pytest.raises(grpc.RpcError) as refused:
        ask = unary(channel, ORGS + "AddOrganization", org_v2.AddOrganizationResponse)
        ask(org_v2.AddOrganizationRequest(name=name), metadata=owner(server), timeout=0.000001)
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def over_h2(server, path, message, **headers):
    """A call of a client whose clock is patient: it sends a deadline and listens on. Headers and trailers together."""
    connection, told = h2.connection.H2Connection(), {}
    payload = message.SerializeToString()
    sent = {":method": "POST", ":scheme": "http", ":path": path, ":authority": f"localhost:{server.port}"}
    sent |= {"content-type": "application/grpc", "te": "trailers", "authorization": f"Bearer {server.pat}", **headers}
    with socket.create_connection(("localhost", server.port), timeout=20) as wire:
        connection.initiate_connection()
        connection.send_headers(1, list(sent.items()))
        connection.send_data(1, b"\0" + struct.pack(">I", len(payload)) + payload, end_stream=True)
        wire.sendall(connection.data_to_send())
        while True:
            for one in connection.receive_data(wire.recv(65536)):
                if isinstance(one, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                    told |= {_text(name): _text(value) for name, value in one.headers}
                if isinstance(one, (h2.events.StreamEnded, h2.events.StreamReset)):
                    return told
            wire.sendall(connection.data_to_send())


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def test_the_server_says_that_a_call_is_late_and_changes_nothing(channel, server):
    late, patient = f"Late {uuid.uuid4().hex[:8]}", f"Patient {uuid.uuid4().hex[:8]}"
    path, request = ORGS + "AddOrganization", org_v2.AddOrganizationRequest
    told = over_h2(server, path, request(name=late), **{"grpc-timeout": "1n"})
    assert (told[":status"], told["grpc-status"]) == ("200", "4")
    assert over_h2(server, path, request(name=patient), **{"grpc-timeout": "60S"})["grpc-status"] == "0"
    assert named(channel, server, late) == [] and len(named(channel, server, patient)) == 1


def watched(server, service):
    """The states that a stream of Health/Watch tells, as they come; and how to end it."""
    told, channel = queue.Queue(), grpc.insecure_channel(f"localhost:{server.port}")
    stream = channel.unary_stream(
        "/grpc.health.v1.Health/Watch",
        request_serializer=lambda one: one.SerializeToString(),
        response_deserializer=grpc_health_v1.HealthCheckResponse.FromString,
    )(grpc_health_v1.HealthCheckRequest(service=service))

    def listen():
        try:
            for one in stream:
                told.put(one.status)
        except grpc.RpcError as ended:
            told.put(ended.code())

    threading.Thread(target=listen, daemon=True).start()
    return told, stream, channel


SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3


def test_a_watcher_hears_of_every_change_of_health(strict_server):
    """A data key under a strange master key makes the server unready; without it, it serves again."""
    told, stream, channel = watched(strict_server, "zitadel.user.v2.UserService")
    unknown, other_stream, other_channel = watched(strict_server, "no.such.Service")
    assert (told.get(timeout=20), unknown.get(timeout=20)) == (SERVING, SERVICE_UNKNOWN)
    strange = "INSERT INTO vault_data_keys (instance_id, id, purpose, wrapped, check_value, created_at)"
    at = time.strftime("%Y-%m-%d %H:%M:%S")
    with sqlite3.connect(strict_server.var / "gatehouse.sqlite3", timeout=20) as database:
        database.execute(f"{strange} VALUES ('x', 'strange', 'x', 'x', 'strange', ?)", (at,))
    assert told.get(timeout=30) == NOT_SERVING
    with sqlite3.connect(strict_server.var / "gatehouse.sqlite3", timeout=20) as database:
        database.execute("DELETE FROM vault_data_keys WHERE id = 'strange'")
    assert told.get(timeout=30) == SERVING
    assert unknown.empty() and told.empty()  # only changes are told
    for one in (stream, other_stream):
        one.cancel()
    assert told.get(timeout=20) is grpc.StatusCode.CANCELLED
    channel.close()
    other_channel.close()
