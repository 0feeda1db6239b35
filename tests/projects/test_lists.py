"""Every filter and sorting column of the lists of this room: rows that match and rows that must not."""

import importlib
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import connection
from google.protobuf.json_format import MessageToDict, ParseDict

from eventstore.portable import facts_of_instance
from eventstore.store import Recorded
from iam.access.caller import RequestMeta
from iam.api.methods import invoke, method
from iam.kernel.errors import AlreadyExists
from orgs import commands as orgs
from orgs.domain.events import OrgRemoved
from projections.projection import projection
from projects import commands as projects
from projects.domain.project import OidcConfig
from projects.models import ProjectGrantRow, UserGrantRow
from tests.waiting import at_once

M, A = "zitadel.management.v1.ManagementService", "zitadel.admin.v1.AdminService"
ORG, PROJECT = "zitadel.org.v2.OrganizationService", "zitadel.project.v2.ProjectService"
APP, AUTHORIZATION = "zitadel.application.v2.ApplicationService", "zitadel.authorization.v2.AuthorizationService"
ADMINISTRATOR = "zitadel.internal_permission.v2.InternalPermissionService"
TEXTS = {  # method → what it finds among the names Alpha, alphabet, BETA when asked for …
    0: ("Alpha", ["Alpha"]),
    1: ("ALPHA", ["Alpha"]),
    2: ("Alp", ["Alpha"]),
    3: ("ALP", ["Alpha", "alphabet"]),
    4: ("lph", ["Alpha", "alphabet"]),
    5: ("ET", ["BETA", "alphabet"]),
    6: ("pha", ["Alpha"]),
    7: ("eta", ["BETA"]),
}
NAMES = ("Alpha", "alphabet", "BETA")


@pytest.fixture
def ask(house):
    def asked(service, name, /, *, token=house.pat, org="", **fields):
        request = ParseDict(fields, method(f"{service}/{name}").request())
        headers = {"authorization": f"Bearer {token}", "x-zitadel-orgid": org}
        answer = invoke(f"{service}/{name}", request, RequestMeta(host="localhost", headers=headers))
        return MessageToDict(answer)

    return asked


@pytest.fixture
def names(house):
    """Things called Alpha, alphabet and BETA: name → id, of organizations, projects and applications."""
    made = {}
    for name in NAMES:
        org = orgs.add_org(house.system, name=name).id
        project = projects.add_project(house.system, org_id=org, name=name).id
        projects.add_role(house.system, project_id=project, key=name, display_name=f"{name} role")
        app = projects.add_api_app(house.system, project_id=project, name=name).id
        made[name] = {"org": org, "project": project, "app": app}
    return made


def called(answer, list_name, key="name"):
    return sorted(one[key] for one in answer.get(list_name, []) if one[key] in NAMES)


@pytest.mark.parametrize("number", range(8))
def test_text_methods_mean_the_same_everywhere(ask, names, number):
    value, expected = TEXTS[number]
    found = ask(ORG, "ListOrganizations", queries=[{"nameQuery": {"name": value, "method": number}}])
    assert called(found, "result") == expected
    found = ask(A, "ListOrgs", queries=[{"nameQuery": {"name": value, "method": number}}])
    assert called(found, "result") == expected
    found = ask(PROJECT, "ListProjects", filters=[{"projectNameFilter": {"projectName": value, "method": number}}])
    assert called(found, "projects") == expected
    found = ask(APP, "ListApplications", filters=[{"nameFilter": {"name": value, "method": number}}])
    assert called(found, "applications") == expected


def test_signs_of_patterns_are_plain_signs(ask, house):
    for name in ("100%", "100x", "a_b", "axb", "a*b", "a[b]", "a\\b"):
        projects.add_project(house.system, org_id=house.org, name=name)
    for value in ("100%", "a_b", "a*b", "a[b]", "a\\b"):
        for number in range(8):
            asked = {"projectNameFilter": {"projectName": value, "method": number}}
            assert [one["name"] for one in ask(PROJECT, "ListProjects", filters=[asked])["projects"]] == [value]


