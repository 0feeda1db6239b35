"""How the Terraform provider calls: over gRPC, with an `x-zitadel-orgid` that is empty when `org_id` is not set."""

import re
import secrets

import grpc
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict

from iam.api.methods import method

M, A = "zitadel.management.v1.ManagementService", "zitadel.admin.v1.AdminService"
ORG, PROJECT = "zitadel.org.v2.OrganizationService", "zitadel.project.v2.ProjectService"
ACTION = "zitadel.action.v2.ActionService"
APPLICATION, USER = "zitadel.application.v2.ApplicationService", "zitadel.user.v2.UserService"
FEATURE, SETTINGS = "zitadel.feature.v2.FeatureService", "zitadel.settings.v2.SettingsService"
INSTANCE = "zitadel.instance.v2.InstanceService"
ID = re.compile(r"\d{18}")


class Provider:
    """Calls by service, method and fields; answers as JSON has them."""

    def __init__(self, channel, token):
        self.channel, self.token, self.org = channel, token, ""

    def __call__(self, service, name, /, **fields):
        return MessageToDict(self._ask(service, name, fields))

    def read(self, service, name, /, **fields):
        """The answer with what is at its zero value: the provider writes that into its state too."""
        return MessageToDict(self._ask(service, name, fields), always_print_fields_with_no_presence=True)

    def _ask(self, service, name, fields):
        called = method(f"{service}/{name}")
        ask = self.channel.unary_unary(
            f"/{service}/{name}",
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=called.response.FromString,
        )
        metadata = (("authorization", f"Bearer {self.token}"), ("x-zitadel-orgid", self.org))
        return ask(ParseDict(fields, called.request()), metadata=metadata, timeout=30)

    def gone(self, service, name, /, **fields):
        """Asserts that the thing is not there any more: the provider drops it from its state on no other code."""
        self.refused("NOT_FOUND", service, name, **fields)

    def refused(self, code, service, name, /, **fields):
        """Asserts the code of a refusal."""
        with pytest.raises(grpc.RpcError) as refused:
            self(service, name, **fields)
        assert refused.value.code() is grpc.StatusCode[code]


def part(of, like):
    """What an answer has for the fields that were sent, so that the two can be compared."""
    return {key: of.get(key) for key in like}


def unique(name):
    return f"{name}-{secrets.token_hex(4)}"


def is_id(text):
    return bool(ID.fullmatch(text))
