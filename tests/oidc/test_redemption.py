"""What a code, a device code, a refresh token or a session stood on is asked again when it is used (checklist C06)."""

import pytest

from iam.kernel.errors import Refusal
from oidc import login_door
from oidc.models import AccessToken
from orgs import commands as orgs
from projects import commands as projects
from tests.oidc import ways
from users import commands as users
from users.commands import sessions
from users.models import SessionRow

ORG_DOMAIN = "urn:zitadel:iam:org:domain:primary:"
SCOPE = "openid profile offline_access urn:zitadel:iam:org:projects:roles"
PASSWORD = "Correct-Horse-9"


@pytest.fixture
def world(house):
    """An application of one organization, whose project was lent to that of the person, who holds a role of it."""
    system = house.system
    owner, home = (orgs.add_org(system, name=name).id for name in ("Owner", "Home"))
    project = projects.add_project(system, org_id=owner, name="shop").id
    projects.add_role(system, project_id=project, key="buyer")
    projects.add_role(system, project_id=project, key="seller")
    _, grant = projects.add_grant(system, project_id=project, granted_org_id=home, roles=("buyer", "seller"))
    made = ways.make_world(house, project=project, person=house.person(org=home))
    _, authorization = projects.add_authorization(
        system, org_id=home, user_id=made.flow.person, project_id=project, roles=("buyer",)
    )
    projects.change_project(
        system, project_id=project, settings={"project_role_check": True, "has_project_check": True}
    )
    orgs.add_org_domain(system, org_id=home, domain="second.example")
    made.owner, made.home, made.grant, made.authorization = owner, home, grant, authorization
    return made


def without(grant_type):
    """The applications lose a grant type, whichever has it."""

    def change(world):
        for app, has in ((world.flow.app, (0, 2)), (world.tv.app, (2, 3))):
            left = tuple(one for one in has if one != grant_type) or (0,)
            changes = {"grant_types": left}
            projects.change_oidc_app(world.house.system, project_id=world.project, app_id=app, changes=changes)

    return change


def for_both(command):
    """A command over applications, for both."""

    def change(world):
        for app in (world.flow.app, world.tv.app):
            command(world.house.system, project_id=world.project, app_id=app)

    return change


def end_sessions(world):
    for row in SessionRow.objects.filter(user_id=world.flow.person):
        sessions.terminate_session(world.house.system, session_id=row.id)


ROLES = {
    "authorization removed": lambda w: projects.remove_authorization(w.house.system, authorization_id=w.authorization),
    "authorization deactivated": lambda w: projects.deactivate_authorization(
        w.house.system, authorization_id=w.authorization
    ),
    "role taken from the project": lambda w: projects.remove_role(w.house.system, project_id=w.project, key="buyer"),
    "role no longer lent": lambda w: projects.change_grant(
        w.house.system, project_id=w.project, grant_id=w.grant, roles=("seller",)
    ),
    "grant removed": lambda w: projects.remove_grant(w.house.system, project_id=w.project, grant_id=w.grant),
    "grant deactivated": lambda w: projects.deactivate_grant(w.house.system, project_id=w.project, grant_id=w.grant),
}
"""What takes the person's roles, or the organization's access: no new token is given."""
LIVES = {
    "organization of the person deactivated": lambda w: orgs.deactivate_org(w.house.system, org_id=w.home),
    "organization of the person removed": lambda w: orgs.remove_org(w.house.system, org_id=w.home),
    "organization of the application deactivated": lambda w: orgs.deactivate_org(w.house.system, org_id=w.owner),
    "organization of the application removed": lambda w: orgs.remove_org(w.house.system, org_id=w.owner),
    "project deactivated": lambda w: projects.deactivate_project(w.house.system, project_id=w.project),
    "project removed": lambda w: projects.remove_project(w.house.system, project_id=w.project),
    "application deactivated": for_both(projects.deactivate_app),
    "application removed": for_both(projects.remove_app),
    "user deactivated": lambda w: users.deactivate_user(w.house.system, user_id=w.flow.person),
    "user locked": lambda w: users.lock_user(w.house.system, user_id=w.flow.person),
    "user removed": lambda w: users.remove_user(w.house.system, user_id=w.flow.person),
    "session ended": end_sessions,
    "password changed": lambda w: users.set_password(w.house.system, user_id=w.flow.person, password="Another-Horse-9"),
}
"""What ends the tokens themselves: they die everywhere."""


def open_code(world, scope):
    code = code_of(world, scope)
    return lambda: ways.tokens_of(world.flow.redeem(code))


def code_of(world, scope):
    request = ways.asked(world, scope)
    return ways.answer_of(login_door.finish(world.house.system, request, world.flow.session()))["code"]


def refresh(world, scope):
    token = ways.by_code(world, scope)["refresh_token"]
    return lambda: ways.tokens_of(world.flow.refresh(token))


def device_poll(world, scope):
    world.tv.start(scope=scope)
    world.tv.approve()
    return lambda: ways.tokens_of(world.tv.poll())


def refresh_of_a_device(world, scope):
    token = device_poll(world, scope)()["refresh_token"]
    return lambda: ways.tokens_of(world.flow.refresh(token, client_id=world.tv.client_id))


def device_approval(world, scope):
    world.tv.start(scope=scope)
    session = world.flow.session()

    def use():
        try:
            world.tv.approve(session)
        except (Refusal, AssertionError) as refused:
            raise ways.Refused(str(refused)) from refused
        return ways.tokens_of(world.tv.poll())

    return use


