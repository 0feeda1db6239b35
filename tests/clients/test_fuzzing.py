"""Schemathesis reads the OpenAPI document and calls every operation with what it makes up: never a 5xx, always in form."""

import json
import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.clients.test_wires import send
from tests.servers import new_server

EXAMPLES = int(os.environ.get("EXAMPLES", "4"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of its own that counts no rates, so that every request gets as far as it can."""
    made = new_server(tmp_path_factory.mktemp("fuzzed"))
    made.environment["ZITADEL_RATELIMITS_ENABLED"] = "false"
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def ids(server):
    """Things that may be broken: real ids for the variables of paths."""

    def made(path, body):
        status, _, answer = send(server, path, json.dumps(body).encode(), "application/json")
        assert status in (200, 201), answer
        return json.loads(answer)

    person = {"username": "fuzz", "profile": {"givenName": "F", "familyName": "F"}, "email": {"email": "f@example.com"}}
    org = made("/v2/organizations", {"name": "Fuzzed"})["organizationId"]
    project = made("/v2/projects", {"name": "Fuzzed"})["id"]
    user = made("/v2/users/human", person)["userId"]
    session = made("/v2/sessions", {"checks": {"user": {"userId": user}}})["sessionId"]
    return {"user_id": user, "organization_id": org, "org_id": org, "project_id": project, "session_id": session}


ENDS_THE_CALLER = {
    ("delete", "/auth/v1/users/me"),
    ("delete", "/management/v1/orgs/me"),
    ("post", "/management/v1/orgs/me/_deactivate"),
}
"""Whoever calls these has no token for the rest."""


@pytest.fixture(scope="module")
def operations(server):
    """What the document names, read once."""
    found = schemathesis.openapi.from_url(f"{server.url}/openapi.json").get_all_operations()
    return [one for one in (each.ok() for each in found) if (one.method.lower(), one.path) not in ENDS_THE_CALLER]


def fuzz(operation, headers, known):
    """Call one operation with many made up requests; repeatable."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def call(case):
        for name in case.path_parameters or {}:
            if name in known:
                case.path_parameters[name] = known[name]
        answer = case.call(headers=headers, timeout=20)
        where = f"{operation.method} {operation.path}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500 or (answer.status_code, answer.json().get("code")) == (501, 12), where
        assert "Traceback" not in answer.text, where
        if answer.status_code >= 400:
            assert answer.headers["content-type"][0].startswith("application/json"), where
            assert answer.json().get("code") in range(1, 17), where
        case.validate_response(answer, checks=[response_schema_conformance], headers=headers)

    call()


def test_the_owner_of_the_instance_breaks_nothing(server, operations):
    headers = {"Authorization": f"Bearer {server.pat}"}
    for operation in operations:
        fuzz(operation, headers, {})


def test_real_things_break_nothing_either(server, operations, ids):
    headers = {"Authorization": f"Bearer {server.pat}"}
    for operation in operations:
        if (
            set(operation.path_parameters.names() if hasattr(operation.path_parameters, "names") else ())
            or "{" in operation.path
        ):
            fuzz(operation, headers, ids)


def test_nobody_gets_nowhere(operations):
    for operation in operations:
        fuzz(operation, {}, {})


def test_the_server_stands_and_its_log_has_no_trace(server):
    assert send(server, "/debug/ready", None, "text/plain", method="GET")[0] == 200
    assert "Traceback" not in (server.var / "server.log").read_text()
