"""The database goes away, gets full, comes back: clean 503s meanwhile, nothing half done, no restart needed (N09)."""

import http.client
import json
import os
import resource
import time

import pytest

from tests import cluster
from tests.servers import new_server

PATIENCE = 60


class Client:
    """Calls that answer status and body whatever happens."""

    def __init__(self, server):
        self.server = server
        self.rest = {"Authorization": f"Bearer {server.pat}", "Content-Type": "application/json"}
        found = self.call("/zitadel.org.v2.OrganizationService/ListOrganizations", {})[1]
        self.org = json.loads(found)["result"][0]["id"]

    def ask(self, verb, path, body=None, headers=None):
        connection = http.client.HTTPConnection("localhost", self.server.port, timeout=60)
        connection.request(verb, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return answer.status, content, {name.lower(): value for name, value in answer.getheaders()}

    def call(self, path, body):
        return self.ask("POST", path, json.dumps(body), self.rest)

    def add_robot(self):
        """A service user that gets tokens by client credentials."""
        made = self.call("/management/v1/users/machine", {"userName": "robot", "name": "Robot"})[1]
        self.robot = "robot"
        added = self.call("/zitadel.user.v2.UserService/AddSecret", {"userId": json.loads(made)["userId"]})[1]
        self.secret = json.loads(added)["clientSecret"]

    def add_project(self, name):
        return self.call("/v2/projects", {"name": name})

    def names(self):
        status, content, _ = self.call("/zitadel.project.v2.ProjectService/ListProjects", {})
        assert status == 200, content
        return {one["name"] for one in json.loads(content)["projects"]}

    def until_ready(self):
        """Wait for the server to heal by itself; the limit is only against hanging."""
        begun = time.monotonic()
        while self.ask("GET", "/debug/ready")[0] != 200:
            assert time.monotonic() - begun < PATIENCE, self.ask("GET", "/debug/ready")
            time.sleep(0.2)


def must_be_refused(client):
    """Every door says 503 in its own form, and readiness is false."""
    status, content, headers = client.add_project("lost")
    assert (status, json.loads(content)["code"]) == (503, 14), content
    assert headers["retry-after"] == "5"
    status, content, _ = client.call(
        "/zitadel.project.v2.ProjectService/CreateProject", {"organizationId": client.org, "name": "lost"}
    )
    assert (status, json.loads(content)["code"]) == (503, "unavailable"), content
    assert client.ask("GET", "/debug/ready")[0] == 412
    assert client.ask("GET", "/debug/healthz")[0] == 200, "the process itself lives"


def must_have_healed(client, server, name):
    client.until_ready()
    assert client.add_project(name)[0] == 200
    names = client.names()
    assert {"before", name} <= names and "lost" not in names
    for command in (("verify_log",), ("rebuild", "--verify")):
        checked = server.manage(*command)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    log = (server.var / "server.log").read_text()
    assert server.pat not in log


@pytest.mark.skipif(os.environ.get("GATEHOUSE_TEST_DB") == "postgres", reason="the embedded database's own test")
def test_n09_a_full_disk_is_told_and_survived(tmp_path):
    server = new_server(tmp_path)
    server.start()
    try:
        client = Client(server)
        client.add_robot()
        assert client.add_project("before")[0] == 200
        with no_disk(server):
            must_be_refused(client)
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            asked = "/oauth/v2/authorize?client_id=x&redirect_uri=https://x.example/"
            assert client.ask("GET", asked)[0] == 400, "what only reads goes on"
            asked = f"grant_type=client_credentials&client_id={client.robot}&client_secret={client.secret}&scope=openid"
            status, content, _ = client.ask("POST", "/oauth/v2/token", asked, form)
            assert (status, json.loads(content)["error"]) == (503, "temporarily_unavailable")
        must_have_healed(client, server, "after the full disk")
    finally:
        server.kill()


class no_disk:
    """No file of the server's processes may grow or change: every write to disk fails."""

    def __init__(self, server):
        self.processes = processes_of(server.process.pid)

    def __enter__(self):
        self.before = {id: resource.prlimit(id, resource.RLIMIT_FSIZE, (0, -1)) for id in self.processes}

    def __exit__(self, *_):
        for id, limits in self.before.items():
            resource.prlimit(id, resource.RLIMIT_FSIZE, limits)


def processes_of(leader):
    """The processes of a session, by /proc."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(name)) == leader:
                found.append(int(name))
        except ProcessLookupError:
            continue
    return found


@pytest.mark.skipif(os.environ.get("GATEHOUSE_TEST_DB") != "postgres", reason="PostgreSQL's own test")
def test_n09_a_database_that_is_away_or_read_only_is_told_and_survived(tmp_path, own_database):
    own = cluster.start()
    server = new_server(tmp_path)
    server.environment |= own_database | {"ZITADEL_DATABASE_POSTGRES_DSN": own.dsn}
    server.start()
    try:
        client = Client(server)
        assert client.add_project("before")[0] == 200
        own.halt()
        must_be_refused(client)
        page = {"Accept": "text/html", "Host": f"localhost:{server.port}"}
        status, content, _ = client.ask("GET", "/ui/v2/login/logout", headers=page)
        assert status == 503 and "Try again" in content
        own.resume()
        must_have_healed(client, server, "after the crash")
        own.sql("ALTER SYSTEM SET default_transaction_read_only = on")
        own.sql("SELECT pg_reload_conf()")
        until(lambda: client.add_project("lost")[0] == 503)
        must_be_refused(client)
        own.sql("SET default_transaction_read_only = off", "ALTER SYSTEM RESET default_transaction_read_only")
        own.sql("SELECT pg_reload_conf()")
        must_have_healed(client, server, "after the read-only time")
    finally:
        server.kill()
        own.stop()


def until(is_so):
    """Wait; the limit is only against hanging."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < PATIENCE
        time.sleep(0.2)
