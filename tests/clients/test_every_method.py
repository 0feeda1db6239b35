"""Every registered method, the same call over every wire: the same answer, the same refusal.

The table is the method table itself, so a method that is registered tomorrow is tested tomorrow. Each wire has an
organization of its own with one of everything, and goes through the methods in the same order: creating, reading,
changing, ending; where REST has no route, its organization is served over Connect, to stay in step. A sixth organization
goes first: it is not compared, but what belongs to the whole instance is then as every other one will find it. What differs by nature (ids, times, secrets, the name of the wire) is made equal before comparing.
"""

import json
import re
import uuid

import pytest
from google.protobuf import json_format

from iam.api.methods import method, registered
from tests.api.test_callers import filled
from tests.clients.test_wires import send
from tests.clients.wires import CONNECT_JSON, WIRES, Wires, route_of
from tests.servers import new_server

ORDER = (
    "Create",
    "Add",
    "Import",
    "Set",
    "List",
    "Get",
    "Search",
    "",
    "Update",
    "Deactivate",
    "Reactivate",
    "Remove",
    "Delete",
)
"""What a method's name begins with, in the order in which the methods are called; the empty one is every other."""


FIRST = "first"
HOUSES = (FIRST, *WIRES)


ENDS_THE_CALLER = ("ManagementService/DeactivateOrg", "ManagementService/RemoveOrg", "AuthService/RemoveMyUser")
"""They act on the caller, who has no living token afterwards, and need nothing in the request."""


def rank(name):
    """What belongs to a thing is called before the thing: DeleteOrganizationMetadata, then DeleteOrganization."""
    short = name.partition("/")[2]
    found = next((at for at, word in enumerate(ORDER) if word and short.startswith(word)), ORDER.index(""))
    return name.endswith(ENDS_THE_CALLER), found, short.endswith(("Org", "Organization", "Instance")), name


METHODS = sorted(registered(), key=rank)
PROTECTED = [name for name in METHODS if not method(name).is_public]


def rpc(server, name, body):
    """A call of the administrator; the answer as JSON."""
    status, _, raw = send(server, f"/zitadel.{name}", json.dumps(body).encode(), "application/json")
    assert status == 200, (name, raw)
    return json.loads(raw)


def machine(server, org, name):
    """A service user of an organization: id and token."""
    id = rpc(
        server, "user.v2.UserService/CreateUser", {"organizationId": org, "username": name, "machine": {"name": name}}
    )["id"]
    body = {"userId": id, "expirationDate": "2037-01-01T00:00:00Z"}
    return id, rpc(server, "user.v2.UserService/AddPersonalAccessToken", body)["token"]


def house_of(server, mark):
    """An organization with one of everything, its owner's token, and a stranger's."""
    org = rpc(server, "org.v2.OrganizationService/AddOrganization", {"name": f"org {mark}"})["organizationId"]
    elsewhere = rpc(server, "org.v2.OrganizationService/AddOrganization", {"name": f"elsewhere {mark}"})[
        "organizationId"
    ]
    owner, token = machine(server, org, f"owner-{mark}")
    _, stranger = machine(server, elsewhere, f"stranger-{mark}")
    member = {"userId": owner, "resource": {"instance": True}, "roles": ["IAM_OWNER"]}
    rpc(server, "internal_permission.v2.InternalPermissionService/CreateAdministrator", member)
    human = {
        "profile": {"givenName": "A", "familyName": "B"},
        "email": {"email": f"first-{mark}@example.com", "isVerified": True},
    }
    person = rpc(
        server, "user.v2.UserService/CreateUser", {"organizationId": org, "username": f"first-{mark}", "human": human}
    )["id"]
    project = rpc(
        server, "project.v2.ProjectService/CreateProject", {"organizationId": org, "name": f"project {mark}"}
    )["projectId"]
    role = {"projectId": project, "roleKey": "admin", "displayName": "Admin"}
    rpc(server, "project.v2.ProjectService/AddProjectRole", role)
    body = {"projectId": project, "name": "api", "apiConfiguration": {"authMethodType": "API_AUTH_METHOD_TYPE_BASIC"}}
    app = rpc(server, "application.v2.ApplicationService/CreateApplication", body)["applicationId"]
    granted = {"userId": person, "projectId": project, "organizationId": org, "roleKeys": ["admin"]}
    authorization = rpc(server, "authorization.v2.AuthorizationService/CreateAuthorization", granted)["id"]
    things = {
        "organization_id": org,
        "org_id": org,
        "project_id": project,
        "application_id": app,
        "app_id": app,
        "user_id": person,
        "id": authorization,
        "granted_organization_id": org,
        "username": f"new-{mark}",
        "user_name": f"new-{mark}",
        "name": f"new {mark}",
        "domain": f"new-{mark}.example",
        "custom_domain": f"new-{mark}.example",
        "trusted_domain": f"new-{mark}.example",
        "email": f"new-{mark}@example.com",
    }
    return things, token, stranger


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of this file's own that counts no requests: thousands come from one address in seconds."""
    made = new_server(tmp_path_factory.mktemp("every"))
    made.environment["ZITADEL_RATELIMITS_ENABLED"] = "false"
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def wires(server):
    made = Wires(server)
    yield made
    made.close()