def test_organizations_by_domain_state_id_and_default(ask, house, names):
    orgs.deactivate_org(house.system, org_id=names["BETA"]["org"])
    by = lambda query: called(ask(ORG, "ListOrganizations", queries=[query]), "result")
    assert by({"domainQuery": {"domain": "beta.localhost"}}) == ["BETA"]
    assert by({"domainQuery": {"domain": "ALPHA", "method": "TEXT_QUERY_METHOD_STARTS_WITH_IGNORE_CASE"}}) == [
        "Alpha",
        "alphabet",
    ]
    assert by({"stateQuery": {"state": "ORGANIZATION_STATE_INACTIVE"}}) == ["BETA"]
    assert by({"idQuery": {"id": names["Alpha"]["org"]}}) == ["Alpha"]
    assert [one["id"] for one in ask(ORG, "ListOrganizations", queries=[{"defaultQuery": {}}])["result"]] == [house.org]


@pytest.mark.parametrize("asc", [True, False])
@pytest.mark.parametrize("column", [1, 2])
def test_organizations_sorted(ask, names, column, asc):
    found = ask(ORG, "ListOrganizations", sortingColumn=column, query={"asc": asc})
    key = (lambda one: one["name"]) if column == 1 else (lambda one: one["details"]["creationDate"])
    assert [key(one) for one in found["result"]] == sorted(map(key, found["result"]), reverse=not asc)


def test_pages_hold_everything_once(ask, names):
    seen = []
    for offset in range(0, 6, 2):
        found = ask(ORG, "ListOrganizations", query={"offset": offset, "limit": 2, "asc": True})
        assert found["details"]["totalResult"] == "4"
        seen += [one["id"] for one in found.get("result", [])]
    assert (len(seen), seen) == (4, sorted(set(seen)))


def test_projects_owned_and_lent(ask, house, names):
    lent, to = names["Alpha"]["project"], names["BETA"]["org"]
    projects.add_grant(house.system, project_id=lent, granted_org_id=to, roles=("Alpha",))

    def found(kind):
        filters = [{"organizationIdFilter": {"organizationId": to, "type": kind}}]
        answer = ask(PROJECT, "ListProjects", filters=filters, pagination={"asc": True})
        return [(one["name"], one.get("grantedOrganizationName")) for one in answer.get("projects", [])]

    assert found("OWNED") == [("BETA", None)]
    assert found("GRANTED") == [("Alpha", "BETA")]
    assert found("OWNED_OR_GRANTED") == [("BETA", None), ("Alpha", "BETA")]
    by_id = ask(PROJECT, "ListProjects", filters=[{"inProjectIdsFilter": {"ids": [lent]}}])
    assert by_id["pagination"]["totalResult"] == "2"  # itself, and as it was lent
    id, token = house.machine("beta", to)
    orgs.add_org_member(house.system, org_id=to, user_id=id, roles=("ORG_OWNER",))
    mine = ask(PROJECT, "ListProjects", token=token)["projects"]
    assert sorted(one["name"] for one in mine) == ["Alpha", "BETA"]
    assert ask(PROJECT, "GetProject", token=token, projectId=lent)["project"]["name"] == "Alpha"


def test_what_was_lent_has_the_times_of_its_grant_and_is_seen_by_who_lends_it(ask, house, names):
    lent, owner = names["Alpha"]["project"], names["Alpha"]["org"]
    of = {"projectId": lent, "grantedOrganizationId": names["BETA"]["org"]}
    made = ask(PROJECT, "CreateProjectGrant", **of)["creationDate"]
    rests = ask(PROJECT, "DeactivateProjectGrant", **of)["changeDate"]
    org_owner, by_org = house.machine("org", owner)
    orgs.add_org_member(house.system, org_id=owner, user_id=org_owner, roles=("ORG_OWNER",))
    project_owner, by_project = house.machine("project", names["alphabet"]["org"])
    projects.add_project_member(house.system, project_id=lent, user_id=project_owner, roles=("PROJECT_OWNER",))
    for token in (house.pat, by_org, by_project):
        entry, own = ask(PROJECT, "ListProjects", token=token, filters=[{"inProjectIdsFilter": {"ids": [lent]}}])[
            "projects"
        ]
        assert (entry["creationDate"], entry["changeDate"]) == (made, rests)
        assert entry["grantedOrganizationName"] == "BETA"
        assert "grantedOrganizationId" not in own
    stranger, token = house.machine("stranger", names["alphabet"]["org"])
    orgs.add_org_member(house.system, org_id=names["alphabet"]["org"], user_id=stranger, roles=("ORG_OWNER",))
    assert [one["name"] for one in ask(PROJECT, "ListProjects", token=token)["projects"]] == ["alphabet"]


