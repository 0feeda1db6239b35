"""Random histories on four web processes: what was answered as done is seen by the next read of any process."""

import http.client
import json
import random
import secrets
import threading

import pytest

from tests.servers import new_server

PROCESSES = 4
CLIENTS = 4
STEPS = 120
USERS, PROJECTS = "/zitadel.user.v2.UserService/", "/zitadel.project.v2.ProjectService/"
STATES = {
    "DeactivateUser": "USER_STATE_INACTIVE",
    "ReactivateUser": "USER_STATE_ACTIVE",
    "LockUser": "USER_STATE_LOCKED",
    "UnlockUser": "USER_STATE_ACTIVE",
}


class Caller:
    """Each call on a connection of its own: any of the processes may answer it."""

    def __init__(self, server):
        self.server, self.pat = server, server.pat

    def __call__(self, path, body):
        connection = http.client.HTTPConnection("localhost", self.server.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.pat}", "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        status, told = answer.status, json.loads(answer.read())
        connection.close()
        return status, told


class History:
    """One client's random walk; `problems` are reads that did not show a write."""

    def __init__(self, call, org, seed):
        self.call, self.org, self.chance = call, org, random.Random(seed)
        self.users: list[str] = []
        self.projects: list[str] = []
        self.done, self.problems = 0, []

    def walk(self):
        """Take the steps."""
        for _ in range(STEPS):
            step = self.chance.choice(
                [self.add_user, self.add_project, self.turn, self.turn, self.add_role, self.remove, self.rename]
            )
            step()

    def expect(self, is_seen, what):
        self.done += 1
        if not is_seen:
            self.problems.append(what)

    def add_user(self):
        name = f"m-{secrets.token_hex(6)}"
        status, made = self.call(
            USERS + "CreateUser", {"organizationId": self.org, "username": name, "machine": {"name": name}}
        )
        assert status == 200, made
        self.users.append(made["id"])
        found = self.call(USERS + "ListUsers", {"queries": [{"userNameQuery": {"userName": name}}]})[1]
        self.expect([one["userId"] for one in found.get("result", [])] == [made["id"]], f"list after add {found}")

    def add_project(self):
        name = f"p-{secrets.token_hex(6)}"
        status, made = self.call(PROJECTS + "CreateProject", {"organizationId": self.org, "name": name})
        assert status == 200, made
        self.projects.append(made["projectId"])
        found = self.call(PROJECTS + "GetProject", {"projectId": made["projectId"]})[1]
        self.expect(found.get("project", {}).get("name") == name, f"project after add {found}")

    def turn(self):
        if not self.users:
            return
        user, verb = self.chance.choice(self.users), self.chance.choice(list(STATES))
        if self.call(USERS + verb, {"userId": user})[0] == 200:
            state = self.call(USERS + "GetUserByID", {"userId": user})[1]["user"]["state"]
            self.expect(state == STATES[verb], f"{verb} then {state}")

    def add_role(self):
        if not self.projects:
            return
        project, key = self.chance.choice(self.projects), f"r{self.chance.randrange(5)}"
        if self.call(PROJECTS + "AddProjectRole", {"projectId": project, "roleKey": key, "displayName": key})[0] == 200:
            roles = self.call(PROJECTS + "ListProjectRoles", {"projectId": project})[1].get("projectRoles", [])
            self.expect(key in [role["key"] for role in roles], f"role {key} not in {roles}")

    def rename(self):
        if not self.projects:
            return
        project, name = self.chance.choice(self.projects), f"n-{secrets.token_hex(6)}"
        assert self.call(PROJECTS + "UpdateProject", {"projectId": project, "name": name})[0] == 200
        found = self.call(PROJECTS + "GetProject", {"projectId": project})[1]["project"]["name"]
        self.expect(found == name, f"renamed {name}, read {found}")

    def remove(self):
        kind = self.chance.choice(["user", "project"])
        if kind == "user" and self.users:
            user = self.users.pop(self.chance.randrange(len(self.users)))
            assert self.call(USERS + "DeleteUser", {"userId": user})[0] == 200
            self.expect(self.call(USERS + "GetUserByID", {"userId": user})[0] == 404, "removed user is still there")
        elif kind == "project" and self.projects:
            project = self.projects.pop(self.chance.randrange(len(self.projects)))
            assert self.call(PROJECTS + "DeleteProject", {"projectId": project})[0] == 200
            self.expect(self.call(PROJECTS + "GetProject", {"projectId": project})[0] == 404, "removed project")


@pytest.fixture
def four(tmp_path, own_database):
    """A server of four processes on the engine of this run."""
    server = new_server(tmp_path)
    server.environment |= own_database | {"ZITADEL_WORKERS": str(PROCESSES), "ZITADEL_RATELIMITS_ENABLED": "false"}
    server.start()
    yield server
    server.kill()


def test_every_write_is_seen_by_the_next_read_and_replays_are_equal(four):
    call = Caller(four)
    org = call("/zitadel.org.v2.OrganizationService/ListOrganizations", {})[1]["result"][0]["id"]
    histories = [History(call, org, seed) for seed in range(CLIENTS)]
    threads = [threading.Thread(target=one.walk) for one in histories]
    for thread in threads:
        thread.start()
    rebuilt = four.manage("rebuild")  # swaps every read table while they write and read
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    for thread in threads:
        thread.join()
    assert [problem for one in histories for problem in one.problems] == []
    assert sum(one.done for one in histories) > CLIENTS * STEPS // 2
    replayed = four.manage("rebuild", "--verify")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert four.manage("verify_log").returncode == 0
