"""Small things in which clients rely on the reference: members, orders, what is refused, what is taken."""

import pytest

from iam.access.caller import RequestMeta
from iam.api.methods import invoke, method
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound, Refusal
from orgs import commands as orgs
from projects import commands as projects
from projects.domain.project import OidcConfig
from tests.conftest import Api
from tests.oidc.support import make_flow

BEFORE = ["ACME", "beta", "Alpha"]


@pytest.fixture
def shop(house):
    """A project with roles in an order that is not that of the alphabet, backwards neither."""
    id = projects.add_project(house.system, org_id=house.org, name="Shop").id
    for key in ("a", "c", "b"):
        projects.add_role(house.system, project_id=id, key=key, display_name=key, group="")
    return id


@pytest.mark.parametrize("asc", [None, True, False])
@pytest.mark.parametrize("path", ["/v2/organizations/_search", "/admin/v1/orgs/_search"])
def test_organizations_without_a_sorting_column_come_oldest_first(house, api, path, asc):
    made = [house.org, *(orgs.add_org(house.system, name=name).id for name in BEFORE)]
    query = {} if asc is None else {"query": {"asc": asc}}
    assert [one["id"] for one in api.post(path, query).json()["result"]] == made


def test_with_a_sorting_column_the_order_is_what_was_asked_for(house, api):
    made = [house.org, *(orgs.add_org(house.system, name=name).id for name in BEFORE)]
    for asc in (True, False):
        asked = {"query": {"asc": asc}, "sortingColumn": "ORGANIZATION_FIELD_NAME_CREATION_DATE"}
        found = [one["id"] for one in api.post("/v2/organizations/_search", asked).json()["result"]]
        assert found == (made if asc else made[::-1])


def test_lists_of_the_older_api_come_oldest_first(house, api, shop):
    apps = [
        projects.add_api_app(house.system, project_id=shop, name=name).id
        for name in ("one", "two", "three")
    ]  # fmt: skip
    found = api.post(f"/management/v1/projects/{shop}/apps/_search").json()["result"]
    assert [one["id"] for one in found] == apps
    keys = [one["key"] for one in api.post(f"/management/v1/projects/{shop}/roles/_search").json()["result"]]
    assert keys == ["a", "b", "c"]
    api.post(f"/v2/organizations/{house.org}/domains", {"domain": "example.com"})
    for path, name in (
        (f"/v2/organizations/{house.org}/domains/search", "domain"),
        ("/management/v1/orgs/me/domains/_search", "domainName"),
    ):
        listed = api.post(path).json()
        found = listed.get("domains") or listed["result"]
        assert [one[name] for one in found] == ["zitadel.localhost", "example.com"]


@pytest.mark.parametrize("skew", ["0s", "2s"])
def test_applications_tell_their_clock_skew(house, api, shop, skew):
    body = {"name": "web", "redirectUris": ["https://a.example/cb"], "clockSkew": skew}
    id = api.post(f"/management/v1/projects/{shop}/apps/oidc", body).json()["appId"]
    assert api.get(f"/management/v1/projects/{shop}/apps/{id}").json()["app"]["oidcConfig"]["clockSkew"] == skew


@pytest.mark.parametrize("uri", ["http://localhost:9000/cb", "http://app.example/cb"])
def test_plain_http_in_a_browser_is_listed_as_a_problem(house, api, shop, uri):
    config = {"redirectUris": [uri], "appType": "OIDC_APP_TYPE_USER_AGENT", "devMode": True}
    body = {"name": "spa", "authMethodType": "OIDC_AUTH_METHOD_TYPE_NONE", **config}
    made = api.post(f"/management/v1/projects/{shop}/apps/oidc", body).json()
    told = made["noneCompliant"], [one["key"] for one in made["complianceProblems"]]
    assert told == (True, ["Application.OIDC.V1.Code.RedirectUris.HttpOnlyForWeb"])


