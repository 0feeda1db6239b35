"""One of two servers on one database is five minutes ahead or behind: what either made counts on both (handbook's promise 49)."""

import base64
import http.client
import json
import secrets
import urllib.parse
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.load import must_verify
from tests.servers import new_server

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
pytestmark = [
    pytest.mark.skipif(not LIBRARIES, reason="no libfaketime (Debian: faketime)"),
    pytest.mark.parametrize("shift", ["+5m", "-5m"]),
]
CALLS = 10


@pytest.fixture
def pair(shift, tmp_path, own_database):
    """A server in time and one that is not, under one public name and on one database."""
    made = []
    for name in ("right", "shifted"):
        (tmp_path / name).mkdir(exist_ok=True)
        server = new_server(tmp_path / name)
        server.environment |= own_database | {"ZITADEL_EXTERNALPORT": str((made or [server])[0].port)}
        made.append(server)
    right, shifted = made
    if not own_database:
        shifted.environment |= {"GATEHOUSE_VAR": str(right.var)}
    shifted.environment |= {
        "LD_PRELOAD": str(LIBRARIES[-1]),
        "FAKETIME": shift,
    }
    try:
        right.start()
        shifted.start()
        pat = own_database.get("ZITADEL_FIRSTINSTANCE_PATPATH")
        yield right, shifted, Path(pat).read_text().strip() if pat else right.pat
    finally:
        for server in made:
            if server.process:
                server.kill()


def ask(servers, which, verb, path, body=None, **headers):
    """(status, answer, the server's own time)."""
    connection = http.client.HTTPConnection("localhost", servers[which].port, timeout=30)
    kind = "application/x-www-form-urlencoded" if isinstance(body, str) else "application/json"
    sent = body if isinstance(body, str) or body is None else json.dumps(body)
    told = {"Host": f"localhost:{servers[0].port}", "Content-Type": kind, **headers}
    connection.request(verb, path, sent, told)
    answer = connection.getresponse()
    content = answer.read().decode()
    connection.close()
    return answer.status, json.loads(content) if content else {}, answer.getheader("Date")


def test_row_49_tokens_sessions_and_writes_count_on_both(shift, pair):
    *servers, pat = pair
    bearer = {"Authorization": f"Bearer {pat}"}
    *_, right = ask(servers, 0, "GET", "/.well-known/openid-configuration")
    *_, wrong = ask(servers, 1, "GET", "/.well-known/openid-configuration")
    apart = parsedate_to_datetime(wrong) - parsedate_to_datetime(right)
    assert abs(abs(apart) - timedelta(minutes=5)) < timedelta(minutes=1), "its clock is another one"

    status, robot, _ = ask(
        servers, 0, "POST", "/management/v1/users/machine", {"userName": "robot", "name": "R"}, **bearer
    )
    assert status == 200, robot
    path = "/zitadel.user.v2.UserService/AddSecret"
    status, secret, _ = ask(servers, 1, "POST", path, {"userId": robot["userId"]}, **bearer)
    assert status == 200, secret
    basic = base64.b64encode(f"robot:{urllib.parse.quote(secret['clientSecret'])}".encode()).decode()
    form = "grant_type=client_credentials&scope=openid"
    for maker in (0, 1):
        status, token, _ = ask(servers, maker, "POST", "/oauth/v2/token", form, Authorization=f"Basic {basic}")
        assert status == 200, token
        for user in (0, 1):
            seen = ask(servers, user, "GET", "/oidc/v1/userinfo", Authorization=f"Bearer {token['access_token']}")
            assert (seen[0], seen[1]["sub"]) == (200, robot["userId"])

    for maker in (0, 1):
        lives = {"checks": {"user": {"userId": robot["userId"]}}, "lifetime": "3600s"}
        status, session, _ = ask(servers, maker, "POST", "/v2/sessions", lives, **bearer)
        assert status in (200, 201), session
        for user in (0, 1):
            assert ask(servers, user, "GET", f"/v2/sessions/{session['sessionId']}", **bearer)[0] == 200

    for number in range(CALLS):
        name = f"name-{secrets.token_hex(4)}"
        status, told, _ = ask(
            servers, number % 2, "PUT", f"/management/v1/users/{robot['userId']}/machine", {"name": name}, **bearer
        )
        assert status == 200, told
        found = ask(servers, (number + 1) % 2, "GET", f"/v2/users/{robot['userId']}", **bearer)[1]
        assert found["user"]["machine"]["name"] == name, "the last write counts, whatever its time says"
    must_verify(servers[0])
