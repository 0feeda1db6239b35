"""Several web processes and several workers on one database and one Redis (handbook's promise 22)."""

import http.client
import json
import os
import signal
import socketserver
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.clients.test_worker import redis  # noqa: F401 - a fixture
from tests.load import begin, end, must_verify, reach, told, until
from tests.servers import new_server
from tests.users.test_codes import MailServer

pytestmark = pytest.mark.skipif(os.environ.get("GATEHOUSE_TEST_DB") != "postgres", reason="SQLite is for one process")
MAILS = 200
ASKED = 10
"""Requests until every process of a server has been asked."""


class House:
    """Two servers with two processes each; both are asked by the one public name."""

    def __init__(self, servers, pat):
        self.servers, self.pat = servers, pat
        self.host = f"localhost:{servers[0].port}"

    def ask(self, which, verb, path, body=None, token=""):
        connection = http.client.HTTPConnection("localhost", self.servers[which].port, timeout=30)
        headers = {
            "Host": self.host,
            "Authorization": f"Bearer {token or self.pat}",
            "Content-Type": "application/json",
        }
        connection.request(verb, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return answer.status, json.loads(content) if content.startswith("{") else content

    def person(self, name):
        human = {"username": name, "profile": {"givenName": "Gigi", "familyName": "G"}}
        human["email"] = {"email": f"{name}@example.com", "sendCode": {}}
        status, made = self.ask(0, "POST", "/v2/users/human", human)
        assert status == 200, made
        return made["userId"]

    def worker(self, *flags):
        return self.servers[0].work(*flags)

    def has_caught_up(self):
        return "0 facts and 0 s behind" in self.servers[0].manage("lag").stdout


@pytest.fixture
def house(tmp_path, own_database, redis):  # noqa: F811 - the fixture
    MailServer.taken.clear()
    made = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer) as mail:
        threading.Thread(target=mail.serve_forever, daemon=True).start()
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            server = new_server(tmp_path / name)
            server.environment |= own_database | {
                "ZITADEL_EXTERNALPORT": str((made or [server])[0].port),
                "ZITADEL_WORKERS": "2",
                "ZITADEL_CACHES_CONNECTORS_REDIS_ENABLED": "true",
                "ZITADEL_CACHES_CONNECTORS_REDIS_URL": redis,
                "ZITADEL_DEFAULTINSTANCE_SMTPCONFIGURATION_SMTP_HOST": f"127.0.0.1:{mail.server_address[1]}",
                "ZITADEL_DEFAULTINSTANCE_SMTPCONFIGURATION_FROM": "id@acme.example",
            }
            made.append(server)
        try:
            for server in made:
                server.start()
            yield House(made, Path(own_database["ZITADEL_FIRSTINSTANCE_PATPATH"]).read_text().strip())
        finally:
            for server in made:
                if server.process:
                    server.kill()
            mail.shutdown()


def test_row_22_what_one_process_made_or_took_counts_on_every_other(house):
    status, made = house.ask(0, "POST", "/management/v1/users/machine", {"userName": "robot", "name": "Robot"})
    assert status == 200, made
    path = "/zitadel.user.v2.UserService/AddPersonalAccessToken"
    status, pat = house.ask(1, "POST", path, {"userId": made["userId"], "expirationDate": "2099-01-01T00:00:00Z"})
    assert status == 200, pat
    me = "/zitadel.user.v2.UserService/GetUserByID"
    seen = {house.ask(n % 2, "POST", me, {"userId": made["userId"]}, pat["token"])[0] for n in range(ASKED)}
    assert seen == {200}
    gone = {"userId": made["userId"], "tokenId": pat["tokenId"]}
    assert house.ask(0, "POST", "/zitadel.user.v2.UserService/RemovePersonalAccessToken", gone)[0] == 200
    seen = {house.ask((n + 1) % 2, "POST", me, {"userId": made["userId"]}, pat["token"])[0] for n in range(ASKED)}
    assert seen == {401}, "refused at the next request, everywhere"

    person = house.person("gigi")
    status, session = house.ask(0, "POST", "/v2/sessions", {"checks": {"user": {"userId": person}}})
    assert status in (200, 201), session
    for number in range(ASKED):
        status, found = house.ask(number % 2, "GET", f"/v2/sessions/{session['sessionId']}")
        assert (status, found["session"]["factors"]["user"]["id"]) == (200, person)
    assert house.ask(1, "DELETE", f"/v2/sessions/{session['sessionId']}", {})[0] == 200
    assert {house.ask(n % 2, "GET", f"/v2/sessions/{session['sessionId']}")[0] for n in range(ASKED)} == {404}


def test_row_22_every_mail_is_sent_once_and_a_killed_worker_loses_nothing(house):
    workers = [house.worker("--beat"), house.worker()]
    try:
        for number in range(MAILS):
            house.person(f"p{number}")
        until(lambda: len(MailServer.taken) >= MAILS)
        until(house.has_caught_up)
        receivers = Counter(line for mail in MailServer.taken for line in mail.splitlines() if line.startswith("To: "))
        assert (len(receivers), set(receivers.values())) == (MAILS, {1})

        writers = begin(house.servers[:1], 2, house.pat)
        reach(writers, 30)
        os.killpg(workers[1].pid, signal.SIGKILL)
        reach(writers, 30)
        end(writers)
        sys.stdout.write(f"a worker killed: {told(writers)}\n")
        until(house.has_caught_up)
        assert len(MailServer.taken) == MAILS
        must_verify(house.servers[0])
    finally:
        for worker in workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
