"""Which of these tests one run is enough for."""

import pytest

EMBEDDED = (
    "api_page",
    "cors",
    "every_method",
    "go",
    "grpc",
    "grpc_live",
    "hostile_bytes",
    "memory",
    "protocols",
    "readme",
    "system",
    "terraform",
    "webhook_worker",
    "wires",
    "worker",
    "zitadel_client",
    "zitadel_client_resources",
)


def pytest_collection_modifyitems(items):
    """What asks an embedded server of its own asks the same one whichever engine the run is for."""
    for item in items:
        if item.path.parent.name == "clients" and item.path.stem.removeprefix("test_") in EMBEDDED:
            item.add_marker(pytest.mark.artefact)
