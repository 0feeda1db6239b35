"""Every way to tokens, for tables over all of them: what an application or a service user is told at the end of it."""

import base64
import json
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from django.test import Client
from joserfc import jws
from joserfc.jwk import RSAKey

from iam.kernel.errors import Refusal
from oidc import login_door
from projects import commands as projects
from projects.domain.project import OidcConfig
from tests.conftest import HOST, Api
from tests.oidc.support import REDIRECT, Flow, Tv
from users import commands as users
from users.commands import sessions

PASSWORD = "Correct-Horse-9"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
API = "urn:zitadel:iam:org:project:id:zitadel:aud"


class Refused(Exception):
    """A way ended with an error; says where and how."""


@dataclass
class World:
    """An application for browsers and one for devices, an API application of their project, a person, a service user."""

    house: object
    flow: Flow
    tv: Tv
    api: object
    robot: str

    @property
    def project(self) -> str:
        """The project of the three."""
        return self.flow.project


def make_world(house, *, project, person, robot="robot", robot_org=""):
    """The three applications in a project."""
    config = OidcConfig(redirect_uris=(REDIRECT,), grant_types=(0, 2), auth_method_type=2)
    app = projects.add_oidc_app(house.system, project_id=project, name="web", config=config)
    flow = Flow(house, Client(HTTP_HOST=HOST), project, app.id, app.client_id, app.secret, person)
    config = OidcConfig(application_type=2, grant_types=(2, 3), auth_method_type=2)
    tv = projects.add_oidc_app(house.system, project_id=project, name="tv", config=config)
    api = projects.add_api_app(house.system, project_id=project, name="api")
    made = users.add_machine(house.system, org_id=robot_org or house.org, user_name=robot, name="Robot")
    return World(house, flow, Tv(flow, tv.id, tv.client_id), api, made.id)


def answer_of(location):
    """The parameters of a redirect; raises Refused for an error."""
    told = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    if "error" in told:
        raise Refused(told["error"], told.get("error_description", ""))
    return told


def tokens_of(response):
    """The tokens of an answer; raises Refused for an error."""
    told = response.json()
    if response.status_code != 200:
        raise Refused(told["error"], told.get("error_description", ""))
    return told


def asked(world, scope, **more):
    """The id of a request that waits."""
    return answer_of(world.flow.authorize(scope=scope, **more)["Location"])["authRequest"]


def by_code(world, scope):
    """A login finishes the request with a session."""
    world.flow.web.cookies.clear()
    request = asked(world, scope)
    try:
        url = login_door.finish(world.house.system, request, world.flow.session())
    except Refusal as refused:
        raise Refused(refused.code) from refused
    return tokens_of(world.flow.redeem(answer_of(url)["code"]))


def by_callback(world, scope):
    """A login of one's own answers over the API."""
    world.flow.web.cookies.clear()
    request, session = asked(world, scope), world.flow.session()
    token = sessions.set_session_token(world.house.system, session_id=session).token
    body = {"session": {"sessionId": session, "sessionToken": token}}
    answer = Api(login_client(world.house)).post(f"/v2/oidc/auth_requests/{request}", body)
    if answer.status_code != 200:
        raise Refused(answer.json()["message"])
    return tokens_of(world.flow.redeem(answer_of(answer.json()["callbackUrl"])["code"]))


def login_client(house):
    """The token of a service user that serves a login of one's own."""
    id, token = house.machine(f"login-{house.system.ports.new_id()}")
    projects.add_instance_member(house.system, user_id=id, roles=("IAM_LOGIN_CLIENT",))
    return token


def signed_in(world, scope="openid", name="", **more):
    """The hosted login's pages; the last answer."""
    web, request = world.flow.web, asked(world, scope, prompt="login", **more)
    web.post("/ui/v2/login/loginname", {"authRequest": request, "login_name": name or name_of(world)})
    return web.post("/ui/v2/login/password", {"authRequest": request, "password": PASSWORD})


def name_of(world):
    """The user name of the person."""
    from users.models import UserRow

    return UserRow.objects.get(id=world.flow.person).user_name


def by_pages(world, scope):
    """The person signs in on the hosted login's pages."""
    answer = signed_in(world, scope)
    if "Location" not in answer:
        raise Refused(str(answer.status_code))
    return tokens_of(world.flow.redeem(answer_of(answer["Location"])["code"]))


def silently(world, scope, **more):
    """A browser in which the person is signed in, for another scope."""
    signed_in(world)
    told = answer_of(world.flow.authorize(scope=scope, **more)["Location"])
    if "code" not in told:
        raise Refused("somebody is asked to sign in")
    return tokens_of(world.flow.redeem(told["code"]))


def by_prompt_none(world, scope):
    """The same, asking for no interaction."""
    return silently(world, scope, prompt="none")


def by_refresh(world, scope):
    """Tokens of a code, exchanged."""
    first = by_code(world, f"{scope} offline_access")
    return tokens_of(world.flow.refresh(first["refresh_token"]))


def by_device(world, scope):
    """A device that the person lets in."""
    answer = world.tv.start(scope=scope)
    if answer.status_code != 200:
        raise Refused(answer.json()["error"])
    try:
        world.tv.approve()
    except Refusal as refused:
        raise Refused(refused.code) from refused
    return tokens_of(world.tv.poll())


def by_secret(world, scope):
    """The service user with its client secret."""
    secret = users.set_machine_secret(world.house.system, user_id=world.robot).secret
    form = {"grant_type": "client_credentials", "client_id": world.robot, "client_secret": secret, "scope": scope}
    return tokens_of(world.flow.form("/oauth/v2/token", form))


def by_assertion(world, scope):
    """The service user with a signed assertion."""
    made, now = users.add_machine_key(world.house.system, user_id=world.robot), int(time.time())
    claims = {"iss": world.robot, "sub": world.robot, "aud": "http://localhost", "iat": now, "exp": now + 60}
    key = RSAKey.import_key(made.secret)
    signed = jws.serialize_compact({"alg": "RS256", "kid": made.id}, json.dumps(claims).encode(), key)
    return tokens_of(world.flow.form("/oauth/v2/token", {"grant_type": BEARER, "assertion": signed, "scope": scope}))


OF_PEOPLE = {
    "code": by_code,
    "pages": by_pages,
    "silent": silently,
    "prompt=none": by_prompt_none,
    "callback": by_callback,
    "refresh": by_refresh,
    "device": by_device,
}
OF_SERVICES = {"secret": by_secret, "assertion": by_assertion}


def claims_of(token):
    """What a JWT says."""
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def introspected(world, token):
    """What the project's API application is told."""
    form = {"client_id": world.api.client_id, "client_secret": world.api.secret, "token": token}
    return world.flow.form("/oauth/v2/introspect", form).json()


def told_by(world, tokens):
    """(where, claims) of everything that tells about the owner of tokens."""
    access = tokens["access_token"]
    found = [("introspection", introspected(world, access))]
    if (answer := world.flow.userinfo(access)).status_code == 200:
        found.append(("userinfo", answer.json()))
    if "id_token" in tokens:
        found.append(("ID token", claims_of(tokens["id_token"])))
    return found


def reaches_api(world, token):
    """Whether a token is one of the product's own API."""
    answer = world.flow.web.get("/auth/v1/users/me", headers={"authorization": f"Bearer {token}"})
    return answer.status_code != 401