def test_without_a_column_the_newest_comes_first(ask, house):
    for id in ("z", "a", "m"):
        projects.add_project(house.system, org_id=house.org, project_id=id, name=id)
        projects.add_role(house.system, project_id="z", key=id)
    found = ask(PROJECT, "ListProjects", pagination={"limit": 3})["projects"]
    assert [one["projectId"] for one in found] == ["m", "a", "z"]
    assert [one["key"] for one in ask(PROJECT, "ListProjectRoles", projectId="z")["projectRoles"]] == ["m", "a", "z"]
    late = house.machine("late")[0]
    for user in (late, house.admin):
        projects.add_project_member(house.system, project_id="z", user_id=user, roles=("PROJECT_OWNER",))
    asked = [{"resource": {"projectId": "z"}}]
    shown = ask(ADMINISTRATOR, "ListAdministrators", filters=asked)["administrators"]
    assert [one["user"]["id"] for one in shown] == [house.admin, late]


@pytest.mark.parametrize("column", [1, 2, 3, 4])
def test_projects_sorted(ask, names, column):
    key = {1: "projectId", 2: "creationDate", 3: "changeDate", 4: "name"}[column]
    for asc in (True, False):
        found = ask(PROJECT, "ListProjects", sortingColumn=column, pagination={"asc": asc})["projects"]
        assert [one[key] for one in found] == sorted([one[key] for one in found], reverse=not asc)


def test_roles_by_key_and_name(ask, house, names):
    project = names["Alpha"]["project"]
    projects.add_role(house.system, project_id=project, key="viewer", display_name="Looks on")
    by = lambda one: [
        role["key"] for role in ask(PROJECT, "ListProjectRoles", projectId=project, filters=[one])["projectRoles"]
    ]
    assert by({"roleKeyFilter": {"key": "viewer"}}) == ["viewer"]
    assert by({"displayNameFilter": {"displayName": "Alpha", "method": 2}}) == ["Alpha"]
    for column in (1, 2, 3):
        found = ask(PROJECT, "ListProjectRoles", projectId=project, sortingColumn=column, pagination={"asc": True})
        assert [role["key"] for role in found["projectRoles"]] == ["Alpha", "viewer"]


@pytest.fixture
def lent(house, names):
    """Alpha's project is lent to BETA, BETA's to alphabet."""
    for name, to in (("Alpha", "BETA"), ("BETA", "alphabet")):
        project, org = names[name]["project"], names[to]["org"]
        projects.add_grant(house.system, project_id=project, granted_org_id=org, roles=(name,))
    return names


def test_project_grants(ask, lent):
    by = lambda one: [
        grant["projectName"] for grant in ask(PROJECT, "ListProjectGrants", filters=[one]).get("projectGrants", [])
    ]
    assert by({"projectNameFilter": {"projectName": "alpha", "method": 3}}) == ["Alpha"]
    assert by({"roleKeyFilter": {"key": "BETA"}}) == ["BETA"]
    assert by({"roleKeyFilter": {"key": "bet", "method": 3}}) == ["BETA"]
    assert by({"roleKeyFilter": {"key": "alphabet"}}) == []
    assert by({"inProjectIdsFilter": {"ids": [lent["Alpha"]["project"]]}}) == ["Alpha"]
    assert by({"organizationIdFilter": {"id": lent["BETA"]["org"]}}) == ["BETA"]
    assert by({"grantedOrganizationIdFilter": {"id": lent["BETA"]["org"]}}) == ["Alpha"]
    (grant,) = ask(PROJECT, "ListProjectGrants", filters=[{"roleKeyFilter": {"key": "Alpha"}}])["projectGrants"]
    assert (grant["grantedOrganizationName"], grant["grantedRoleKeys"]) == ("BETA", ["Alpha"])
    for column in (1, 2, 3):
        found = ask(PROJECT, "ListProjectGrants", sortingColumn=column, pagination={"asc": True})["projectGrants"]
        assert [one["projectName"] for one in found] == ["Alpha", "BETA"]


