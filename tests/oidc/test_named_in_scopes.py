"""What a scope names is so for this person, or the request is refused: every such scope on every way to tokens."""

import pytest

from iam.access.caller import system_context
from iam.instance import commands as instance
from oidc.membership import UNKNOWN
from orgs import commands as orgs
from orgs.models import OrgRow
from projects import commands as projects
from projects.models import AppRow, ProjectRow
from tests.oidc import ways
from tests.oidc.support import REDIRECT
from users import commands as users

ORG, DOMAIN = "urn:zitadel:iam:org:id:", "urn:zitadel:iam:org:domain:primary:"
PROJECT, ROLES = "urn:zitadel:iam:org:project:id:", "urn:zitadel:iam:org:projects:roles"


@pytest.fixture
def world(house):
    """gigi's organization with a project, another organization with one in which she holds a role, and what is off."""
    system = house.system
    home = orgs.add_org(system, name="Home").id
    person = house.person(org=home)
    made = ways.make_world(house, project=projects.add_project(system, org_id=home, name="shop").id, person=person)
    made.robot = users.add_machine(system, org_id=home, user_name="robo", name="Robo").id
    made.home, made.names = home, {}
    foreign = orgs.add_org(system, name="Foreign").id
    closed = orgs.add_org(system, name="Closed").id
    made.names |= {"home": home, "foreign": foreign, "closed": closed}
    made.names["of closed"] = projects.add_project(system, org_id=closed, name="p").id
    orgs.deactivate_org(system, org_id=closed)
    orgs.add_org_domain(system, org_id=home, domain="second.example")
    made.names["sibling"] = projects.add_project(system, org_id=home, name="sibling").id
    made.names["resting"] = projects.add_project(system, org_id=home, name="resting").id
    projects.deactivate_project(system, project_id=made.names["resting"])
    made.names["gone"] = projects.add_project(system, org_id=home, name="gone").id
    projects.remove_project(system, project_id=made.names["gone"])
    made.names["elsewhere"] = foreign_project(system, foreign, (person, made.robot))
    made.names["client"], made.names["person"] = (
        AppRow.objects.get(project_id=made.names["elsewhere"]).client_id,
        person,
    )
    made.names["own client"] = made.flow.client_id
    made.names["shop"] = made.project
    made.names |= {f"domain of {one.name}": one.primary_domain for one in OrgRow.objects.all()}
    made.names["other tenant's"] = project_of_another_tenant()
    return made


def foreign_project(system, org, holders):
    """A project of another organization in which our people hold a role."""
    id = projects.add_project(system, org_id=org, name="theirs").id
    projects.add_role(system, project_id=id, key="spy")
    config = projects_config()
    projects.add_oidc_app(system, project_id=id, name="app", config=config)
    for one in holders:
        projects.add_authorization(system, org_id=org, user_id=one, project_id=id, roles=("spy",))
    return id


def projects_config():
    from projects.domain.project import OidcConfig

    return OidcConfig(redirect_uris=(REDIRECT,), auth_method_type=2)


def project_of_another_tenant():
    foreign = system_context("999999999999999998", base_url="http://other.example")
    instance.add_instance(foreign, name="Other", domains=("other.example",))
    org = orgs.add_org(foreign, name="Theirs").id
    return projects.add_project(foreign, org_id=org, name="theirs").id