def silent_sign_in(world, scope, **more):
    assert "code=" in ways.signed_in(world, scope)["Location"]

    def use():
        answer = world.flow.authorize(scope=scope, **more)
        told = ways.answer_of(answer["Location"]) if "Location" in answer else {}
        if "code" not in told:
            raise ways.Refused("a page")
        return ways.tokens_of(world.flow.redeem(told["code"]))

    return use


def prompt_none(world, scope):
    return silent_sign_in(world, scope, prompt="none")


def callback(world, scope):
    request, session = ways.asked(world, scope), world.flow.session()
    token = sessions.set_session_token(world.house.system, session_id=session).token
    body = {"session": {"sessionId": session, "sessionToken": token}}
    login = ways.login_client(world.house)

    def use():
        answer = ways.Api(login).post(f"/v2/oidc/auth_requests/{request}", body)
        if answer.status_code != 200:
            raise ways.Refused(answer.content.decode())
        return ways.tokens_of(world.flow.redeem(ways.answer_of(answer.json()["callbackUrl"])["code"]))

    return use


REDEEM = {
    "open code": open_code,
    "refresh": refresh,
    "device poll": device_poll,
    "refresh of a device": refresh_of_a_device,
    "device approval": device_approval,
    "silent sign-in": silent_sign_in,
    "prompt=none": prompt_none,
    "callback": callback,
}


@pytest.mark.parametrize("use", REDEEM)
def test_nothing_changed_and_all_is_redeemed(world, use):
    """The way of the table below without its fault: what is refused there is refused for that alone."""
    assert "access_token" in REDEEM[use](world, SCOPE)()


@pytest.mark.parametrize("change", ROLES | LIVES)
@pytest.mark.parametrize("use", REDEEM)
def test_c06_what_the_redemption_stands_on_is_gone(world, use, change):
    redeem = REDEEM[use](world, SCOPE)
    (ROLES | LIVES)[change](world)
    with pytest.raises(ways.Refused):
        redeem()


REGISTERED = [(0, "open code"), (0, "silent sign-in"), (0, "prompt=none"), (2, "refresh"), (2, "refresh of a device")]
REGISTERED += [(3, "device poll"), (3, "device approval")]


@pytest.mark.parametrize(("grant_type", "use"), REGISTERED)
def test_c06_d07_a_grant_type_that_is_registered_no_more(world, grant_type, use):
    redeem = REDEEM[use](world, SCOPE)
    without(grant_type)(world)
    with pytest.raises((ways.Refused, Refusal)):
        redeem()


@pytest.mark.parametrize("use", ["open code", "refresh", "device poll", "silent sign-in"])
def test_c06_the_organization_that_was_named_is_another(world, use):
    """A scope names an organization by its primary domain: whoever has that domain later is another one."""
    redeem = REDEEM[use](world, f"{SCOPE} {ORG_DOMAIN}home.localhost")
    orgs.set_primary_domain(world.house.system, org_id=world.home, domain="second.example")
    with pytest.raises(ways.Refused):
        redeem()


ASK = {
    "introspection": lambda w, token: ways.introspected(w, token).get("active", False),
    "userinfo": lambda w, token: w.flow.userinfo(token).status_code == 200,
    "API": ways.reaches_api,
}


@pytest.mark.parametrize("change", LIVES)
def test_d07_l10_t08_a_token_dies_at_every_door_with_what_it_stands_on(world, change):
    token = ways.by_code(world, SCOPE)["access_token"]
    AccessToken.objects.update(for_api=True)
    assert all(ask(world, token) for ask in ASK.values())
    LIVES[change](world)
    assert not any(ask(world, token) for ask in ASK.values())


@pytest.mark.parametrize("change", ROLES)
def test_t07_a_role_that_is_gone_is_told_no_more(world, change):
    """An access token lives on for its time, its person's roles are those of now."""
    token = ways.by_code(world, SCOPE)["access_token"]
    claim = "urn:zitadel:iam:org:project:roles"
    assert "buyer" in world.flow.userinfo(token).json()[claim]
    ROLES[change](world)
    for told in (world.flow.userinfo(token).json(), ways.introspected(world, token)):
        assert "buyer" not in told.get(claim, {})


@pytest.mark.parametrize("setting", ["project_role_check", "has_project_check"])
@pytest.mark.parametrize("use", ["open code", "refresh", "device poll", "silent sign-in"])
def test_c06_a_check_that_is_asked_for_later_counts_for_what_is_open(house, use, setting):
    """Somebody of another organization without any role signed in while the project was open to all."""
    system = house.system
    owner, home = (orgs.add_org(system, name=name).id for name in ("Owner", "Home"))
    project = projects.add_project(system, org_id=owner, name="shop").id
    world = ways.make_world(house, project=project, person=house.person(org=home))
    redeem = REDEEM[use](world, "openid offline_access")
    projects.change_project(system, project_id=project, settings={setting: True})
    with pytest.raises(ways.Refused):
        redeem()


@pytest.mark.parametrize("use", ["open code", "refresh", "device poll"])
def test_c06_what_was_refused_for_a_while_is_good_again(world, use):
    """Refusing uses nothing up: an authorization that comes back brings the person back."""
    redeem = REDEEM[use](world, SCOPE)
    projects.deactivate_authorization(world.house.system, authorization_id=world.authorization)
    with pytest.raises(ways.Refused, match="invalid_grant"):
        redeem()
    projects.reactivate_authorization(world.house.system, authorization_id=world.authorization)
    assert "access_token" in redeem()