def test_applications(ask, house, names):
    project = names["Alpha"]["project"]
    config = OidcConfig(redirect_uris=("https://a.example/cb",))
    web = projects.add_oidc_app(house.system, project_id=project, name="web", config=config)
    projects.deactivate_app(house.system, project_id=names["BETA"]["project"], app_id=names["BETA"]["app"])
    by = lambda one: sorted(app["name"] for app in ask(APP, "ListApplications", filters=[one]).get("applications", []))
    assert by({"projectIdFilter": {"projectId": project}}) == ["Alpha", "web"]
    assert by({"stateFilter": "APPLICATION_STATE_INACTIVE"}) == ["BETA"]
    assert by({"clientIdFilter": {"clientId": web.client_id}}) == ["web"]
    assert by({"entityIdFilter": {"entityId": "x"}}) == []
    assert by({"typeFilter": "APPLICATION_TYPE_API"}) == ["Alpha", "BETA", "alphabet"]
    assert "web" in by({"typeFilter": "APPLICATION_TYPE_OIDC"})
    keys = {0: "applicationId", 1: "name", 2: "state", 3: "creationDate", 4: "changeDate"}
    for column, key in keys.items():
        found = ask(APP, "ListApplications", sortingColumn=column, pagination={"asc": True})["applications"]
        assert [one[key] for one in found] == sorted(one[key] for one in found)


@pytest.fixture
def given(house, lent):
    """Roles that people hold: Anna of Alpha's project, the robot of BETA's, Anna of BETA's through the grant."""
    anna = house.person("anna", org=lent["Alpha"]["org"])
    robot, _ = house.machine("robot", lent["BETA"]["org"])
    give = lambda user, project, org: projects.add_authorization(
        house.system, org_id=lent[org]["org"], user_id=user, project_id=lent[project]["project"], roles=(project,)
    )[1]
    made = {
        "anna": give(anna, "Alpha", "Alpha"),
        "robot": give(robot, "BETA", "BETA"),
        "through": give(anna, "BETA", "alphabet"),
    }
    projects.deactivate_authorization(house.system, authorization_id=made["robot"])
    return {"users": {"anna": anna, "robot": robot}, "ids": made, **lent}


def of_authorizations(ask, given, *filters, **more):
    found = ask(AUTHORIZATION, "ListAuthorizations", filters=list(filters), **more).get("authorizations", [])
    known = {id: name for name, id in given["ids"].items()}
    return [known[one["id"]] for one in found]


