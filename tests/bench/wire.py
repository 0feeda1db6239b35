"""One kept HTTP/1.1 connection to a server, and the calls that are measured."""

import http.client
import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

PASSWORD = "Correct-Horse-9"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PERSONS = 40
"""How many different people sign in."""


@dataclass
class House:
    """What a prepared instance has to call with."""

    pat: str
    host: str = ""
    """By which every server is called: tokens name it."""
    api: dict[str, str] = field(default_factory=dict)
    robot: str = ""
    grant: dict[str, str] = field(default_factory=dict)
    token: str = ""
    persons: list[str] = field(default_factory=list)


class Wire:
    """One connection, opened anew when the server closed it in between."""

    def __init__(self, port: int, house: House) -> None:
        self.house = house
        self.connection = http.client.HTTPConnection("localhost", port, timeout=60)
        self.rest = {"Authorization": f"Bearer {house.pat}", "Content-Type": "application/json"}

    def ask(self, verb: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, bytes, str]:
        """Status, content and Retry-After."""
        headers = {"Host": self.house.host, **headers}
        try:
            self.connection.request(verb, path, body, headers)
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.connection.close()  # it was kept too long
            self.connection.request(verb, path, body, headers)
            answer = self.connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Retry-After") or ""

    def send(self, verb: str, path: str, body: str | None, headers: dict[str, str]) -> bytes:
        """The answer's bytes; anything but success ends the run."""
        status, content, _ = self.ask(verb, path, body, headers)
        if status not in (200, 201):
            raise SystemExit(f"{path} answered {status}: {content[:300]!r}")
        return content

    def call(self, path: str, body: object) -> Any:
        """JSON in and out."""
        return json.loads(self.send("POST", path, json.dumps(body), self.rest))

    def form(self, path: str, body: dict[str, str]) -> Any:
        """A form in, JSON out."""
        return json.loads(self.send("POST", path, urlencode(body), FORM))

    def bare(self) -> None:
        """A Django request that does nothing."""
        self.send("GET", "/debug/healthz", None, {})

    def introspect(self) -> None:
        """RFC 7662."""
        if not self.form("/oauth/v2/introspect", {**self.house.api, "token": self.house.token})["active"]:
            raise SystemExit("the token is not active")

    def userinfo(self) -> None:
        """The claims of the service user."""
        self.send("GET", "/oidc/v1/userinfo", None, {"Authorization": f"Bearer {self.house.token}"})

    def new_token(self) -> str:
        """Client credentials (RFC 6749 §4.4)."""
        return str(self.form("/oauth/v2/token", self.house.grant)["access_token"])

    def create_user(self, password: str = "", **profile: str) -> str:
        """A person; the answer is the id."""
        name = profile.pop("username", f"bench-{secrets.token_hex(8)}")
        human: dict[str, object] = {
            "profile": {"givenName": "A", "familyName": "B", **profile},
            "email": {"email": f"{name}@example.com", "isVerified": True},
        }
        if password:
            human["password"] = {"password": password}
        return str(self.call("/v2/users/human", {"username": name, **human})["userId"])

    def sign_in(self, person: str) -> tuple[int, str]:
        """A session with the password checked; status and Retry-After."""
        checks = {"user": {"userId": person}, "password": {"password": PASSWORD}}
        status, _, retry = self.ask("POST", "/v2/sessions", json.dumps({"checks": checks}), self.rest)
        return status, retry


def prepare(port: int, pat: str) -> House:
    """An API that introspects, a service user with a token, people with passwords."""
    wire = Wire(port, House(pat, f"localhost:{port}"))
    project = wire.call("/v2/projects", {"name": "bench"})["id"]
    made = {"projectId": project, "name": "api", "apiConfiguration": {"authMethodType": 0}}
    api = wire.call("/zitadel.application.v2.ApplicationService/CreateApplication", made)["apiConfiguration"]
    wire.house.api = {"client_id": api["clientId"], "client_secret": api["clientSecret"]}
    robot = wire.call("/management/v1/users/machine", {"userName": "robot", "name": "Robot"})["userId"]
    secret = wire.call("/zitadel.user.v2.UserService/AddSecret", {"userId": robot})["clientSecret"]
    scope = f"openid urn:zitadel:iam:org:project:id:{project}:aud"
    grant = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": secret, "scope": scope}
    wire.house.robot, wire.house.grant = robot, grant
    wire.house.token = wire.new_token()
    wire.house.persons = [wire.create_user(PASSWORD) for _ in range(PERSONS)]
    return House(**asdict(wire.house))


def with_token(port: int, house: House) -> House:
    """The same with a new token of the service user: a database is kept for longer than a token lives."""
    return replace(house, token=Wire(port, house).new_token())
