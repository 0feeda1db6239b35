"""Client secrets are renewed while clients ask with the old one and the new one: none fails (handbook's promise 44)."""

import http.client
import json
import threading
from urllib.parse import urlencode

import pytest

from tests.load import until
from tests.servers import new_server

RENEWALS, CLIENTS, CALLS = 3, 3, 15
RENEW_APP = "/zitadel.application.v2.ApplicationService/GenerateClientSecret"


class Caller:
    """One connection to the server."""

    def __init__(self, server):
        self.connection, self.pat = http.client.HTTPConnection("localhost", server.port, timeout=30), server.pat

    def post(self, path, body):
        headers = {"Authorization": f"Bearer {self.pat}", "Content-Type": "application/json"}
        status, answer = self._send(path, json.dumps(body), headers)
        assert status == 200, (path, answer)
        return answer

    def form(self, path, **fields):
        return self._send(path, urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})

    def _send(self, path, body, headers):
        self.connection.request("POST", path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


class House:
    """A service user and an API application, with every pair of secrets that they ever had, and those that are in use."""

    def __init__(self, server):
        self.caller = caller = Caller(server)
        self.robot = caller.post("/management/v1/users/machine", {"userName": "robot", "name": "Robot"})["userId"]
        self.project = caller.post("/v2/projects", {"name": "shop"})["id"]
        made = caller.post(f"/management/v1/projects/{self.project}/apps/api", {"name": "api"})
        self.app, self.client_id = made["appId"], made["clientId"]
        secret = caller.post(f"/v2/users/{self.robot}/secret", {})["clientSecret"]
        self.made = [(secret, made["clientSecret"])]
        self.in_use = tuple(self.made)

    def token(self, caller, secret):
        scope = f"openid urn:zitadel:iam:org:project:id:{self.project}:aud"
        form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": secret, "scope": scope}
        return caller.form("/oauth/v2/token", **form)

    def renew(self, clients):
        """As an operator does it: when everybody has the newest secret the next one is made."""
        self.in_use = (self.made[-1],)
        reach(clients, 2)
        robot = self.caller.post(f"/v2/users/{self.robot}/secret", {})["clientSecret"]
        app = self.caller.post(RENEW_APP, {"projectId": self.project, "applicationId": self.app})["clientSecret"]
        self.made.append((robot, app))
        self.in_use = tuple(self.made[-2:])


class Client(threading.Thread):
    """Gets tokens and asks about them, with the pairs of secrets that are in use, in turn."""

    def __init__(self, server, house):
        super().__init__(daemon=True)
        self.server, self.house = server, house
        self.done, self.with_old, self.wrong, self.stopped = 0, 0, [], threading.Event()

    def run(self):
        caller = Caller(self.server)
        while not self.stopped.is_set():
            pairs = self.house.in_use
            robot, app = used = pairs[self.done % len(pairs)]
            status, answer = self.house.token(caller, robot)
            asked = {"client_id": self.house.client_id, "client_secret": app}
            again, told = caller.form("/oauth/v2/introspect", **asked, token=answer.get("access_token", ""))
            if (status, again) != (200, 200) or not told["active"]:
                self.wrong.append((status, answer, again, told))
            self.done += 1
            self.with_old += used != pairs[-1]


def reach(clients, more):
    """Wait until each has done so many more."""
    goals = [client.done + more for client in clients]
    until(lambda: all(one.done >= goal for one, goal in zip(clients, goals, strict=True)))


@pytest.fixture
def server(tmp_path, own_database):
    made = new_server(tmp_path)
    made.environment |= own_database | {"ZITADEL_SYSTEMDEFAULTS_CLIENTSECRETOVERLAP": "1h"}
    made.start()
    yield made
    made.kill()


def test_row_44_client_secrets_are_renewed_under_load_and_nobody_is_refused(server):
    house = House(server)
    clients = [Client(server, house) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for _ in range(RENEWALS):
        reach(clients, CALLS)
        house.renew(clients)
    reach(clients, CALLS)
    for client in clients:
        client.stopped.set()
        client.join(30)
    assert [client.wrong for client in clients] == [[]] * CLIENTS
    assert all(client.with_old >= CALLS for client in clients), "the secret before was in use all the time"
    answers = [house.token(house.caller, robot)[0] for robot, _ in house.made]
    assert answers == [401] * (RENEWALS - 1) + [200, 200], "the newest and the one before, and no older one"