def test_an_authorization_names_the_organization_that_it_is_for(house, api, shop):
    person = house.person()
    api.post(f"/management/v1/users/{person}/grants", {"projectId": shop, "roleKeys": ["a"]})
    (found,) = api.post("/management/v1/users/grants/_search").json()["result"]
    assert (found["grantedOrgId"], found["grantedOrgName"], found["grantedOrgDomain"]) == (
        house.org,
        "ZITADEL",
        "zitadel.localhost",
    )


def test_the_version_is_that_of_the_api(api):
    assert api.get("/admin/v1/instances/me").json()["instance"]["version"].startswith("v4.")


@pytest.mark.parametrize("part", ["profile", "email", "phone"])
def test_a_service_user_has_nothing_of_a_person(api, house, part):
    answer = api.get(f"/auth/v1/users/me/{part}")
    assert (answer.status_code, answer.json()["code"]) == (400, 9)


# --- refused where nothing would change ---


def call(house, full, /, **fields):
    request = method(full).request(**fields)
    return invoke(full, request, RequestMeta("localhost", headers={"authorization": f"Bearer {house.pat}"}))


EMPTY_METADATA = {
    "org.v2.OrganizationService/SetOrganizationMetadata": lambda house, user: {"organization_id": house.org},
    "management.v1.ManagementService/BulkSetOrgMetadata": lambda house, user: {},
    "user.v2.UserService/SetUserMetadata": lambda house, user: {"user_id": user},
    "management.v1.ManagementService/BulkSetUserMetadata": lambda house, user: {"id": user},
}


@pytest.mark.parametrize("name", EMPTY_METADATA)
def test_no_metadata_at_all_is_refused(house, name):
    with pytest.raises((FailedPrecondition, InvalidInput)):
        call(house, f"zitadel.{name}", **EMPTY_METADATA[name](house, house.person()))


SAME = {
    "v2 e-mail": (lambda api, id: api.post(f"/v2/users/{id}/email", {"email": "gigi@example.com"}), 400),
    "v2 number": (lambda api, id: api.post(f"/v2/users/{id}/phone", {"phone": "+41 79 123 45 67"}), 400),
    # PUT is idempotent: an older Terraform provider repeats both
    "v1 e-mail": (lambda api, id: api.put(f"/management/v1/users/{id}/email", {"email": "gigi@example.com"}), 200),
    "v1 number": (lambda api, id: api.put(f"/management/v1/users/{id}/phone", {"phone": "+41791234567"}), 200),
}


@pytest.mark.parametrize("door", SAME)
def test_an_address_that_it_is_already_is_refused_unless_it_is_put(house, api, door):
    id = house.person()
    api.post(f"/v2/users/{id}/phone", {"phone": "079 123 45 67"})
    ask, status = SAME[door]
    answer = ask(api, id)
    assert (answer.status_code, answer.json().get("code")) == (status, 9 if status == 400 else None), answer.content


def test_an_address_may_be_called_verified_and_a_whole_update_may_repeat_it(house, api):
    id = api.post("/v2/users/human", {"profile": {"givenName": "A", "familyName": "B"}, "email": {"email": "a@b.c"}})
    path = f"/v2/users/{id.json()['userId']}"
    assert api.post(f"{path}/email", {"email": "a@b.c", "isVerified": True}).status_code == 200
    assert api.patch(path, {"human": {"email": {"email": "a@b.c", "isVerified": True}}}).status_code == 200


REMOVED = {
    "v2": lambda api, id: api.delete(f"/v2/users/{id}/phone"),
    "v1": lambda api, id: api.delete(f"/management/v1/users/{id}/phone"),
}


@pytest.mark.parametrize("door", REMOVED)
def test_a_number_is_removed_once(house, api, door):
    id = house.person()
    api.post(f"/v2/users/{id}/phone", {"phone": "+41791234567"})
    assert REMOVED[door](api, id).status_code == 200
    for other in REMOVED.values():
        assert (other(api, id).status_code, other(api, id).json()["code"]) == (400, 9)


