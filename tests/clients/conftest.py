"""Which of these tests one run is enough for, and what the Terraform sequences share."""

import grpc
import pytest

from tests.clients.provider import ORG, M, Provider, unique

EMBEDDED = (
    "api_page",
    "cors",
    "every_method",
    "go",
    "grpc",
    "grpc_live",
    "heads",
    "hostile_bytes",
    "hosts",
    "memory",
    "protocols",
    "readme",
    "system",
    "webhook_worker",
    "wires",
    "worker",
)


def pytest_collection_modifyitems(items):
    """What asks an embedded server of its own asks the same one whichever engine the run is for."""
    for item in items:
        if item.path.parent.name == "clients" and item.path.stem.removeprefix("test_") in EMBEDDED:
            item.add_marker(pytest.mark.artefact)


@pytest.fixture
def terraform(server):
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        yield Provider(channel, server.pat)


@pytest.fixture
def project(terraform):
    id = terraform(M, "AddProject", name=unique("project"))["id"]
    yield id
    terraform(M, "RemoveProject", id=id)


@pytest.fixture
def other_org(terraform):
    id = terraform(ORG, "AddOrganization", name=unique("other"))["organizationId"]
    yield id
    terraform(ORG, "DeleteOrganization", organizationId=id)


@pytest.fixture
def machine(terraform):
    name = unique("robot")
    return terraform(M, "AddMachineUser", userName=name, name=name)["userId"]
