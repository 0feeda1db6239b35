"""More sign-ins than can be hashed: the surplus is told to come back, everything else goes on (checklist P12)."""

import http.client
import json
import threading

import pytest

from tests.servers import new_server

CONNECT = "/zitadel.session.v2.SessionService/CreateSession"


@pytest.mark.parametrize("door", ["/v2/sessions", CONNECT])
def test_p12_a_storm_of_passwords_stops_nothing_else(tmp_path, own_database, door):
    """One hashing thread and slow hashing; reads are answered while sign-ins still wait, by whichever wire."""
    sign_ins = 12
    server = new_server(tmp_path)
    slow = {"WORKERS": "1", "QUEUE": "2", "HASHER_TIME": "8", "HASHER_MEMORY": "131072"}
    server.environment |= own_database
    server.environment |= {f"ZITADEL_SYSTEMDEFAULTS_PASSWORDHASHER_{name}": value for name, value in slow.items()}
    server.start()

    def call(path, body):
        connection = http.client.HTTPConnection("localhost", server.port, timeout=120)
        headers = {"Authorization": f"Bearer {server.pat}", "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        told = answer.status, json.loads(answer.read()), answer.getheader("Retry-After")
        connection.close()
        return told

    try:
        people = []
        for number in range(sign_ins):
            human = {"username": f"p{number}", "profile": {"givenName": "G", "familyName": "G"}}
            human["email"] = {"email": f"p{number}@example.com", "isVerified": True}
            people.append(call("/v2/users/human", human)[1]["userId"])
        assert call(f"/v2/users/{people[0]}/password", {"newPassword": {"password": "Correct-Horse-9"}})[0] == 200
        answers = []
        checks = [{"user": {"userId": id}, "password": {"password": "Correct-Horse-9"}} for id in people]
        begin = lambda one: answers.append(call(door, {"checks": one}))
        storm = [threading.Thread(target=begin, args=(one,)) for one in checks]
        for thread in storm:
            thread.start()
        reads = [call("/v2/users", {"query": {"limit": 1}})[0] for _ in range(5)]
        assert reads == [200] * 5
        assert any(thread.is_alive() for thread in storm), "the reads did not wait for the hashing"
        for thread in storm:
            thread.join()
        surplus = [(told, wait) for status, told, wait in answers if status == 429]
        assert surplus and all(int(wait) >= 1 and told["code"] in (8, "resource_exhausted") for told, wait in surplus)
        assert {status for status, _, _ in answers} <= {200, 201, 400, 429}
        assert call("/v2/sessions", {"checks": checks[0]})[0] in (200, 201), "the storm is over"
    finally:
        server.kill()