@pytest.fixture(scope="module")
def houses(server):
    """One for each wire. The names are equally long, so that lengths and orders are alike."""
    return {wire: (mark := uuid.uuid4().hex[:10], *house_of(server, mark)) for wire in HOUSES}


SECRETS = ("secret", "token", "code", "signing_key", "key_content", "key_details", "client_id", "fingerprint")


def alike(outcome, marks):
    """An outcome without what differs by nature."""
    message = plain(outcome.message, marks)
    if outcome.answer is None:
        return outcome.code, outcome.error, message
    told = json_format.MessageToDict(outcome.answer, preserving_proto_field_name=True)
    return "", "", equalized(told, marks)


def plain(text, marks):
    text = re.sub("|".join(marks), "MARK", text)
    text = re.sub(r"\b\d{18}\b", "ID", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)


def equalized(value, marks, name=""):
    if isinstance(value, dict):
        return {key: equalized(one, marks, key) for key, one in value.items()}
    if isinstance(value, list):
        return [equalized(one, marks, name) for one in value]
    if isinstance(value, str) and name.endswith("sequence"):
        return "NUMBER"  # of a stream that all wires change, the instance's
    if isinstance(value, str):
        return "SECRET" if name.endswith(SECRETS) else plain(value, marks)
    return value


def compared(wires, name, houses, requests, tokens):
    """The outcome of a call over every wire that has it; fails when they differ."""
    found = {}
    marks = tuple(house[0] for house in houses.values())
    wires.call(CONNECT_JSON, name, requests[FIRST], tokens[FIRST])
    for wire in WIRES:
        outcome = wires.call(wire, name, requests[wire], tokens[wire])
        if outcome is None:
            outcome = wires.call(CONNECT_JSON, name, requests[wire], tokens[wire])
        assert outcome.code not in ("internal", "unknown"), (wire, outcome)
        found[wire] = alike(outcome, marks)
    first = found[CONNECT_JSON]
    assert {wire: told for wire, told in found.items() if told != first} == {}, first
    return first


def bare(name):
    """The smallest request that every wire can carry: nothing, but what REST has in its path."""
    request = method(name).request()
    route = route_of(name)
    for variable in re.findall(r"\{(\w+)", route.path) if route else ():
        field = request.DESCRIPTOR.fields_by_name[variable]
        setattr(request, variable, "1" if field.type == field.TYPE_STRING else 1)
    return request


@pytest.mark.parametrize("name", METHODS)
def test_nobody_learns_the_same_on_every_wire(wires, houses, name):
    told = compared(wires, name, houses, dict.fromkeys(HOUSES, bare(name)), dict.fromkeys(HOUSES, ""))
    assert told[0] == ("" if method(name).is_public else "unauthenticated")


@pytest.mark.parametrize("name", [one for one in PROTECTED if not one.endswith(ENDS_THE_CALLER)])
def test_an_empty_request_is_told_the_same_on_every_wire(wires, houses, name):
    compared(wires, name, houses, dict.fromkeys(HOUSES, bare(name)), {wire: houses[wire][2] for wire in HOUSES})


@pytest.mark.parametrize("name", PROTECTED)
def test_strangers_are_told_the_same_on_every_wire(wires, houses, name):
    requests = {wire: filled(name, houses[wire][1]) for wire in HOUSES}
    compared(wires, name, houses, requests, {wire: houses[wire][3] for wire in HOUSES})


ANSWERED = []


@pytest.mark.parametrize("name", PROTECTED)
def test_the_owner_gets_the_same_on_every_wire(wires, houses, name):
    requests = {wire: filled(name, houses[wire][1]) for wire in HOUSES}
    told = compared(wires, name, houses, requests, {wire: houses[wire][2] for wire in HOUSES})
    if not told[0]:
        ANSWERED.append(name)


def test_many_of_the_owners_calls_succeed():
    assert len(ANSWERED) > len(PROTECTED) / 3
