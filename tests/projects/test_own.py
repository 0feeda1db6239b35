"""The application by which everybody signs in to the console stays able to do that, whoever asks for a change."""

import pytest

from iam.instance import commands as instance
from iam.instance.models import InstanceRow
from iam.kernel.errors import FailedPrecondition
from orgs import commands as orgs
from projects import commands as projects
from projects.models import AppRow, ProjectRow

CALLBACK = "http://localhost/ui/console/callback"


@pytest.fixture
def own(house):
    """The console's project and application, by the names of the commands' arguments."""
    app = AppRow.objects.get(id=InstanceRow.objects.get().console_app_id)
    return {"project_id": app.project_id, "app_id": app.id}


def console_app(own):
    return AppRow.objects.get(id=own["app_id"])


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": ("https://elsewhere.example/cb",)},
        {"redirect_uris": ()},
        {"auth_method_type": 0},
        {"response_types": ()},
        {"grant_types": (2,)},
    ],
)
def test_the_consoles_application_keeps_what_it_signs_in_with(house, own, changes):
    with pytest.raises(FailedPrecondition, match=r"app\.console_needed"):
        projects.change_oidc_app(house.owner, **own, changes=changes)
    assert console_app(own).redirect_uris == [CALLBACK]


def test_addresses_may_be_added_to_it(house, own):
    more = (CALLBACK, "https://id.example/ui/console/callback")
    projects.change_oidc_app(house.owner, **own, changes={"redirect_uris": more, "dev_mode": False})
    assert tuple(console_app(own).redirect_uris) == more


@pytest.mark.parametrize(
    "change", [projects.deactivate_app, projects.remove_app, projects.deactivate_project, projects.remove_project]
)
def test_neither_it_nor_its_project_is_stopped_or_deleted(house, own, change):
    asked = own if "app" in change.__name__ else {"project_id": own["project_id"]}
    with pytest.raises(FailedPrecondition, match=r"console_needed"):
        change(house.owner, **asked)
    assert (console_app(own).state, ProjectRow.objects.get(id=own["project_id"]).state) == (1, 1)


@pytest.mark.parametrize("setting", ["project_role_check", "has_project_check"])
def test_its_project_stays_open_to_everybody(house, own, setting):
    with pytest.raises(FailedPrecondition, match=r"project\.console_needed"):
        projects.change_project(house.owner, project_id=own["project_id"], settings={setting: True})
    projects.change_project(house.owner, project_id=own["project_id"], name="Gatehouse")
    assert ProjectRow.objects.get(id=own["project_id"]).name == "Gatehouse"


@pytest.mark.parametrize("change", [orgs.deactivate_org, orgs.remove_org])
def test_its_organization_stays_even_when_another_one_is_the_default(house, own, change):
    other = orgs.add_org(house.system, name="Acme").id
    orgs.choose_default_org(house.system, org_id=other)
    instance.add_member(house.system, user_id=house.person("owner", org=other), roles=("IAM_OWNER",))
    with pytest.raises(FailedPrecondition, match=r"org\.console_needed"):
        change(house.owner, org_id=house.org)
    orgs.deactivate_org(house.owner, org_id=other)


def test_other_applications_of_its_project_come_and_go(house, own):
    made = projects.add_api_app(house.owner, project_id=own["project_id"], name="api")
    projects.deactivate_app(house.owner, project_id=own["project_id"], app_id=made.id)
    projects.remove_app(house.owner, project_id=own["project_id"], app_id=made.id)


def test_the_api_tells_the_refusal(house, own, api):
    answer = api.post(f"/management/v1/projects/{own['project_id']}/apps/{own['app_id']}/_deactivate")
    assert (answer.status_code, "signs in to the console" in answer.json()["message"]) == (400, True)


def test_the_console_comes_back_to_every_host_of_the_instance(house, own):
    instance.add_domain(house.owner, domain="id.example")
    assert console_app(own).redirect_uris == [CALLBACK, "http://id.example/ui/console/callback"]
    assert console_app(own).post_logout_redirect_uris[-1] == "http://id.example/ui/console/"
    instance.remove_domain(house.owner, domain="id.example")
    assert console_app(own).redirect_uris == [CALLBACK]
