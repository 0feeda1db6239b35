"""Schemathesis reads the OpenAPI document and calls every operation with what it makes up: never a 5xx, always in form."""

import json
import os
import re

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.clients.test_wires import send
from tests.engine import variables_of_new_database
from tests.servers import new_server

EXAMPLES = int(os.environ.get("EXAMPLES", "3"))
"""For each operation, on either engine: what one takes for a text or a number, the other may not."""
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
HOLDERS = {
    "applications": "application_id",
    "apps": "application_id",
    "authorizations": "authorization_id",
    "members": "user_id",
    "organizations": "organization_id",
    "orgs": "organization_id",
    "projects": "project_id",
    "targets": "target_id",
    "users": "user_id",
}
"""Of what a path's segment says that the next one is the id, whatever that variable is called."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of its own that counts no rates, so that every request gets as far as it can."""
    made = new_server(tmp_path_factory.mktemp("fuzzed"))
    made.environment |= variables_of_new_database(made.var) | {"ZITADEL_RATELIMITS_ENABLED": "false"}
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
    added = made("/v2/users/human", person)
    user, home = added["userId"], added["details"]["resourceOwner"]
    session = made("/v2/sessions", {"checks": {"user": {"userId": user}}})["sessionId"]
    allowed = {"userId": user, "projectId": project, "organizationId": home}
    app = made("/v2beta/applications", {"projectId": project, "name": "Fuzzed", "apiRequest": {}})["appId"]
    target = {"name": "Fuzzed", "endpoint": "https://fuzzed.example", "timeout": "10s", "restWebhook": {}}
    return {
        "user_id": user,
        "organization_id": org,
        "org_id": org,
        "project_id": project,
        "session_id": session,
        "application_id": app,
        "authorization_id": made("/v2beta/authorizations", allowed)["id"],
        "target_id": made("/v2/actions/targets", target)["id"],
    }


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


def is_protected(operation):
    """Whether the document asks for a token."""
    return operation.definition.raw.get("security") != []


def addressed(operation, known):
    """Which variables of a path are real things."""
    parts = re.findall(r"([^/]+)/\{(\w+)\}", operation.path)
    things = {variable: variable if variable in known else HOLDERS.get(holder) for holder, variable in parts}
    return {variable: known[thing] for variable, thing in things.items() if thing in known}


def fuzz(operation, headers, known):
    """Call one operation with many made up requests; repeatable. The statuses that were answered."""
    here, statuses = addressed(operation, known), set()

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
        if here:
            case.path_parameters |= here
            case.headers.pop("x-zitadel-orgid", None)  # a made up organization is refused before anything else
        answer = case.call(headers=headers, timeout=20)
        statuses.add(answer.status_code)
        where = f"{operation.method} {operation.path}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500 or (answer.status_code, answer.json().get("code")) == (501, 12), where
        assert "Traceback" not in answer.text, where
        if answer.status_code >= 400:
            assert answer.headers["content-type"][0].startswith("application/json"), where
            assert answer.json().get("code") in range(1, 17), where
        case.validate_response(answer, checks=CHECKS, headers=headers)

    call()
    return statuses


def ends_things(operation):
    """Whether an operation may leave nothing to call the others with."""
    return operation.method.lower() == "delete" or bool(re.search("deactivate|remove|lock", operation.path))


def test_the_owner_of_the_instance_breaks_nothing(server, operations):
    headers = {"Authorization": f"Bearer {server.pat}"}
    for operation in operations:
        fuzz(operation, headers, {})


def test_real_things_break_nothing_either(server, operations, ids):
    headers = {"Authorization": f"Bearer {server.pat}"}
    reached = set()
    for operation in sorted(operations, key=ends_things):
        if here := addressed(operation, ids):
            statuses = fuzz(operation, headers, ids)
            reached |= {*here} if statuses & {200, 201} else set()
    assert reached >= {"user_id", "organization_id", "project_id", "session_id", "id"}


def test_nobody_gets_nowhere(operations):
    for operation in operations:
        statuses = fuzz(operation, {}, {})
        assert not is_protected(operation) or min(statuses) >= 400, (operation.method, operation.path, statuses)


def test_the_server_stands_and_its_log_has_no_trace(server):
    assert send(server, "/debug/ready", None, "text/plain", method="GET")[0] == 200
    assert "Traceback" not in (server.var / "server.log").read_text()
