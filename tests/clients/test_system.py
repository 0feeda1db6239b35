"""An operator of the system at a real server: over every wire, at every host, with a token that it signed itself."""

import json

import pytest

from iam.api.methods import method
from tests.clients.wires import REST, WIRES, Wires
from tests.servers import new_server
from tests.system.support import pair, token

SYSTEM, INSTANCES = "zitadel.system.v1.SystemService", "zitadel.instance.v2.InstanceService"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with an operator, whose key lies in a file."""
    folder = tmp_path_factory.mktemp("system")
    (folder / "superuser.pub").write_text(pair()[1])
    made = new_server(folder)
    users = {"superuser": {"Path": str(folder / "superuser.pub")}}
    made.environment["ZITADEL_SYSTEMAPIUSERS"] = json.dumps(users)
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def wires(server):
    made = Wires(server)
    yield made
    made.close()


@pytest.fixture
def signed(server):
    return token("superuser", server.url, pair()[0])


def call(wires, wire, name, signed, **fields):
    outcome = wires.call(wire, name, method(name).request(**fields), signed)
    if outcome is None:  # instance v2 has no routes of REST
        return None
    assert (outcome.code, outcome.message) == ("", ""), (wire, name, outcome)
    return outcome.answer


@pytest.mark.parametrize("wire", WIRES)
def test_an_operator_is_served_over_every_wire(wires, server, signed, wire):
    mark = wire.replace(" ", "-")
    first = call(wires, wire, f"{SYSTEM}/ListInstances", signed).result[0].id
    domain = f"{mark}.example"
    call(wires, wire, f"{SYSTEM}/AddDomain", signed, instance_id=first, domain=domain)
    assert call(wires, wire, f"{SYSTEM}/ExistsDomain", signed, domain=domain).exists
    call(wires, wire, f"{SYSTEM}/RemoveDomain", signed, instance_id=first, domain=domain)
    assert not call(wires, wire, f"{SYSTEM}/ExistsDomain", signed, domain=domain).exists
    two = {"instance_id": first, "custom_domain": f"v2-{domain}"}
    added = call(wires, wire, f"{INSTANCES}/AddCustomDomain", signed, **two)
    assert (added is None) == (wire == REST)
    call(wires, wire, f"{INSTANCES}/RemoveCustomDomain", signed, **two)


@pytest.mark.parametrize("wire", WIRES)
def test_an_owner_of_the_instance_is_no_operator(wires, server, wire):
    name = f"{SYSTEM}/ListInstances"
    assert wires.call(wire, name, method(name).request(), server.pat).code == "permission_denied"
    forged = token("superuser", server.url, pair(number=1)[0])
    assert wires.call(wire, name, method(name).request(), forged).code == "unauthenticated"


def test_a_new_instance_answers_at_its_host_at_once(wires, server, signed):
    import http.client

    name = f"{SYSTEM}/CreateInstance"
    request = method(name).request(instance_name="Second", custom_domain="second.example")
    request.machine.user_name = request.machine.name = "robot"
    request.machine.personal_access_token.SetInParent()
    made = wires.call(REST, name, request, signed).answer
    connection = http.client.HTTPConnection("localhost", server.port, timeout=20)
    headers = {"Authorization": f"Bearer {made.pat}", "Host": f"second.example:{server.port}"}
    connection.request("GET", "/admin/v1/instances/me", headers=headers)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    assert (answer.status, told["instance"]["id"]) == (200, made.instance_id)
    connection.request(
        "POST", "/system/v1/instances/_search", "{}", {"Authorization": f"Bearer {signed}", "Host": "x.y"}
    )
    answer = connection.getresponse()
    assert (answer.status, len(json.loads(answer.read())["result"])) == (200, 2)