def test_authorizations(ask, given):
    grant = ask(PROJECT, "ListProjectGrants", filters=[{"roleKeyFilter": {"key": "BETA"}}])["projectGrants"][0]
    by = lambda one: sorted(of_authorizations(ask, given, one))
    assert by({"authorizationIds": {"ids": [given["ids"]["anna"]]}}) == ["anna"]
    assert by({"organizationId": {"id": given["alphabet"]["org"]}}) == ["through"]
    assert by({"state": {"state": "STATE_INACTIVE"}}) == ["robot"]
    assert by({"inUserIds": {"ids": [given["users"]["anna"]]}}) == ["anna", "through"]
    assert by({"userOrganizationId": {"id": given["BETA"]["org"]}}) == ["robot"]
    assert by({"userPreferredLoginName": {"loginName": "ANNA", "method": 3}}) == ["anna", "through"]
    assert by({"userDisplayName": {"displayName": "Gigi Giraffe"}}) == ["anna", "through"]
    assert by({"userDisplayName": {"displayName": "robot"}}) == ["robot"]
    assert by({"projectId": {"id": given["BETA"]["project"]}}) == ["robot", "through"]
    assert by({"projectName": {"name": "alpha", "method": 1}}) == ["anna"]
    assert by({"roleKey": {"key": "BETA"}}) == ["robot", "through"]
    assert by({"roleKey": {"key": "lph", "method": 4}}) == ["anna"]
    assert by({"roleKey": {"key": "none"}}) == []
    assert grant["grantedOrganizationId"] == given["alphabet"]["org"]
    (one,) = ask(AUTHORIZATION, "ListAuthorizations", filters=[{"roleKey": {"key": "Alpha"}}])["authorizations"]
    assert (one["user"]["displayName"], one["roles"][0]["displayName"]) == ("Gigi Giraffe", "Alpha role")
    assert (one["project"]["name"], one["organization"]["name"]) == ("Alpha", "Alpha")


def test_authorizations_sorted(ask, given):
    place = {
        1: lambda one: one["creationDate"],
        2: lambda one: one["changeDate"],
        3: lambda one: one["id"],
        4: lambda one: one["user"]["id"],
        5: lambda one: one["project"]["id"],
        6: lambda one: one["organization"]["id"],
        7: lambda one: one["user"]["organizationId"],
    }
    for column, key in place.items():
        for asc in (True, False):
            found = ask(AUTHORIZATION, "ListAuthorizations", sortingColumn=column, pagination={"asc": asc})
            keys = [key(one) for one in found["authorizations"]]
            assert (len(keys), keys) == (3, sorted(keys, reverse=not asc))


def test_user_grants_of_the_older_service(ask, given):
    def by(query, org="BETA"):
        answer = ask(M, "ListUserGrants", org=given[org]["org"], queries=[query])
        known = {id: name for name, id in given["ids"].items()}
        return sorted(known[one["id"]] for one in answer.get("result", []))

    assert by({"projectIdQuery": {"projectId": given["BETA"]["project"]}}) == ["robot"]
    assert by({"withGrantedQuery": {"withGranted": True}}) == ["robot", "through"]
    assert by({"userTypeQuery": {"type": "TYPE_MACHINE"}}) == ["robot"]
    assert by({"userTypeQuery": {"type": "TYPE_HUMAN"}}) == []
    assert by({"userNameQuery": {"userName": "anna"}}, org="Alpha") == ["anna"]
    assert by({"firstNameQuery": {"firstName": "Gigi"}}, org="Alpha") == ["anna"]
    assert by({"lastNameQuery": {"lastName": "gir", "method": 3}}, org="Alpha") == ["anna"]
    assert by({"emailQuery": {"email": "anna@example.com"}}, org="Alpha") == ["anna"]
    assert by({"displayNameQuery": {"displayName": "Gigi", "method": 2}}, org="Alpha") == ["anna"]
    assert by({"orgNameQuery": {"orgName": "alphabet"}}, org="alphabet") == ["through"]
    assert by({"orgDomainQuery": {"orgDomain": "alphabet.localhost"}}, org="alphabet") == ["through"]
    assert by({"projectNameQuery": {"projectName": "Alpha"}}, org="alphabet") == []
    assert by({"roleKeyQuery": {"roleKey": "BETA"}}, org="alphabet") == ["through"]
    assert by({"inUserIdsQuery": {"inUserIds": [given["users"]["robot"]]}}) == ["robot"]
    assert by({"userIdQuery": {"userId": given["users"]["anna"]}}) == []


