"""Every key behind a webhook is changed while users are created without pause: each creation arrives, signed with a known key.

Issue 4's "Rotation under load", for webhooks: the target's signing key many times, the master key and the data keys by commands
that are killed half-way and go on. The receiver believes nothing that is not signed with a key it was handed.
"""

import json
import secrets
import sys
import time
import urllib.request

import pytest

from tests.browsing import person
from tests.clients.test_rotation import (
    DATA_KEYS,
    FILL,
    FILL_PERSONS,
    PERSONS,
    Repeated,
    asked,
    fill,
    kill_half_way,
    post,
    reach,
)
from tests.load import must_verify, until
from tests.servers import new_server

WRITERS, ALWAYS, MANY = 2, 3, 1200
TARGETS = "/v2/actions/targets"


@pytest.fixture
def server(tmp_path, own_database, receiver):
    """One that may call this machine, because its operator says so, and trusts the receiver's authority."""
    made = new_server(tmp_path)
    made.environment |= own_database | {
        "ZITADEL_MASTERKEY": secrets.token_hex(16),
        "ZITADEL_HTTPCLIENT_DENYLIST": "10.0.0.0/8,169.254.0.0/16",
        "SSL_CERT_FILE": str(receiver.certificate),
    }
    made.start()
    yield made
    made.kill()


class House:
    """Users that are created, and the target that is told."""

    def __init__(self, server, receiver):
        self.server, self.receiver, self.created = server, receiver, []
        hook = {"name": "crm", "endpoint": receiver.url, "restWebhook": {}, "timeout": "5s"}
        made = self.ask(TARGETS, hook)
        self.target = made["id"]
        receiver.keys.append(made["signingKey"])
        condition = {"event": {"event": "user.human.added"}}
        self.ask("/v2/actions/executions", {"condition": condition, "targets": [self.target]}, "PUT")

    def ask(self, path, body, verb="POST"):
        headers = {"Authorization": f"Bearer {self.server.pat}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.server.url + path, json.dumps(body).encode(), headers, method=verb)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def create(self):
        """A user; noted once the server has answered."""
        self.created.append(person(lambda path, body: post(self.server, path, body), f"u{secrets.token_hex(6)}"))
        return True

    def renew(self):
        """A new signing key, as an operator hands it to a receiver: right after the server's answer, never before."""
        self.receiver.keys.append(self.ask(f"{TARGETS}/{self.target}", {"expirationSigningKey": "0s"})["signingKey"])
        time.sleep(0.2)
        return True

    def arrived(self):
        return {body["aggregateID"] for body in self.receiver.bodies}

    def all_arrived(self):
        """Wait as long as something still arrives."""
        while missing := set(self.created) - self.arrived():
            before = len(self.receiver.bodies)
            until(lambda before=before: self.receiver.wrong or len(self.receiver.bodies) > before)
            assert self.receiver.wrong == [], missing


def test_s07_row_44_signing_master_and_data_keys_are_changed_while_users_are_told(server, receiver):
    house = House(server, receiver)
    house.create()
    house.all_arrived()
    server.kill()
    fill(server, FILL, MANY)
    old = server.environment["ZITADEL_MASTERKEY"]
    server.environment |= {"ZITADEL_MASTERKEY": secrets.token_hex(16), "ZITADEL_MASTERKEY_PREVIOUS": old}
    server.start()
    fill(server, FILL_PERSONS, MANY)
    check = asked(server, "SELECT check_value FROM vault_data_keys WHERE instance_id = 'elsewhere'")
    persons = asked(server, "SELECT id FROM vault_data_keys WHERE purpose = 'persons'")
    sealing = asked(server, "SELECT id FROM vault_data_keys WHERE purpose = 'targets'")
    rotations = (
        ("rotate_masterkey", (), DATA_KEYS.format(before=check)),
        ("rotate_datakeys", ("--resume",), PERSONS.format(before=persons)),
    )
    loads = [*(Repeated(house.create) for _ in range(WRITERS)), Repeated(house.renew)]
    halves = []
    try:
        for load in loads:
            load.start()
        reach(loads, ALWAYS)
        for command, again, counted in rotations:
            halves.append(kill_half_way(server, command, counted, MANY))
            reach(loads, ALWAYS)
            done = server.manage(command, *again)
            assert done.returncode == 0, done.stderr
            assert asked(server, counted) == MANY
            reach(loads, ALWAYS)
    finally:
        for load in loads:
            load.stopped.set()
        for load in loads:
            load.join(60)
    assert [load.wrong for load in loads] == [[]] * len(loads), "no request failed"
    house.all_arrived()
    assert len(receiver.keys) > 2 * ALWAYS
    told, again = len(receiver.bodies), len(receiver.bodies) - len(house.arrived())
    sys.stdout.write(
        f"killed after {halves} of {MANY}; {len(house.created)} users, {told} calls ({again} twice),"
        f" {len(receiver.keys)} signing keys\n"
    )

    receiver.keys[:] = receiver.keys[-1:]
    house.create()
    house.all_arrived()
    for _ in range(5):
        house.create()
    server.kill()  # in the middle of telling
    del server.environment["ZITADEL_MASTERKEY_PREVIOUS"]
    server.start()  # a process that knows the new master key only, and has to open everything
    house.create()
    house.all_arrived()
    house.renew()
    kept = asked(server, f"SELECT count(*) FROM actions_targets WHERE signing_key LIKE 'v1.{sealing}.%'")
    assert kept == 0, "a key that is made now is sealed under the new data key"
    must_verify(server)
