"""Keys of service users and applications are changed while clients sign with the old ones and the new ones: none fails."""

import base64
import json
import threading
import time
import uuid

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.clients.test_secret_rotation import Caller, reach
from tests.servers import new_server

RENEWALS, CLIENTS, CALLS = 2, 3, 10
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class KeyFile:
    """A key as it was handed out once, and what it signs."""

    def __init__(self, details):
        content = json.loads(base64.b64decode(details))
        self.id, self.subject = content["keyId"], content.get("userId") or content["clientId"]
        self.key = RSAKey.import_key(content["key"])

    def sign(self, audience):
        now = int(time.time())
        claims = {"iss": self.subject, "sub": self.subject, "aud": audience, "iat": now, "exp": now + 60}
        return jwt.encode({"alg": "RS256", "kid": self.id}, claims | {"jti": uuid.uuid4().hex}, self.key)


class House:
    """A service user and an API application with keys; those in use, and the retired ones."""

    def __init__(self, server):
        self.url, self.caller = server.url, Caller(server)
        self.robot = self.caller.post("/management/v1/users/machine", {"userName": "robot", "name": "R"})["userId"]
        self.project = self.caller.post("/v2/projects", {"name": "shop"})["id"]
        method = {"name": "api", "authMethodType": "API_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT"}
        self.app = self.caller.post(f"/management/v1/projects/{self.project}/apps/api", method)["appId"]
        self.in_use, self.retired = (self.pair(),), []

    def pair(self):
        """A new key for each, both working from the moment that they are answered."""
        kind = {"type": "KEY_TYPE_JSON"}
        robot = self.caller.post(f"/management/v1/users/{self.robot}/keys", kind)["keyDetails"]
        path = f"/management/v1/projects/{self.project}/apps/{self.app}/keys"
        return KeyFile(robot), KeyFile(self.caller.post(path, kind)["keyDetails"])

    def renew(self, clients):
        """As an operator does it: the new ones are made and used beside the old ones, then the old ones are removed."""
        old = self.in_use[0]
        self.in_use = (old, self.pair())
        reach(clients, CALLS)
        self.in_use = (self.in_use[1],)
        reach(clients, 2)  # whoever took the old one has come to an end
        user, app = (key.id for key in old)
        self.remove("zitadel.user.v2.UserService/RemoveKey", {"userId": self.robot, "keyId": user})
        where = {"projectId": self.project, "applicationId": self.app, "keyId": app}
        self.remove("zitadel.application.v2.ApplicationService/DeleteApplicationKey", where)
        self.retired.append(old)

    def remove(self, method, body):
        self.caller.post(f"/{method}", body)

    def use(self, caller, keys):
        """A token by the service user's key, asked about with the application's: both statuses and the last answer."""
        robot, app = keys
        scope = f"openid urn:zitadel:iam:org:project:id:{self.project}:aud"
        status, made = caller.form("/oauth/v2/token", grant_type=GRANT, assertion=robot.sign(self.url), scope=scope)
        proof = {"client_assertion_type": ASSERTION, "client_assertion": app.sign(self.url)}
        again, told = caller.form("/oauth/v2/introspect", token=made.get("access_token", "x"), **proof)
        return status, again, told


class Client(threading.Thread):
    """Uses the pairs of keys that are in use, in turn."""

    def __init__(self, server, house):
        super().__init__(daemon=True)
        self.server, self.house = server, house
        self.done, self.with_old, self.wrong, self.stopped = 0, 0, [], threading.Event()

    def run(self):
        caller = Caller(self.server)
        while not self.stopped.is_set():
            pairs = self.house.in_use
            keys = pairs[self.done % len(pairs)]
            status, again, told = self.house.use(caller, keys)
            if (status, again) != (200, 200) or not told["active"]:
                self.wrong.append((status, again, told))
            self.done += 1
            self.with_old += len(pairs) == 2 and keys is pairs[0]


@pytest.fixture
def server(tmp_path, own_database):
    made = new_server(tmp_path)
    made.environment |= own_database
    made.start()
    yield made
    made.kill()


def test_row_44_keys_of_service_users_and_applications_are_changed_under_load(server):
    house = House(server)
    clients = [Client(server, house) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for _ in range(RENEWALS):
        reach(clients, CALLS)
        house.renew(clients)
    for client in clients:
        client.stopped.set()
        client.join(30)
    assert [client.wrong for client in clients] == [[]] * CLIENTS
    assert all(client.with_old for client in clients), "old and new were in use at once"
    answers = [house.use(house.caller, keys)[:2] for keys in house.retired]
    assert answers == [(400, 401)] * RENEWALS, "a removed key proves nothing"
    assert house.use(house.caller, house.in_use[0])[:2] == (200, 200)
