"""More sign-ins than can be hashed: the surplus is told to come back, everything else goes on (checklist P12)."""

import contextlib
import http.client
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.servers import new_server

CONNECT = "/zitadel.session.v2.SessionService/CreateSession"


PASSWORD = "Correct-Horse-9"


class Stormy:
    """A server with one hashing thread, slow hashing and some people, one of whom has a password."""

    def __init__(self, server, database, sign_ins, **more):
        self.server = server
        slow = {"WORKERS": "1", "QUEUE": "2", "HASHER_TIME": "8", "HASHER_MEMORY": "131072"} | more
        server.environment |= database
        server.environment |= {f"ZITADEL_SYSTEMDEFAULTS_PASSWORDHASHER_{name}": value for name, value in slow.items()}
        server.start()
        people = [self.person(f"p{number}") for number in range(sign_ins)]
        new = {"newPassword": {"password": PASSWORD}}
        assert self.call(f"/v2/users/{people[0]}/password", new)[0] == 200
        self.checks = [{"user": {"userId": id}, "password": {"password": PASSWORD}} for id in people]

    def call(self, path, body):
        connection = http.client.HTTPConnection("localhost", self.server.port, timeout=120)
        headers = {"Authorization": f"Bearer {self.server.pat}", "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        told = answer.status, json.loads(answer.read()), answer.getheader("Retry-After")
        connection.close()
        return told

    def person(self, name):
        human = {"username": name, "profile": {"givenName": "G", "familyName": "G"}}
        human["email"] = {"email": f"{name}@example.com", "isVerified": True}
        return self.call("/v2/users/human", human)[1]["userId"]

    def begin(self, door):
        """Everybody signs in at once; answers the threads, and where their answers come."""
        answers = []

        def sign_in(checks):
            with contextlib.suppress(OSError, http.client.HTTPException):  # whose process is killed
                answers.append(self.call(door, {"checks": checks}))

        threads = [threading.Thread(target=sign_in, args=(one,)) for one in self.checks]
        for thread in threads:
            thread.start()
        return threads, answers


@pytest.mark.parametrize("door", ["/v2/sessions", CONNECT])
def test_p12_a_storm_of_passwords_stops_nothing_else(tmp_path, own_database, door):
    """One hashing thread and slow hashing; reads, and sessions without a password at the same door, are answered while
    sign-ins still wait, by whichever wire."""
    server = new_server(tmp_path)
    try:
        stormy = Stormy(server, own_database, 12)
        storm, answers = stormy.begin(door)
        reads = [stormy.call("/v2/users", {"query": {"limit": 1}})[0] for _ in range(5)]
        sessions = [stormy.call(door, {})[0] for _ in range(5)]
        assert reads == [200] * 5 and set(sessions) <= {200, 201}
        assert any(thread.is_alive() for thread in storm), "they did not wait for the hashing"
        for thread in storm:
            thread.join()
        surplus = [(told, wait) for status, told, wait in answers if status == 429]
        assert surplus and all(int(wait) >= 1 and told["code"] in (8, "resource_exhausted") for told, wait in surplus)
        assert {status for status, _, _ in answers} <= {200, 201, 400, 429}
        assert stormy.call("/v2/sessions", {"checks": stormy.checks[0]})[0] in (200, 201), "the storm is over"
    finally:
        server.kill()


def test_p12_a_web_process_that_is_killed_in_a_storm_takes_no_turn_with_it(tmp_path, own_database):
    """Two processes share one turn; each is killed once while it has it or waits for it."""
    server = new_server(tmp_path)
    server.environment["ZITADEL_WORKERS"] = "2"
    try:
        stormy = Stormy(server, own_database, 6, QUEUE="20")
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        for victim in children.read_text().split():
            storm, _ = stormy.begin("/v2/sessions")
            time.sleep(0.3)
            os.kill(int(victim), signal.SIGKILL)
            for thread in storm:
                thread.join()
        assert [stormy.call("/v2/sessions", {"checks": stormy.checks[0]})[0] for _ in range(4)] == [201] * 4
    finally:
        server.kill()
