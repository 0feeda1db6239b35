"""Every request goes to the other of two servers: sign-in, code, refresh, sessions; what one takes the other refuses (row 22)."""

import os
import secrets
from pathlib import Path

import pytest

from tests.browsing import PASSWORD, Browser, Page, person, pkce_app
from tests.clients.test_worker import redis  # noqa: F401 - a fixture
from tests.servers import new_server

pytestmark = pytest.mark.skipif(os.environ.get("GATEHOUSE_TEST_DB") != "postgres", reason="SQLite is for one process")
CACHED = ("MEMBERSHIPS", "ORGANIZATION", "OIDC")


class House:
    """Two servers, asked in turn, the first request to either of them; caches are on, so a stale one would show."""

    def __init__(self, servers, pat, first):
        self.servers, self.pat, self.first = servers, pat, first
        self.web = self.browser()
        self.mark = secrets.token_hex(4)
        self.project, self.client = pkce_app(self.ask, f"shop-{self.mark}")
        self.scope = f"openid offline_access urn:zitadel:iam:org:project:id:{self.project}:aud"
        self.login = f"gigi-{self.mark}"
        self.person = person(self.ask, self.login)
        api = self.ask(f"/management/v1/projects/{self.project}/apps/api", {"name": "api"})
        self.api = {"client_id": api["clientId"], "client_secret": api["clientSecret"]}

    def browser(self) -> Browser:
        return Browser(self.servers, self.first)

    def call(self, verb: str, path: str, body: object = None, token: str = "") -> Page:
        return self.web.call(verb, path, body, token or self.pat)

    def ask(self, path: str, body: object):
        answer = self.call("POST", path, body)
        assert answer.status in (200, 201), (path, answer)
        return answer.json()

    def told(self, token: str) -> list[dict]:
        """What both servers say of a token."""
        return [self.web.submit("/oauth/v2/introspect", **self.api, token=token).json() for _ in self.servers]

    def active(self, token: str) -> list[bool]:
        return [one["active"] for one in self.told(token)]


@pytest.fixture
def houses(tmp_path, own_database, redis):  # noqa: F811 - the fixture
    servers = []
    try:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            server = new_server(tmp_path / name)
            server.environment |= own_database | {
                "ZITADEL_EXTERNALPORT": str((servers or [server])[0].port),
                "ZITADEL_CACHES_CONNECTORS_REDIS_ENABLED": "true",
                "ZITADEL_CACHES_CONNECTORS_REDIS_URL": redis,
                **{f"ZITADEL_CACHES_{one}_CONNECTOR": "redis" for one in CACHED},
            }
            servers.append(server)
            server.start()
        pat = Path(own_database["ZITADEL_FIRSTINSTANCE_PATPATH"]).read_text().strip()
        yield [House(servers, pat, first) for first in (0, 1)]
    finally:
        for server in servers:
            if server.process:
                server.kill()


def test_row_22_a_flow_whose_every_request_goes_to_the_other_server(houses):
    """Once beginning with each of them, so that every step is done by both."""
    for house in houses:
        signs_in_and_stays(house)
        a_code_and_a_refresh_token_count_once(house)
        what_is_taken_is_refused_by_both(house)
        sessions_are_shared(house)
        signing_out_ends_it_everywhere(house)