FINE, NO = "answered", "refused"
SCOPES = [  # (scope, of people, of service users); names in braces stand for ids of the world
    (ORG + "{home}", FINE, FINE),
    (ORG + "{foreign}", NO, FINE),
    (ORG + "{closed}", NO, FINE),
    (ORG + "nowhere", NO, FINE),
    (ORG + "{home} ", FINE, FINE),
    (ORG + "{home}x", NO, FINE),
    (ORG + "{shop}", NO, FINE),
    (DOMAIN + "{domain of Home}", FINE, FINE),
    (DOMAIN + "HOME.localhost", FINE, FINE),
    (DOMAIN + "second.example", NO, FINE),
    (DOMAIN + "{domain of Foreign}", NO, FINE),
    (DOMAIN + "{domain of Closed}", NO, FINE),
    (DOMAIN + "nowhere.example", NO, FINE),
    (DOMAIN + "home.localhost.", NO, FINE),
    (DOMAIN + "%", NO, FINE),
    (DOMAIN + "{home}", NO, FINE),
    (f"{ORG}{{home}} {ORG}{{foreign}}", NO, FINE),
    (f"{DOMAIN}{{domain of Home}} {DOMAIN}{{domain of Foreign}}", NO, FINE),
    (f"{ORG}{{home}} {DOMAIN}{{domain of Foreign}}", NO, FINE),
    (f"{ORG}{{home}} {DOMAIN}{{domain of Home}}", FINE, FINE),
    (PROJECT + "{shop}:aud", FINE, FINE),
    (PROJECT + "{sibling}:aud", FINE, FINE),
    (PROJECT + "{elsewhere}:aud", FINE, FINE),
    (PROJECT + "{resting}:aud", NO, NO),
    (PROJECT + "{gone}:aud", NO, NO),
    (PROJECT + "{of closed}:aud", NO, NO),
    (PROJECT + "{other tenant's}:aud", NO, NO),
    (PROJECT + "{client}:aud", NO, NO),
    (PROJECT + "{own client}:aud", NO, NO),
    (PROJECT + "{person}:aud", NO, NO),
    (PROJECT + "{home}:aud", NO, NO),
    (PROJECT + "ZITADEL:aud", NO, NO),
    (PROJECT + "{shop}:aud:aud", NO, NO),
    (PROJECT + "{client}", FINE, FINE),  # means nothing: dropped
    (PROJECT + ":aud", FINE, FINE),
    (f"{PROJECT}{{sibling}}:aud {PROJECT}{{client}}:aud", NO, NO),
    ("urn:zitadel:iam:org:project:role:spy", FINE, FINE),
    (f"urn:zitadel:iam:org:roles:id:{{foreign}} {ROLES}", FINE, FINE),
]


def audiences(world):
    """All that the audience of these tokens may consist of."""
    clients = AppRow.objects.filter(project_id=world.project).values_list("client_id", flat=True)
    projects_there = ProjectRow.objects.filter(instance_id=world.house.instance, state=1).values_list("id", flat=True)
    return {*clients, *projects_there, world.robot, "robo"}


def check(world, claims, *, is_person):
    """Every claim is true of the owner of the token."""
    org = OrgRow.objects.get(id=world.home)
    for name, value in claims.items():
        if name.startswith(DOMAIN):
            assert name.removeprefix(DOMAIN).lower() == value.lower() == org.primary_domain
        if name.startswith("urn:zitadel:iam:user:resourceowner:"):
            assert value in (org.id, org.name, org.primary_domain)
        if name.endswith(":roles") and is_person:
            assert world.names["elsewhere"] not in name and "spy" not in str(value), "roles of a foreign project"
    assert set(claims.get("aud", ())) <= audiences(world)


@pytest.mark.parametrize(("scope", "people", "services"), SCOPES)
def test_c17_what_a_scope_names_is_true_or_refused(world, scope, people, services):
    asked = f"openid profile {ROLES} {PROJECT}{world.project}:aud {scope.format(**world.names)}"
    for way, outcome in {**dict.fromkeys(ways.OF_PEOPLE, people), **dict.fromkeys(ways.OF_SERVICES, services)}.items():
        take = (ways.OF_PEOPLE | ways.OF_SERVICES)[way]
        try:
            tokens = take(world, asked)
        except ways.Refused as refused:
            assert outcome == NO, (way, refused.args)
            continue
        assert outcome == FINE, way
        for place, claims in ways.told_by(world, tokens):
            assert claims.get("active", True), (way, place)
            check(world, claims, is_person=way in ways.OF_PEOPLE)