UPDATES = {
    "v2 name": ("application.v2.ApplicationService/UpdateApplication", {"name": "web"}),
    "v2 config": (
        "application.v2.ApplicationService/UpdateApplication",
        {"oidc_configuration": {"redirect_uris": ["https://app.example/cb"]}},
    ),
    "v2 both": (
        "application.v2.ApplicationService/UpdateApplication",
        {"name": "web", "oidc_configuration": {"redirect_uris": ["https://app.example/cb"]}},
    ),
}


@pytest.mark.parametrize("update", UPDATES)
def test_an_application_that_is_so_already_is_not_updated(house, web, update):
    flow = make_flow(house, web)
    name, changes = UPDATES[update]
    with pytest.raises(FailedPrecondition) as refused:
        call(house, f"zitadel.{name}", project_id=flow.project, application_id=flow.app, **changes)
    assert refused.value.code == "app.not_changed"
    both = {**changes, "name": "other"}  # one of two that differs is enough
    call(house, f"zitadel.{name}", project_id=flow.project, application_id=flow.app, **both)


def test_the_older_api_sets_what_is_set_already(house, api):
    """Its updates are PUT: to repeat one is no error, as Terraform's second apply does."""
    project = projects.add_project(house.system, org_id=house.org, name="Shop").id
    app = projects.add_oidc_app(
        house.system, project_id=project, name="web", config=OidcConfig(redirect_uris=("https://a.example/cb",))
    ).id
    path = f"/management/v1/projects/{project}/apps/{app}"
    for _ in range(2):
        assert api.put(path, {"name": "web"}).status_code == 200
        assert api.put(f"{path}/oidc_config", {"redirectUris": ["https://a.example/cb"]}).status_code == 200


# --- taken, and refused otherwise ---


def test_an_instance_may_be_given_the_name_that_it_has(house):
    name = call(house, "zitadel.instance.v2.InstanceService/GetInstance").instance.name
    for wanted in (name, "Other", name):
        call(
            house,
            "zitadel.instance.v2.InstanceService/UpdateInstance",
            instance_id=house.instance,
            instance_name=wanted,
        )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"emailQuery": {}}, 0),
        ({"emailQuery": {"method": "TEXT_QUERY_METHOD_CONTAINS"}}, 2),
        ({"orQuery": {"queries": [{"emailQuery": {}}, {"typeQuery": {"type": "TYPE_HUMAN"}}]}}, 2),
    ],
)
def test_a_query_for_an_empty_address_finds_nobody_or_every_person(house, api, query, found):
    house.person()
    answer = api.post("/v2/users", {"queries": [query]}).json()
    assert int(answer["details"].get("totalResult", 0)) == found


KINDS = {
    "own organization": (
        "project.v2.ProjectService/CreateProjectGrant",
        lambda house, shop: {"project_id": shop, "granted_organization_id": house.org},
        FailedPrecondition,
    ),
    "no such event": (
        "action.v2.ActionService/SetExecution",
        lambda house, shop: {"condition": {"event": {"event": "no.such"}}},
        NotFound,
    ),
    "no such group": (
        "action.v2.ActionService/SetExecution",
        lambda house, shop: {"condition": {"event": {"group": "no.such"}}},
        NotFound,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_of_a_refusal_is_that_of_the_reference(house, shop, kind):
    name, fields, wanted = KINDS[kind]
    with pytest.raises(Refusal) as refused:
        call(house, f"zitadel.{name}", **fields(house, shop))
    assert type(refused.value) is wanted and not isinstance(refused.value, AlreadyExists)


def test_another_user_is_no_valid_argument_of_a_session(house, api):
    made = api.post("/v2/sessions", {"checks": {"user": {"userId": house.person()}}}).json()
    other = {"checks": {"user": {"userId": house.admin}}}
    answer = api.patch(f"/v2/sessions/{made['sessionId']}", other)
    assert (answer.status_code, answer.json()["code"]) == (400, 3)


def test_unknown_paths_are_not_found_in_the_form_of_the_api(house):
    for path in ("/nothing-here", "/v2/nothing"):
        assert Api("").get(path).json() == {"code": 5, "message": "Not Found"}