def signs_in_and_stays(house):
    browser = house.browser()
    tokens = browser.sign_in(house.client, house.login, house.scope)
    assert house.active(tokens["access_token"]) == [True, True]
    for _ in range(4):
        tokens = browser.tokens(house.client, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        who = [browser.call("GET", "/oidc/v1/userinfo", token=tokens["access_token"]) for _ in house.servers]
        assert [(one.status, one.json()["sub"]) for one in who] == [(200, house.person)] * 2
    for _ in house.servers:
        assert house.active(browser.sign_in_silently(house.client, house.scope)["access_token"]) == [True, True]


def a_code_and_a_refresh_token_count_once(house):
    browser = house.browser()
    browser.sign_in(house.client, house.login, house.scope)
    verifier = secrets.token_urlsafe(48)
    page = browser.authorize(house.client, verifier, scope=house.scope, prompt="none")
    tokens = browser.redeem(house.client, verifier, page)
    assert house.active(tokens["access_token"]) == [True, True]
    again = browser.exchange(house.client, grant_type="authorization_code", code=page.code, code_verifier=verifier)
    assert (again.status, again.json()["error"]) == (400, "invalid_grant")
    assert house.active(tokens["access_token"]) == [False, False], "a code that came twice ends what it gave"
    tokens = browser.sign_in_silently(house.client, house.scope)
    newer = browser.tokens(house.client, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    again = browser.exchange(house.client, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert (again.status, again.json()["error"]) == (400, "invalid_grant")
    last = browser.exchange(house.client, grant_type="refresh_token", refresh_token=newer["refresh_token"])
    assert (last.status, last.json()["error"]) == (400, "invalid_grant"), (
        "a refresh token that came twice ends its family"
    )


def what_is_taken_is_refused_by_both(house):
    browser = house.browser()
    claim = f"urn:zitadel:iam:org:project:{house.project}:roles"
    house.ask(f"/management/v1/projects/{house.project}/roles", {"roleKey": "editor", "displayName": "Editor"})
    given = house.ask(
        f"/management/v1/users/{house.person}/grants", {"projectId": house.project, "roleKeys": ["editor"]}
    )
    token = browser.sign_in(house.client, house.login, f"{house.scope} urn:zitadel:iam:org:projects:roles")[
        "access_token"
    ]
    assert [set(one.get(claim, ())) for one in house.told(token)] == [{"editor"}] * 2
    path = f"/management/v1/users/{house.person}/grants/{given['userGrantId']}"
    assert house.call("DELETE", path).status == 200
    assert [one.get(claim) for one in house.told(token)] == [None, None], "a role, at the next request"

    member = {"userId": house.person, "roles": ["ORG_OWNER"]}
    house.ask("/management/v1/orgs/me/members", member)
    own = browser.sign_in_silently(house.client, "openid urn:zitadel:iam:org:project:id:zitadel:aud")["access_token"]
    asks = lambda: [house.call("GET", f"/v2/users/{house.person}", token=own).status for _ in house.servers]
    lists = lambda: [house.call("GET", "/management/v1/orgs/me", token=own).status for _ in house.servers]
    assert (asks(), lists()) == ([200, 200], [200, 200])
    assert house.call("DELETE", f"/management/v1/orgs/me/members/{house.person}").status == 200
    assert lists() == [403, 403], "a right, at the next request"
    assert browser.submit("/oauth/v2/revoke", client_id=house.client, token=own).status == 200
    assert asks() == [401, 401], "a token, at the next request"


def sessions_are_shared(house):
    made = house.ask("/v2/sessions", {"checks": {"user": {"userId": house.person}}})
    path = f"/v2/sessions/{made['sessionId']}"
    proved = house.call("PATCH", path, {"checks": {"password": {"password": PASSWORD}}})
    assert proved.status == 200, proved
    for _ in house.servers:
        found = house.call("GET", path)
        assert found.status == 200 and found.json()["session"]["factors"]["password"]["verifiedAt"], found
    assert house.call("DELETE", path, {}).status == 200
    assert [house.call("GET", path).status for _ in house.servers] == [404, 404]


def signing_out_ends_it_everywhere(house):
    browser = house.browser()
    tokens = browser.sign_in(house.client, house.login, house.scope)
    assert house.active(tokens["access_token"]) == [True, True]
    browser.arrive(browser.ask("GET", f"/oidc/v1/end_session?id_token_hint={tokens['id_token']}"))
    for _ in house.servers:
        refused = browser.authorize(house.client, secrets.token_urlsafe(48), scope="openid", prompt="none")
        assert "error=login_required" in refused.location
    assert house.active(tokens["access_token"]) == [False, False]
