"""A browser without a screen: cookies, redirects and forms over plain HTTP, every request to the next of its servers."""

import base64
import hashlib
import html
import http.client
import itertools
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.servers import Server

PASSWORD = "Correct-Horse-9"
REDIRECT = "http://localhost:9000/cb"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LONGEST_CHAIN = 10


@dataclass(frozen=True)
class Page:
    """An answer."""

    status: int
    location: str
    text: str

    def json(self):
        """Its content as JSON."""
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The authorization code in the address that it leads to."""
        return parse_qs(urlsplit(self.location).query)["code"][0]


class Browser:
    """Asks the servers in turn, one request each, all by the public name of the first."""

    def __init__(self, servers: Sequence[Server], first: int = 0) -> None:
        self.host = f"localhost:{servers[0].port}"
        ports = [server.port for server in servers]
        self._turns = itertools.cycle([*ports[first:], *ports[:first]])
        self.cookies: dict[str, str] = {}

    def ask(self, verb: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> Page:
        """One request to the server whose turn it is."""
        port = next(self._turns)
        cookie = (
            {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        )
        connection = http.client.HTTPConnection("localhost", port, timeout=30)
        try:
            connection.request(verb, path, body, {"Host": self.host, **cookie, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        self._keep(answer.headers.get_all("Set-Cookie") or ())
        return Page(answer.status, answer.headers.get("Location", ""), text)

    def call(self, verb: str, path: str, body: object = None, token: str = "") -> Page:
        """One call of the API."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        return self.ask(verb, path, None if body is None else json.dumps(body), headers)

    def submit(self, path: str, **form: str) -> Page:
        """POST a form."""
        return self.ask("POST", path, urlencode(form), FORM)

    def arrive(self, page: Page) -> Page:
        """Follow redirects until a page is shown, or an address of somebody else is reached."""
        for _ in range(LONGEST_CHAIN):
            if not 300 <= page.status < 400 or page.location.startswith(REDIRECT):
                return page
            page = self.ask("GET", page.location.removeprefix(f"http://{self.host}"))
        raise AssertionError(f"no end of redirects: {page.location}")

    def fill(self, page: Page, path: str, **fields: str) -> Page:
        """Send the form of a page with its hidden fields."""
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
        assert page.status == 200 and hidden, (page.status, page.text[:2000])
        return self.arrive(self.submit(path, **{name: html.unescape(value) for name, value in hidden}, **fields))

    def sign_in(self, client_id: str, login: str, scope: str = "openid offline_access") -> dict[str, str]:
        """Through the hosted login to an application with PKCE; answers its tokens."""
        verifier = secrets.token_urlsafe(48)
        page = self.arrive(self.authorize(client_id, verifier, scope=scope))
        page = self.fill(page, "/ui/v2/login/loginname", login_name=login)
        page = self.fill(page, "/ui/v2/login/password", password=PASSWORD)
        return self.redeem(client_id, verifier, page)

    def sign_in_silently(self, client_id: str, scope: str = "openid offline_access") -> dict[str, str]:
        """The same while a session is there: without a page."""
        verifier = secrets.token_urlsafe(48)
        return self.redeem(client_id, verifier, self.authorize(client_id, verifier, scope=scope, prompt="none"))

    def authorize(self, client_id: str, verifier: str, **more: str) -> Page:
        """The authorization endpoint's answer."""
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "client_id": client_id,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "state": "st",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **more,
        }
        return self.ask("GET", f"/oauth/v2/authorize?{urlencode(asked)}")

    def redeem(self, client_id: str, verifier: str, page: Page) -> dict[str, str]:
        """The tokens for the code that a page leads to."""
        assert page.location.startswith(REDIRECT), (page.status, page.location, page.text[:2000])
        return self.tokens(client_id, grant_type="authorization_code", code=page.code, code_verifier=verifier)

    def tokens(self, client_id: str, **form: str) -> dict[str, str]:
        """Exchange a code or a refresh token."""
        answer = self.exchange(client_id, **form)
        assert answer.status == 200, answer
        return answer.json()

    def exchange(self, client_id: str, **form: str) -> Page:
        """The token endpoint's answer."""
        return self.submit("/oauth/v2/token", client_id=client_id, redirect_uri=REDIRECT, **form)

    def _keep(self, headers: Sequence[str]) -> None:
        for header in headers:
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


def pkce_app(ask, name: str) -> tuple[str, str]:
    """A project with an application for `sign_in`: ids of the project and the client. `ask(path, body)` calls the API."""
    project = ask("/v2/projects", {"name": name})["id"]
    config = {
        "name": name,
        "redirectUris": [REDIRECT],
        "responseTypes": ["OIDC_RESPONSE_TYPE_CODE"],
        "grantTypes": ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE", "OIDC_GRANT_TYPE_REFRESH_TOKEN"],
        "appType": "OIDC_APP_TYPE_NATIVE",
        "authMethodType": "OIDC_AUTH_METHOD_TYPE_NONE",
    }
    return project, ask(f"/management/v1/projects/{project}/apps/oidc", config)["clientId"]


def person(ask, name: str) -> str:
    """Somebody with the password of these tests; answers the id."""
    human = {
        "username": name,
        "profile": {"givenName": "Gigi", "familyName": "G"},
        "email": {"email": f"{name}@example.com", "isVerified": True},
        "password": {"password": PASSWORD, "changeRequired": False},
    }
    return ask("/v2/users/human", human)["userId"]