@pytest.fixture
def administrators(house, given):
    """Anna administers Alpha and its project, the robot the instance, BETA's grant too."""
    anna, robot = given["users"]["anna"], given["users"]["robot"]
    orgs.add_org_member(house.system, org_id=given["Alpha"]["org"], user_id=anna, roles=("ORG_OWNER",))
    project = given["Alpha"]["project"]
    projects.add_project_member(house.system, project_id=project, user_id=anna, roles=("PROJECT_OWNER",))
    projects.add_instance_member(house.system, user_id=robot, roles=("IAM_OWNER_VIEWER",))
    grant = ProjectGrantRow.objects.get(project_id=given["BETA"]["project"])
    projects.add_grant_member(
        house.system, project_id=grant.project_id, grant_id=grant.id, user_id=robot, roles=("PROJECT_GRANT_OWNER",)
    )
    return given


def test_administrators(ask, administrators):
    anna, robot = administrators["users"]["anna"], administrators["users"]["robot"]

    def by(one):
        found = ask(ADMINISTRATOR, "ListAdministrators", filters=[one]).get("administrators", [])
        return sorted(admin["roles"][0] for admin in found if admin["user"]["id"] in (anna, robot))

    both, mine = ["IAM_OWNER_VIEWER", "PROJECT_GRANT_OWNER"], ["ORG_OWNER", "PROJECT_OWNER"]
    assert by({"inUserIdsFilter": {"ids": [anna]}}) == mine
    assert by({"userOrganizationId": {"id": administrators["BETA"]["org"]}}) == both
    assert by({"userPreferredLoginName": {"preferredLoginName": "anna", "method": 2}}) == mine
    assert by({"userDisplayName": {"displayName": "ROBOT", "method": 1}}) == both
    assert by({"role": {"roleKey": "PROJECT_OWNER"}}) == ["PROJECT_OWNER"]
    assert by({"resource": {"instance": True}}) == ["IAM_OWNER_VIEWER"]
    assert by({"resource": {"organizationId": administrators["Alpha"]["org"]}}) == ["ORG_OWNER"]
    assert by({"resource": {"projectId": administrators["Alpha"]["project"]}}) == ["PROJECT_OWNER"]
    grant = {"projectId": administrators["BETA"]["project"], "organizationId": administrators["alphabet"]["org"]}
    assert by({"resource": {"projectGrant": grant}}) == ["PROJECT_GRANT_OWNER"]
    elsewhere = {**grant, "organizationId": administrators["Alpha"]["org"]}
    assert by({"resource": {"projectGrant": elsewhere}}) == []
    owner, of_anna = {"role": {"roleKey": "ORG_OWNER"}}, {"inUserIdsFilter": {"ids": [anna]}}
    assert by({"and": {"queries": [owner, of_anna]}}) == ["ORG_OWNER"]
    assert by({"or": {"queries": [owner, {"resource": {"instance": True}}]}}) == ["IAM_OWNER_VIEWER", "ORG_OWNER"]
    assert by({"not": {"query": of_anna}}) == both
    past = {"timestamp": "2020-01-01T00:00:00Z"}
    for field in ("creationDate", "changeDate"):
        assert by({field: {**past, "method": "TIMESTAMP_FILTER_METHOD_BEFORE"}}) == []
        assert by({field: {**past, "method": "TIMESTAMP_FILTER_METHOD_AFTER"}}) == sorted(mine + both)
    for column, key in {2: "creationDate", 3: "changeDate"}.items():
        found = ask(ADMINISTRATOR, "ListAdministrators", sortingColumn=column, pagination={"asc": True})
        times = [one[key] for one in found["administrators"]]
        assert times == sorted(times)


@pytest.fixture
def owner_of_alpha(house, administrators):
    """Id and token of a service user that owns Alpha."""
    alpha = administrators["Alpha"]["org"]
    id, token = house.machine("owner", alpha)
    orgs.add_org_member(house.system, org_id=alpha, user_id=id, roles=("ORG_OWNER",))
    return id, token


