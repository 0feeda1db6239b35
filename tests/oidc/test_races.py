"""Codes and tokens, 200 times at once on the real server: one winner; of code and refresh token what it won is revoked."""

import json
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest

from tests.oidc.support import CHALLENGE, DEVICE, REDIRECT, VERIFIER
from tests.servers import new_server

TIMES = 200
FORM = "application/x-www-form-urlencoded"


class Rush:
    """A server with an application and a person, and calls to it."""

    def __init__(self, server):
        self.server = server
        self.project = self.api("/v2/projects", {"name": "shop"})["id"]
        app = {
            "name": "web",
            "redirect_uris": [REDIRECT],
            "response_types": ["OIDC_RESPONSE_TYPE_CODE"],
            "grant_types": ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE", "OIDC_GRANT_TYPE_REFRESH_TOKEN"],
            "app_type": "OIDC_APP_TYPE_WEB",
            "auth_method_type": "OIDC_AUTH_METHOD_TYPE_PKCE",
        }
        self.client_id = self.api(f"/v2/projects/{self.project}/apps/oidc", app)["clientId"]
        person = {"username": "gigi", "profile": {"givenName": "G", "familyName": "G"}}
        person |= {"email": {"email": "gigi@example.com", "isVerified": True}, "password": {"password": "Correct-1!x"}}
        self.person = self.api("/v2/users/human", person)["userId"]

        robot = self.api("/management/v1/users/machine", {"userName": "login", "name": "Login"})["userId"]
        ends = {"expiration_date": "2100-01-01T00:00:00Z"}
        self.login = self.api(f"/v2/users/{robot}/pats", ends)["token"]
        rights = {"userId": robot, "resource": {"instance": True}, "roles": ["IAM_LOGIN_CLIENT"]}
        self.api("/zitadel.internal_permission.v2.InternalPermissionService/CreateAdministrator", rights)

    def api(self, path, body, pat=""):
        status, told = self.post(path, json.dumps(body), "application/json", f"Bearer {pat or self.server.pat}")
        assert status in (200, 201), told
        return told

    def post(self, path, body, kind, authorization=""):
        request = urllib.request.Request(self.server.url + path, body.encode(), {"Content-Type": kind})
        if authorization:
            request.add_header("Authorization", authorization)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def code(self):
        """A code by the session and OIDC services, as a login of one's own gets it."""
        asked = {"client_id": self.client_id, "redirect_uri": REDIRECT, "response_type": "code"}
        asked |= {"scope": "openid offline_access", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        to = self.location(f"/oauth/v2/authorize?{urllib.parse.urlencode(asked)}")
        request = urllib.parse.parse_qs(urllib.parse.urlsplit(to).query)["authRequest"][0]
        session = {"session": self.proof()}
        url = self.api(f"/v2/oidc/auth_requests/{request}", session, self.login)["callbackUrl"]
        return urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["code"][0]

    def proof(self):
        """A session in which the person proved the password, with its token."""
        checks = {"user": {"userId": self.person}, "password": {"password": "Correct-1!x"}}
        opened = self.api("/v2/sessions", {"checks": checks}, self.login)
        return {"sessionId": opened["sessionId"], "sessionToken": opened["sessionToken"]}

    def device_app(self):
        """The client id of an application for devices."""
        app = {"name": "tv", "grant_types": ["OIDC_GRANT_TYPE_DEVICE_CODE"], "app_type": "OIDC_APP_TYPE_NATIVE"}
        app |= {"auth_method_type": "OIDC_AUTH_METHOD_TYPE_NONE"}
        return self.api(f"/v2/projects/{self.project}/apps/oidc", app)["clientId"]

    def device(self):
        """A device that waits: where to decide about it, and what it asks the token endpoint."""
        form = urllib.parse.urlencode({"client_id": self.client_id, "scope": "openid"})
        started = self.post("/oauth/v2/device_authorization", form, FORM)[1]
        request = urllib.request.Request(f"{self.server.url}/v2/oidc/device_authorization/{started['user_code']}")
        request.add_header("Authorization", f"Bearer {self.login}")
        found = json.load(urllib.request.urlopen(request, timeout=60))["deviceAuthorizationRequest"]
        asked = {"grant_type": DEVICE, "device_code": started["device_code"]}
        return f"/v2/oidc/device_authorization/{found['id']}", asked

    def decide(self, path, decision):
        """The status of a decision."""
        return self.post(path, json.dumps(decision), "application/json", f"Bearer {self.login}")[0]

    def location(self, path):
        import http.client

        connection = http.client.HTTPConnection("localhost", self.server.port, timeout=60)
        connection.request("GET", path)
        return connection.getresponse().getheader("Location")

    def token(self, **form):
        asked = urllib.parse.urlencode({"client_id": self.client_id, **form})
        return self.post("/oauth/v2/token", asked, FORM)

    def at_once(self, **form):
        return at_once([lambda: self.token(**form)] * TIMES)

    def lives(self, token):
        request = urllib.request.Request(self.server.url + "/oidc/v1/userinfo")
        request.add_header("Authorization", f"Bearer {token}")
        try:
            return urllib.request.urlopen(request, timeout=60).status == 200
        except urllib.error.HTTPError:
            return False


def at_once(calls):
    """What calls answer that are made at the same time."""
    answers = []
    threads = [threading.Thread(target=lambda call=call: answers.append(call())) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture
def rush(tmp_path, own_database):
    server = new_server(tmp_path)
    server.environment |= own_database | {"ZITADEL_WORKERS": "2"}
    server.start()
    yield Rush(server)
    server.kill()


def test_c01_c05_e10_of_200_at_once_one_wins_and_loses_it_again(rush):
    redeem = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    answers = rush.at_once(code=rush.code(), **redeem)
    won = [told for status, told in answers if status == 200]
    assert len(won) == 1 and {told["error"] for status, told in answers if status != 200} == {"invalid_grant"}
    assert not rush.lives(won[0]["access_token"]), "the second use revokes what the first gave, however close they are"
    status, tokens = rush.token(code=rush.code(), **redeem)
    assert status == 200 and rush.lives(tokens["access_token"])
    answers = rush.at_once(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    won = [told for status, told in answers if status == 200]
    assert len(won) == 1 and {told["error"] for status, told in answers if status != 200} == {"invalid_grant"}
    assert not rush.lives(won[0]["access_token"]) and not rush.lives(tokens["access_token"])
    assert rush.token(grant_type="refresh_token", refresh_token=won[0]["refresh_token"])[0] == 400


def test_e10_c15_of_200_polls_at_once_one_has_the_tokens_and_of_many_decisions_one_counts(rush):
    """The tokens live on: who polls twice by mistake does not lose what it won."""
    rush.client_id = rush.device_app()
    _, poll = rush.device()
    assert {told["error"] for _, told in rush.at_once(**poll)} == {"authorization_pending", "slow_down"}
    path, poll = rush.device()
    decisions = [{"session": rush.proof()} for _ in range(4)] + [{"deny": {}}] * 4
    answers = at_once([lambda one=one: rush.decide(path, one) for one in decisions])
    assert sorted(answers) == [200] + [404] * 7
    path, poll = rush.device()
    assert rush.decide(path, {"session": rush.proof()}) == 200
    answers = rush.at_once(**poll)
    won = [told for status, told in answers if status == 200]
    assert len(won) == 1 and {told["error"] for status, told in answers if status != 200} == {"invalid_grant"}
    assert rush.lives(won[0]["access_token"])
