"""Signing keys are changed by command while tokens are made and checked by the published keys: none fails (handbook's promise 44)."""

import base64
import json
import threading
import urllib.request

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.load import until
from tests.servers import new_server

ROTATIONS, CLIENTS, TOKENS = 2, 2, 5


class Client(threading.Thread):
    """Gets tokens, and checks all that it has ever got by the keys that are published now."""

    def __init__(self, server, secret):
        super().__init__(daemon=True)
        basic = base64.b64encode(f"robot:{secret}".encode()).decode()
        self.headers = {"Authorization": f"Basic {basic}"}
        self.server, self.tokens, self.wrong, self.stopped = server, [], [], threading.Event()

    def run(self):
        while not self.stopped.wait(0.01):
            try:
                self.tokens.append(self.token())
                keys = published(self.server)
                for one in {kid(token): token for token in self.tokens}.values():
                    jwt.decode(one, keys, algorithms=["RS256"])
            except Exception as failure:
                self.wrong.append(repr(failure))

    def token(self):
        form = b"grant_type=client_credentials&scope=openid"
        request = urllib.request.Request(f"{self.server.url}/oauth/v2/token", form, self.headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)["access_token"]


def kid(token):
    head = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


def published(server):
    """The keys, asked for anew each time."""
    with urllib.request.urlopen(f"{server.url}/oauth/v2/keys", timeout=20) as answer:
        return KeySet.import_key_set(json.load(answer))


def post(server, path, body):
    headers = {"Authorization": f"Bearer {server.pat}", "Content-Type": "application/json"}
    request = urllib.request.Request(server.url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


@pytest.fixture
def server(tmp_path, own_database):
    made = new_server(tmp_path)
    made.environment |= own_database
    made.start()
    yield made
    made.kill()


def test_row_44_signing_keys_are_changed_while_tokens_are_made_and_checked(server):
    robot = {"userName": "robot", "name": "Robot", "accessTokenType": "ACCESS_TOKEN_TYPE_JWT"}
    id = post(server, "/management/v1/users/machine", robot)["userId"]
    secret = post(server, "/zitadel.user.v2.UserService/AddSecret", {"userId": id})["clientSecret"]
    clients = [Client(server, secret) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for _ in range(ROTATIONS):
        goals = [len(client.tokens) + TOKENS for client in clients]
        until(lambda goals=goals: all(len(one.tokens) >= goal for one, goal in zip(clients, goals, strict=True)))
        done = server.manage("rotate_signing_keys")
        assert done.returncode == 0, done.stderr
    newest = [len(client.tokens) + TOKENS for client in clients]
    until(lambda: all(len(one.tokens) >= goal for one, goal in zip(clients, newest, strict=True)))
    for client in clients:
        client.stopped.set()
        client.join(20)
    assert [client.wrong for client in clients] == [[]] * CLIENTS
    assert len({kid(token) for client in clients for token in client.tokens}) == ROTATIONS + 1, "each key has signed"
