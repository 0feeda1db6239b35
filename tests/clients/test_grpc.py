"""gRPC over cleartext HTTP/2 on the same port."""

import grpc
import pytest

from iam.api.gen import admin_v1, management_v1, user_v2


@pytest.fixture
def channel(server):
    with grpc.insecure_channel(f"localhost:{server.port}") as made:
        yield made


def call(channel, path, request, response, metadata=()):
    method = channel.unary_unary(
        path, request_serializer=lambda one: one.SerializeToString(), response_deserializer=response.FromString
    )
    return method(request, metadata=metadata, timeout=20)


def test_healthz(channel):
    call(channel, "/zitadel.admin.v1.AdminService/Healthz", admin_v1.HealthzRequest(), admin_v1.HealthzResponse)


def test_get_my_org(channel, server):
    answer = call(
        channel,
        "/zitadel.management.v1.ManagementService/GetMyOrg",
        management_v1.GetMyOrgRequest(),
        management_v1.GetMyOrgResponse,
        (("authorization", f"Bearer {server.pat}"),),
    )
    assert answer.org.name == "ZITADEL"


def test_refusals_carry_code_and_detail(channel, server):
    with pytest.raises(grpc.RpcError) as refused:
        call(
            channel,
            "/zitadel.user.v2.UserService/GetUserByID",
            user_v2.GetUserByIDRequest(user_id="1"),
            user_v2.GetUserByIDResponse,
            (("authorization", f"Bearer {server.pat}"),),
        )
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert any(key == "grpc-status-details-bin" for key, _ in refused.value.trailing_metadata())


def test_nobody_is_unauthenticated(channel):
    with pytest.raises(grpc.RpcError) as refused:
        call(channel, "/zitadel.user.v2.UserService/ListUsers", user_v2.ListUsersRequest(), user_v2.ListUsersResponse)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_the_standard_health_check(channel):
    from iam.api.gen import grpc_health_v1

    answer = call(
        channel, "/grpc.health.v1.Health/Check", grpc_health_v1.HealthCheckRequest(), grpc_health_v1.HealthCheckResponse
    )
    assert answer.status == 1
