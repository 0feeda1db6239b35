"""A client and a signed-in person for the protocol's tests."""

import base64
import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from iam.access.tokens import digest
from oidc import devices, login_door
from oidc.devices import GRANT as DEVICE
from oidc.models import DeviceAuthorization
from projects import commands as projects
from projects.domain.project import OidcConfig
from users.commands import sessions

REDIRECT = "https://app.example/cb"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Flow:
    """One application and one person."""

    house: object
    web: object
    project: str
    app: str
    client_id: str
    secret: str
    person: str

    def authorize(self, **changed):
        """GET the authorization endpoint."""
        asked = {
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": "openid profile email offline_access",
            "state": "st",
            "nonce": "no",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changed,
        }
        return self.web.get(f"/oauth/v2/authorize?{urlencode({k: v for k, v in asked.items() if v is not None})}")

    def session(self):
        """A session in which the person proved the password."""
        ctx = self.house.system
        id = sessions.create_session(ctx)
        sessions.check_user(ctx, session_id=id, user_id=self.person)
        sessions.check_password(ctx, session_id=id, user_id=self.person, password="Correct-Horse-9")
        return id

    def code(self, session="", **changed):
        """A code as the login would get it."""
        request = parse_qs(urlsplit(self.authorize(**changed)["Location"]).query)["authRequest"][0]
        url = login_door.finish(self.house.system, request, session or self.session())
        return parse_qs(urlsplit(url).query)["code"][0]

    def form(self, path, form, **headers):
        """POST a form."""
        return self.web.post(path, urlencode(form), content_type="application/x-www-form-urlencoded", headers=headers)

    def redeem(self, code, **changed):
        """Exchange a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "client_id": self.client_id,
            "code_verifier": VERIFIER,
            **changed,
        }
        return self.form("/oauth/v2/token", {k: v for k, v in form.items() if v is not None})

    def tokens(self, **changed):
        """Tokens of a fresh sign-in."""
        return self.redeem(self.code(**changed)).json()

    def refresh(self, token, **changed):
        """Exchange a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.client_id, **changed}
        return self.form("/oauth/v2/token", form)

    def userinfo(self, token):
        """Ask who it is."""
        return self.web.get("/oidc/v1/userinfo", headers={"authorization": f"Bearer {token}"})


def make_flow(house, web):
    """An application with PKCE and refresh tokens."""
    project = projects.add_project(house.system, org_id=house.org, name="shop").id
    config = OidcConfig(
        redirect_uris=(REDIRECT,),
        post_logout_redirect_uris=("https://app.example/",),
        grant_types=(0, 2),
        auth_method_type=2,
    )
    made = projects.add_oidc_app(house.system, project_id=project, name="web", config=config)
    return Flow(house, web, project, made.id, made.client_id, made.secret, house.person())


@dataclass
class Tv:
    """A device of a native application, and the person who holds its code in the hand."""

    flow: Flow
    app: str
    client_id: str
    secret: str = ""
    started: dict | None = None

    def start(self, **changed):
        """Ask to come in; answers the response."""
        form = {"client_id": self.client_id, "scope": "openid profile email offline_access", **changed}
        path = "/oauth/v2/device_authorization"
        answer = self.flow.form(path, {name: value for name, value in form.items() if value is not None})
        self.started = answer.json() if answer.status_code == 200 else None
        return answer

    @property
    def row(self):
        """What is kept of the device."""
        return DeviceAuthorization.objects.get(digest=digest(self.started["device_code"]))

    def poll(self, **changed):
        """Ask for the tokens; answers the response."""
        form = {
            "grant_type": DEVICE,
            "device_code": self.started["device_code"],
            "client_id": self.client_id,
            **changed,
        }
        return self.flow.form("/oauth/v2/token", {name: value for name, value in form.items() if value is not None})

    def approve(self, session=""):
        """What both doors call when the person says yes."""
        devices.approve(self.flow.house.system, self.row.id, session or self.flow.session())


def make_tv(house, web, **config):
    """A native application that may use device codes and refresh tokens, beside the application of `make_flow`."""
    flow = make_flow(house, web)
    asked = {"application_type": 2, "grant_types": (2, 3), "auth_method_type": 2, **config}
    made = projects.add_oidc_app(house.system, project_id=flow.project, name="Television", config=OidcConfig(**asked))
    return Tv(flow, made.id, made.client_id, made.secret)