PATS = [DOMAIN + "{domain of Foreign}", DOMAIN + "nowhere.example", ORG + "{foreign}", PROJECT + "{client}:aud"]


@pytest.mark.parametrize("scope", PATS)
def test_c17_a_personal_access_token_tells_what_is_true(world, scope):
    scopes = ("openid", f"{PROJECT}{world.project}:aud", scope.format(**world.names))
    token = users.add_pat(world.house.system, user_id=world.robot, scopes=scopes).secret
    for place, claims in ways.told_by(world, {"access_token": token}):
        assert claims.get("active", True), place
        check(world, claims, is_person=False)


@pytest.mark.parametrize("scope", [ORG + "nowhere", DOMAIN + "nowhere.example", ORG + "{closed}"])
def test_an_unknown_organization_ends_the_request_at_once(world, scope):
    """As the reference says it, before anybody is asked who they are."""
    with pytest.raises(ways.Refused) as refused:
        ways.asked(world, f"openid {scope.format(**world.names)}")
    assert refused.value.args == ("invalid_request", UNKNOWN)
    answer = world.tv.start(scope=f"openid {scope.format(**world.names)}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_two_organizations_are_an_invalid_scope(world):
    with pytest.raises(ways.Refused, match="invalid_scope"):
        ways.asked(world, "openid {o}{home} {o}{foreign}".format(o=ORG, **world.names))


def test_linking_somebody_elses_session_is_refused_and_named(world):
    request = ways.asked(world, f"openid {ORG}{world.names['foreign']}")
    session = world.flow.session()
    token = ways.sessions.set_session_token(world.house.system, session_id=session).token
    body = {"session": {"sessionId": session, "sessionToken": token}}
    answer = ways.Api(ways.login_client(world.house)).post(f"/v2/oidc/auth_requests/{request}", body)
    assert (answer.status_code, answer.json()["code"]) == (400, 9)
    assert "COMMAND-59ljd" in answer.content.decode()


def test_a_primary_domain_that_moved_on_is_told_no_more(world):
    """The claim is made of what is so when it is told, in tokens made before, too."""
    scope = f"openid offline_access {DOMAIN}{world.names['domain of Home']}"
    tokens = ways.by_code(world, scope)
    claim = DOMAIN + world.names["domain of Home"]
    assert world.flow.userinfo(tokens["access_token"]).json()[claim]
    orgs.set_primary_domain(world.house.system, org_id=world.home, domain="second.example")
    assert claim not in world.flow.userinfo(tokens["access_token"]).json()
    assert world.flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_an_audience_that_is_gone_is_in_no_later_token(world):
    tokens = ways.by_code(world, f"openid offline_access {PROJECT}{world.names['sibling']}:aud")
    assert world.names["sibling"] in ways.claims_of(tokens["id_token"])["aud"]
    projects.deactivate_project(world.house.system, project_id=world.names["sibling"])
    later = world.flow.refresh(tokens["refresh_token"]).json()
    assert world.names["sibling"] not in ways.claims_of(later["id_token"])["aud"]


@pytest.mark.parametrize("shared", ["owned", "granted", "neither"])
def test_roles_of_several_projects_are_told_to_whom_they_were_lent(world, shared):
    """One application shows the roles of its organization's projects, and of those granted to it; of no others."""
    system, project = world.house.system, world.names["elsewhere"]
    if shared == "owned":
        project = world.names["sibling"]
        projects.add_role(system, project_id=project, key="spy")
        projects.add_authorization(
            system, org_id=world.home, user_id=world.flow.person, project_id=project, roles=("spy",)
        )
    if shared == "granted":
        projects.add_grant(system, project_id=project, granted_org_id=world.home, roles=("spy",))
    tokens = ways.by_code(world, f"openid {ROLES} {PROJECT}{project}:aud")
    told = world.flow.userinfo(tokens["access_token"]).json()
    assert (f"urn:zitadel:iam:org:project:{project}:roles" in told) is (shared != "neither")
