"""Service users by id, user name and login name: which secret opens what, and what tokens call them (C18, RFC 9700 §4.15)."""

import itertools

import pytest

from iam.kernel.errors import AlreadyExists
from oidc.jose import read
from oidc.models import AccessToken
from oidc.subjects import living_machine
from orgs import commands as orgs
from projects import commands as projects
from tests.oidc.support import make_flow
from users import commands as users
from users.models import UserRow


@pytest.fixture
def flow(house, web):
    made = make_flow(house, web)
    made.api = projects.add_api_app(house.system, project_id=made.project, name="api")
    return made


def service_user(flow, name, org=""):
    """A service user with a secret: id and secret."""
    id, _ = flow.house.machine(f"first {len(name)}{name}"[:30].replace(" ", "-").replace("@", "-"), org)
    UserRow.objects.filter(id=id).update(user_name=name, preferred_login_name=name)  # as data of another time has it
    return id, users.set_machine_secret(flow.house.system, user_id=id).secret


def ask(flow, client_id, secret, scope="openid"):
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": scope}
    return flow.form("/oauth/v2/token", form)


def test_c18_an_id_is_nobodys_name(flow):
    """One service user is called as another one's id: the right secret with the id still opens, the other never does."""
    for first, second in itertools.permutations(("victim", "attacker"), 2):
        made = {one: service_user(flow, f"{one}-{first}-{second}") for one in (first, second)}
        id, secret = made["victim"]
        UserRow.objects.filter(id=made["attacker"][0]).update(user_name=id, preferred_login_name=id)
        told = ask(flow, id, secret)
        assert told.status_code == 200 and read(told.json()["id_token"]).claims["sub"] == id
        assert ask(flow, id, made["attacker"][1]).status_code == 401
        own = ask(flow, *made["attacker"])
        assert read(own.json()["id_token"]).claims["sub"] == made["attacker"][0], "by its own id it is let in"


@pytest.mark.parametrize("state", ["inactive", "a person", "without a secret"])
def test_c18_nor_while_whoever_has_the_id_may_not_sign_in(flow, state):
    victim = flow.person if state == "a person" else service_user(flow, "victim")[0]
    if state == "inactive":
        users.deactivate_user(flow.house.system, user_id=victim)
    if state == "without a secret":
        users.remove_machine_secret(flow.house.system, user_id=victim)
    attacker, secret = service_user(flow, "attacker")
    UserRow.objects.filter(id=attacker).update(user_name=victim, preferred_login_name=victim)
    assert ask(flow, victim, secret).status_code == 401
    assert ask(flow, attacker, secret).status_code == 200


@pytest.mark.parametrize("as_jwt", [0, 1])
@pytest.mark.parametrize("named_like", ["oidc application", "api application"])
def test_c18_a_service_user_named_like_a_client_id_never_passes_for_it(flow, named_like, as_jwt):
    client_id = flow.client_id if named_like.startswith("oidc") else flow.api.client_id
    id, secret = service_user(flow, "other")
    UserRow.objects.filter(id=id).update(user_name=client_id, preferred_login_name=client_id, access_token_type=as_jwt)
    assert ask(flow, client_id, secret).status_code == 401
    audience = f"openid urn:zitadel:iam:org:project:id:{flow.project}:aud"
    tokens = ask(flow, id, secret, audience).json()
    form = {"client_id": flow.api.client_id, "client_secret": flow.api.secret, "token": tokens["access_token"]}
    said = flow.form("/oauth/v2/introspect", form).json()
    assert said["active"] and said["client_id"] == id
    if as_jwt:
        assert read(tokens["access_token"]).claims["client_id"] == id
    id_token = read(tokens["id_token"]).claims
    assert (id_token["azp"], id_token["client_id"]) == (id, id) and client_id not in id_token["aud"]
    revoked = flow.form("/oauth/v2/revoke", {"client_id": flow.client_id, "token": tokens["access_token"]})
    assert revoked.status_code == 401, "the application of that client id did not get this token"


def test_c18_a_token_of_another_time_that_kept_the_name_is_told_by_the_id(flow):
    id, secret = service_user(flow, "robot")
    audience = f"openid urn:zitadel:iam:org:project:id:{flow.project}:aud"
    token = ask(flow, "robot", secret, audience).json()["access_token"]
    AccessToken.objects.filter(user_id=id).update(client_id=flow.client_id)
    form = {"client_id": flow.api.client_id, "client_secret": flow.api.secret, "token": token}
    assert flow.form("/oauth/v2/introspect", form).json()["client_id"] == id
    assert flow.form("/oauth/v2/revoke", {"client_id": flow.client_id, "token": token}).status_code == 401


def must_carry_domain(api):
    for policy in (api.get("/admin/v1/policies/domain").json()["policy"],):
        kept = {
            name: policy.get(name, False) for name in ("validateOrgDomains", "smtpSenderAddressMatchesInstanceDomain")
        }
        assert api.put("/admin/v1/policies/domain", {"userLoginMustBeDomain": True, **kept}).status_code == 200


def test_a_full_login_name_is_a_client_id_too(flow, api):
    must_carry_domain(api)
    system = flow.house.system
    robot, _ = flow.house.machine("robot")
    secret = users.set_machine_secret(system, user_id=robot).secret
    orgs.add_org_domain(system, org_id=flow.house.org, domain="second.example")
    for name in (robot, "robot", "robot@zitadel.localhost", "robot@second.example"):
        answer = ask(flow, name, secret)
        assert answer.status_code == 200, name
        claims = read(answer.json()["id_token"]).claims
        assert (claims["sub"], claims["azp"]) == (robot, name)
        assert claims["aud"] == [name], "libraries look for the client id that they sent"
    for name in ("robot@third.example", "@zitadel.localhost", "robot@", "gigi", "gigi@zitadel.localhost"):
        assert ask(flow, name, secret).status_code == 401, name


def test_a_name_that_two_have_leads_to_who_had_it_first_and_a_login_name_to_each(flow, house):
    other = orgs.add_org(house.system, name="other").id
    made = [service_user(flow, name, org) for name, org in (("robot", ""), ("robot-2", other))]
    UserRow.objects.filter(id=made[1][0]).update(user_name="robot", preferred_login_name="robot@other.localhost")
    assert living_machine(house.instance, "robot").user.id == made[0][0]
    assert [ask(flow, "robot", secret).status_code for _, secret in made] == [200, 401]
    assert [ask(flow, id, secret).status_code for id, secret in made] == [200, 200]
    assert ask(flow, "robot@other.localhost", made[1][1]).status_code == 200


def test_a_name_is_taken_once(flow, house):
    house.machine("robot")
    with pytest.raises(AlreadyExists):
        house.machine("robot")


def test_p02_a_name_costs_one_statement_whether_it_leads_to_somebody_or_not(flow, house, django_assert_num_queries):
    service_user(flow, "robot")
    for name in (
        "robot",
        "nobody",
        "robot@zitadel.localhost",
        "nobody@zitadel.localhost",
        "robot@example.com",
        flow.person,
    ):
        with django_assert_num_queries(1):
            living_machine(house.instance, name)
