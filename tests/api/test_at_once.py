"""Keys and conditions on a real server: many at once, and a process that dies in between."""

import http.client
import json
import threading

import pytest

from tests.servers import new_server

MACHINE = "/management/v1/users/machine"


class Running:
    """A server of its own and calls of the service user that owns the instance."""

    def __init__(self, server):
        self.server = server

    def send(self, verb, path, body=None, **headers):
        """Status, headers and JSON of an answer."""
        wire = http.client.HTTPConnection("localhost", self.server.port, timeout=60)
        given = {"Authorization": f"Bearer {self.server.pat}", "Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        wire.request(verb, path, text, {**given, **{name.replace("_", "-"): value for name, value in headers.items()}})
        answer = wire.getresponse()
        told = (
            answer.status,
            {name.lower(): value for name, value in answer.getheaders()},
            json.loads(answer.read() or b"{}"),
        )
        wire.close()
        return told

    def at_once(self, *calls):
        """Answers of calls that are sent at the same time."""
        answers = []
        threads = [
            threading.Thread(target=lambda call=call: answers.append(self.send(*call[0], **call[1]))) for call in calls
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        return answers


@pytest.fixture
def running(tmp_path, own_database):
    server = new_server(tmp_path)
    server.environment |= own_database
    server.start()
    yield Running(server)
    server.kill()


def test_u03_of_login_names_that_meet_at_once_one_is_given(running):
    """The same name, and what is the same by a domain of the organization."""
    names = ["bob", "bob@zitadel.localhost", "BOB"] * 4
    answers = running.at_once(*[(("POST", MACHINE, {"userName": name, "name": "r"}), {}) for name in names])
    assert sorted(status for status, _, _ in answers) == [200, *[409] * 11]


def test_e10_of_many_at_once_one_happens(running):
    body = {"userName": "robot", "name": "r"}
    answers = running.at_once(*[(("POST", MACHINE, body), {"Idempotency_Key": "k1"})] * 30)
    done = [told for status, _, told in answers if status == 200]
    waiting = [told for status, _, told in answers if status != 200]
    assert done and len({one["userId"] for one in done}) == 1
    assert {one["code"] for one in waiting} <= {10}, "whoever does not wait is told that the first is running"
    status, headers, told = running.send("POST", MACHINE, body, Idempotency_Key="k1")
    assert (status, headers["idempotency-replayed"], told) == (200, "true", done[0])

    path = f"/v2/users/{told['userId']}"
    tag = running.send("GET", path)[1]["etag"]
    names = [(("PATCH", path, {"username": f"robot-{one}"}), {"If_Match": tag}) for one in range(20)]
    assert sorted(status for status, _, _ in running.at_once(*names)) == [200] + [412] * 19


def test_e04_a_process_that_dies_leaves_both_or_neither(running):
    """kill -9 among writes under keys; afterwards every key is sent again: nothing is there twice, each answer fits."""

    def make(number):
        return running.send("POST", MACHINE, {"userName": f"robot-{number}", "name": "r"}, Idempotency_Key=f"k{number}")

    answers, enough = {}, threading.Event()

    def work(start):
        for number in range(start, 200, 4):
            try:
                answers[number] = make(number)
            except (OSError, http.client.HTTPException):
                return
            if len(answers) >= 40:
                enough.set()

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for one in threads:
        one.start()
    assert enough.wait(60)
    running.server.kill()
    for one in threads:
        one.join()
    running.server.start()
    again = {number: make(number) for number in range(200)}
    assert {status for status, _, _ in again.values()} == {200}
    assert {number: again[number][2] for number in answers} == {
        number: told for number, (_, _, told) in answers.items()
    }
    assert all(again[number][1].get("idempotency-replayed") == "true" for number in answers)
    assert len({told["userId"] for _, _, told in again.values()}) == 200