def test_t11_mails_in_member_lists_are_for_those_who_may_read_the_user(ask, house, administrators, owner_of_alpha):
    alpha, (id, token) = administrators["Alpha"]["org"], owner_of_alpha
    foreign = house.person("foreign", org=administrators["BETA"]["org"])
    orgs.add_org_member(house.system, org_id=alpha, user_id=foreign, roles=("ORG_OWNER_VIEWER",))
    members = {one["userId"]: one.get("email") for one in ask(M, "ListOrgMembers", token=token)["result"]}
    assert members == {administrators["users"]["anna"]: "anna@example.com", foreign: None, id: None}
    query = {"emailQuery": {"email": "foreign@example.com"}}
    assert "result" not in ask(M, "ListOrgMembers", token=token, queries=[query])
    assert len(ask(M, "ListOrgMembers", org=alpha, queries=[query])["result"]) == 1


def test_t04_lists_hold_only_what_the_caller_may_see(ask, administrators, owner_of_alpha):
    _, token = owner_of_alpha
    assert of_authorizations(ask, administrators, token=token) == ["anna"]
    found = ask(ADMINISTRATOR, "ListAdministrators", token=token)["administrators"]
    assert sorted(one["roles"][0] for one in found) == ["ORG_OWNER", "ORG_OWNER", "PROJECT_OWNER"]
    assert called(ask(ORG, "ListOrganizations", token=token), "result") == ["Alpha"]
    assert called(ask(APP, "ListApplications", token=token), "applications") == ["Alpha"]


def test_an_application_id_is_taken_once_in_the_whole_instance(house, names):
    projects.add_api_app(house.system, project_id=names["Alpha"]["project"], name="one", app_id="chosen")
    with pytest.raises(AlreadyExists, match=r"app\.id_already_exists"):
        projects.add_api_app(house.system, project_id=names["BETA"]["project"], name="other", app_id="chosen")


def test_an_authorization_knows_the_organization_of_its_user_also_when_rebuilt(house, given):
    kept = dict(UserGrantRow.objects.filter(instance_id=house.instance).values_list("id", "user_org_id"))
    org = {name: given[name]["org"] for name in NAMES}
    assert [kept[given["ids"][name]] for name in ("anna", "robot", "through")] == [
        org["Alpha"],
        org["BETA"],
        org["Alpha"],
    ]
    UserGrantRow.objects.filter(instance_id=house.instance).delete()
    for fact in facts_of_instance(house.system.store, house.instance):
        projection("authorizations").apply(fact)
    assert kept == dict(UserGrantRow.objects.filter(instance_id=house.instance).values_list("id", "user_org_id"))


def test_an_authorization_goes_with_the_organization_of_its_user(house, given):
    row = {"instance_id": house.instance, "user_id": given["users"]["robot"], "project_id": "p", "roles": []}
    at = {"created_at": datetime.now(UTC), "changed_at": datetime.now(UTC), "version": 1}
    UserGrantRow.objects.create(**row, **at, id="x", org_id=house.org, user_org_id=given["BETA"]["org"])
    removed = Recorded(1, house.system.stream("org", given["BETA"]["org"]), 2, OrgRemoved(), "", "", datetime.now(UTC))
    projection("authorizations").apply(removed)
    assert not UserGrantRow.objects.filter(id="x").exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="with SQLite there is never another program")
def test_the_program_before_adds_authorizations_that_are_sorted_too(house, given):
    columns = "instance_id, org_id, user_id, project_id, grant_id, roles, state, created_at, changed_at, version"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO projects_user_grants (id, {columns}) SELECT id || 'x', {columns} FROM projects_user_grants"
            " WHERE id = %s",
            [given["ids"]["robot"]],
        )
    assert UserGrantRow.objects.get(id=given["ids"]["robot"] + "x").user_org_id == given["BETA"]["org"]


def test_rows_of_before_are_filled_in_by_set_up(house, given, monkeypatch):
    fill = importlib.import_module("projects.migrations.0004_fill_user_org")
    monkeypatch.setattr(fill, "AT_ONCE", 2)
    rows = UserGrantRow.objects.filter(instance_id=house.instance)
    kept = dict(rows.values_list("id", "user_org_id"))
    rows.update(user_org_id="")
    at_once()
    fill.fill(None, SimpleNamespace(connection=connection))
    assert dict(rows.values_list("id", "user_org_id")) == kept
