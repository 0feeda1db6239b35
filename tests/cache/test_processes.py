"""Two servers share one database and one Redis: what is taken is refused at the next request on both, whatever Redis does."""

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

from tests.ports import free_port
from tests.servers import ROOT, Server, new_server

CHANGE = """
import sys
import django
django.setup()
from iam.access.caller import system_context
from iam.instance.models import InstanceRow
from projects import commands
from projects.models import UserGrantRow
ctx = system_context(InstanceRow.objects.get().instance_id)
verb, org, user, project = sys.argv[1:]
if verb == "give":
    commands.add_role(ctx, project_id=project, key="editor")
    commands.add_authorization(ctx, org_id=org, user_id=user, project_id=project, roles=("editor",))
else:
    commands.remove_authorization(ctx, authorization_id=UserGrantRow.objects.get(user_id=user).id)
"""


class Redis:
    """A private one that can be killed, frozen and emptied."""

    def __init__(self, folder):
        self.port = free_port()
        self.folder = folder
        self.start()

    def start(self):
        command = [
            "redis-server",
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self.folder),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("redis does not start")

    def ask(self, *words):
        done = subprocess.run(
            ["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, timeout=10, check=True
        )
        return done.stdout

    def kill(self):
        self.process.kill()
        self.process.wait()


class House:
    """Two web servers, and an organization whose application asks about tokens."""

    def __init__(self, first: Server, second: Server) -> None:
        self.servers = (first, second)
        self.host = f"localhost:{first.port}"
        self.org = self.call("/v2/organizations", {"name": "Shop"})["organizationId"]
        at = {"x-zitadel-orgid": self.org}
        self.project = self.call("/management/v1/projects", {"name": "shop", "projectRoleAssertion": True}, at)["id"]
        app = self.call(f"/management/v1/projects/{self.project}/apps/api", {"name": "api"}, at)
        self.client = f"{app['clientId']}:{app['clientSecret']}"
        self.user = self.call("/management/v1/users/machine", {"userName": "robot", "name": "Robot"})["userId"]
        secret = self.call(f"/v2/users/{self.user}/secret", {})
        scope = f"openid urn:zitadel:iam:org:project:id:{self.project}:aud urn:zitadel:iam:org:projects:roles"
        form = f"grant_type=client_credentials&scope={scope.replace(' ', '+')}"
        basic = f"{secret.get('clientId', 'robot')}:{secret['clientSecret']}"
        self.token = self._send(first, "/oauth/v2/token", form, basic=basic)[1]["access_token"]

    def call(self, path, body, headers=None, server=None):
        """JSON with the owner's token."""
        status, answer = self._send(server or self.servers[0], path, json.dumps(body), headers=headers)
        assert status == 200 or status == 201, (status, answer)
        return answer

    def introspect(self, server):
        """The status and what is told of the token."""
        return self._send(server, "/oauth/v2/introspect", f"token={self.token}", basic=self.client)

    def roles(self, server):
        """The roles that a server tells of the token."""
        status, told = self.introspect(server)
        assert status == 200 and told["active"], (status, told)
        return set(told.get(f"urn:zitadel:iam:org:project:{self.project}:roles", ()))

    def change(self, verb):
        """A program of its own, without a cache, gives or takes the role."""
        env = {**self.servers[0].environment, "DJANGO_SETTINGS_MODULE": "iam.settings.prod"}
        env = {name: value for name, value in env.items() if "CACHE_" not in name}
        done = subprocess.run(
            [sys.executable, "-c", CHANGE, verb, self.org, self.user, self.project],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def set_org(self, state):
        """deactivate or activate."""
        self.call(f"/v2/organizations/{self.org}/{state}", {})

    def _send(self, server, path, body, *, basic="", headers=None):
        credentials = f"Basic {base64.b64encode(basic.encode()).decode()}" if basic else f"Bearer {self.servers[0].pat}"
        kind = "application/x-www-form-urlencoded" if basic else "application/json"
        sent = {"Host": self.host, "Authorization": credentials, "Content-Type": kind, **(headers or {})}
        request = urllib.request.Request(f"{server.url}{path}", body.encode(), sent)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read() or b"null")


@pytest.fixture
def redis(tmp_path):
    made = Redis(tmp_path)
    yield made
    made.kill()


@pytest.fixture
def house(redis, tmp_path, own_database):
    first = new_server(tmp_path)
    first.environment |= {
        **own_database,
        "ZITADEL_CACHE_ENABLED": "true",
        "ZITADEL_CACHE_CONFIG_CONNECTION_ADDRS": f"127.0.0.1:{redis.port}",
        "ZITADEL_CACHES_CONNECTORS_REDIS_CIRCUITBREAKER_TIMEOUT": "1s",
    }
    first.start()
    second = new_server(tmp_path)
    second.environment = {**first.environment, "ZITADEL_PORT": str(second.port)}
    second.start()
    yield House(first, second)
    first.kill()
    second.kill()


class Traffic(threading.Thread):
    """Asks one server about the token until it is stopped; keeps every answer."""

    def __init__(self, house, server):
        super().__init__(daemon=True)
        self.house, self.server, self.answers, self.over = house, server, [], threading.Event()

    def run(self):
        while not self.over.is_set():
            status, told = self.house.introspect(self.server)
            self.answers.append((status, bool(told.get("active"))))


def refused_and_allowed_again(house):
    """Stop the organization of the client, look at both servers, and let it go on."""
    for server in house.servers:
        assert house.introspect(server)[0] == 200
    house.set_org("deactivate")
    for server in house.servers:
        assert house.introspect(server)[0] == 401
    house.set_org("activate")
    for server in house.servers:
        assert house.introspect(server)[0] == 200


def hits(house):
    text = urllib.request.urlopen(f"{house.servers[1].url}/debug/metrics", timeout=10).read().decode()
    found = [line for line in text.splitlines() if line.startswith('gatehouse_cache_hits_total{cache="oidc"}')]
    return float(found[0].split()[1]) if found else 0.0


def test_row28_a_revoked_right_is_refused_at_the_next_request_on_every_process(house, redis):
    assert house.roles(house.servers[0]) == house.roles(house.servers[1]) == set()
    house.change("give")
    for server in house.servers:
        assert house.roles(server) == house.roles(server) == {"editor"}
    house.change("take")
    for server in house.servers:
        assert house.roles(server) == set()
    refused_and_allowed_again(house)
    before = hits(house)  # what the first server asked answers the second
    house.introspect(house.servers[0])
    house.introspect(house.servers[1])
    assert hits(house) == before + 1
    keys = redis.ask("-n", "10", "keys", "*")
    assert "gatehouse:1:oidc:" in keys and "gatehouse:1:memberships:" in keys
    assert house.token not in keys and "robot" not in keys


def test_redis_flushed_frozen_killed_and_back_is_slower_and_never_wrong(house, redis):
    traffic = [Traffic(house, server) for server in house.servers for _ in range(2)]
    for one in traffic:
        one.start()
    try:
        redis.ask("flushall")
        time.sleep(0.5)
        redis.process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        redis.process.send_signal(signal.SIGCONT)
        time.sleep(1.5)
        redis.kill()
        time.sleep(1)
    finally:
        for one in traffic:
            one.over.set()
        for one in traffic:
            one.join(30)
    answers = [answer for one in traffic for answer in one.answers]
    assert len(answers) > 50
    assert set(answers) == {(200, True)}
    refused_and_allowed_again(house)  # without Redis
    redis.start()
    time.sleep(1.2)  # the breaker tries again
    refused_and_allowed_again(house)
    for _ in range(3):
        house.introspect(house.servers[1])
    assert redis.ask("-n", "10", "dbsize").strip() != "0"
    assert b"Traceback" not in (house.servers[0].var / "server.log").read_bytes()


def test_a_server_that_dies_between_commit_and_answer_leaves_no_stale_right(house):
    assert house.introspect(house.servers[1])[0] == 200
    stopper = threading.Thread(target=lambda: _quietly(house, "deactivate"))
    stopper.start()
    for _ in range(400):  # until the other server sees it committed, then the first one dies, answered or not
        if house.introspect(house.servers[1])[0] == 401:
            break
    os.killpg(house.servers[0].process.pid, signal.SIGKILL)
    house.servers[0].process.wait()
    stopper.join(20)
    for _ in range(5):
        assert house.introspect(house.servers[1])[0] == 401
    house.servers[0].process = subprocess.Popen(["sleep", "60"], start_new_session=True)


def _quietly(house, state):
    with contextlib.suppress(AssertionError, OSError):
        house.set_org(state)
