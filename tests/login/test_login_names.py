"""Login names where people and clients meet them: as they are told, completed by the organization asked for, as client ids."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from iam.instance.setting_commands import keep_setting
from iam.kernel.errors import AlreadyExists
from orgs import commands as orgs
from orgs.settings import of_org
from tests.login.test_login import sign_in, start, submit
from tests.oidc.support import make_flow
from tests.users.test_names import WITH_DOMAIN, of_domain
from tests.users.test_sessions_api import create, login_client  # noqa: F401 - a fixture
from users import commands as users
from users.models import SessionRow

ORG = "urn:zitadel:iam:org:id:"
DOMAIN = "urn:zitadel:iam:org:domain:primary:"
API = "openid urn:zitadel:iam:org:project:id:zitadel:aud"


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


def told(flow, login_client):  # noqa: F811
    """Every place that tells applications what a person is called."""
    tokens = flow.tokens()
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    asked = base64.b64encode(f"{flow.client_id}:{flow.secret}".encode()).decode()
    form = {"token": tokens["access_token"], "client_id": flow.client_id}
    introspected = flow.form("/oauth/v2/introspect", form, authorization=f"Basic {asked}").json()
    session = create(login_client, user={"userId": flow.person}).json()["sessionId"]
    factors = login_client.get(f"/v2/sessions/{session}").json()["session"]["factors"]
    user = login_client.get(f"/v2/users/{flow.person}").json()["user"]
    return {
        "userinfo": flow.web.get("/oidc/v1/userinfo", headers=bearer).json()["preferred_username"],
        "introspection": introspected.get("username"),
        "session": factors["user"]["loginName"],
        "user": user["preferredLoginName"],
    }


@pytest.mark.parametrize("policy", [False, True])
def test_names_are_told_with_a_domain_only_where_the_policy_asks_for_it(flow, login_client, policy):  # noqa: F811
    if policy:
        of_domain(flow.house, WITH_DOMAIN)
    name = "gigi@zitadel.localhost" if policy else "gigi"
    found = told(flow, login_client)
    if found["introspection"] is None:  # a public client asks nothing
        del found["introspection"]
    assert found == dict.fromkeys(found, name)


def test_who_is_picked_proves_the_own_password_though_another_has_the_bare_name(flow):
    """Names that are unique in the organization only are told without a suffix."""
    other = orgs.add_org(flow.house.system, name="Other").id
    values = {"organization_scoped_usernames": True}
    keep_setting(flow.house.system, of_org(other, "organization"), kind="organization", values=values)
    flow.house.person("gigi", other, "Another-Horse-9")
    assert "code=" in sign_in(flow, "gigi@other.localhost", "Another-Horse-9")["Location"]
    SessionRow.objects.update(password_checked_at=datetime.now(UTC) - timedelta(days=300))
    request = start(flow)
    submit(flow, "accounts", request, session=SessionRow.objects.get(terminated=False).id)
    assert "code=" in submit(flow, "password", request, password="Another-Horse-9")["Location"]


@pytest.mark.parametrize("scope", [ORG, DOMAIN])
def test_a_name_is_completed_by_the_organization_that_the_request_names(flow, scope):
    of_domain(flow.house, WITH_DOMAIN)
    other = orgs.add_org(flow.house.system, name="Leos").id
    leo = flow.house.person("leo17", other)
    flow.house.person("leo17x")
    asked = f"openid {scope}{other if scope == ORG else 'leos.localhost'}"
    assert sign_in(flow, "leo17").status_code == 422
    answer = sign_in(flow, "leo17", scope=asked)
    code = parse_qs(urlsplit(answer["Location"]).query)["code"][0]
    assert (
        flow.web.get(
            "/oidc/v1/userinfo", headers={"authorization": f"Bearer {flow.redeem(code).json()['access_token']}"}
        ).json()["sub"]
        == leo
    )
    assert sign_in(flow, "gigi", scope=asked, prompt="login").status_code == 422


def grant(flow, client_id, secret):
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": API}
    return flow.form("/oauth/v2/token", form).status_code


@pytest.mark.parametrize("policy", [False, True])
def test_c18_a_service_user_is_named_by_its_id_and_by_every_login_name(flow, policy):
    if policy:
        of_domain(flow.house, WITH_DOMAIN)
    orgs.add_org_domain(flow.house.system, org_id=flow.house.org, domain="second.example")
    robot, _ = flow.house.machine("robot")
    secret = users.set_machine_secret(flow.house.system, user_id=robot).secret
    for client_id in (robot, "robot", "robot@zitadel.localhost", "robot@second.example"):
        assert grant(flow, client_id, secret) == 200, client_id
    assert grant(flow, "robot@other.example", secret) == 401


@pytest.mark.parametrize("id", ["client_id", "app", "project", "person"])
def test_c18_no_user_is_named_like_an_id(flow, id):
    other = orgs.add_org(flow.house.system, name="Other").id
    robot, _ = flow.house.machine("robot", other)
    for act in (
        lambda name: flow.house.machine(name, other),
        lambda name: users.rename_user(flow.house.system, user_id=robot, user_name=name),
    ):
        with pytest.raises(AlreadyExists):
            act(getattr(flow, id))


def test_c18_a_bare_name_as_client_id_stays_with_the_first_of_several(flow):
    of_domain(flow.house, WITH_DOMAIN)
    other = orgs.add_org(flow.house.system, name="Other").id
    secrets = []
    for org in ("", other):
        robot, _ = flow.house.machine("robot", org)
        secrets.append((robot, users.set_machine_secret(flow.house.system, user_id=robot).secret))
    (first, right), (second, late) = secrets
    assert [grant(flow, "robot", right), grant(flow, "robot", late)] == [200, 401]
    assert [grant(flow, "robot@other.localhost", late), grant(flow, second, late), grant(flow, first, right)] == [
        200
    ] * 3
