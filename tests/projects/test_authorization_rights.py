"""Who may give, rest and take roles of a project: by right over the organization, the project, or the grant that lends them."""

import pytest

from iam.kernel.errors import InvalidInput, NotFound, PermissionDenied
from orgs import commands as orgs
from projects import commands as projects
from projects.models import UserGrantRow
from tests.users.support import Rpc

V2, BETA = (f"zitadel.authorization.{version}.AuthorizationService" for version in ("v2", "v2beta"))


@pytest.fixture
def ask(house):
    def asked(name, /, *, token=house.pat, service=V2, **fields):
        return Rpc(service, token)(name, fields)

    return asked


@pytest.fixture
def shop(house):
    """A project of another organization, lent to the first one, with an administrator of each."""
    owner = orgs.add_org(house.system, name="Owner").id
    project = projects.add_project(house.system, org_id=owner, name="Shop").id
    for key in ("buyer", "seller"):
        projects.add_role(house.system, project_id=project, key=key)
    _, grant = projects.add_grant(house.system, project_id=project, granted_org_id=house.org, roles=("buyer", "seller"))
    of_project, project_token = house.machine("of-project", owner)
    projects.add_project_member(house.system, project_id=project, user_id=of_project, roles=("PROJECT_OWNER",))
    of_grant, grant_token = house.machine("of-grant")
    roles = ("PROJECT_GRANT_OWNER",)
    projects.add_grant_member(house.system, project_id=project, grant_id=grant, user_id=of_grant, roles=roles)
    return {"owner": owner, "project": project, "by_project": project_token, "by_grant": grant_token}


def life(ask, token, id):
    """Everything that may be done to an authorization."""
    assert ask("UpdateAuthorization", token=token, id=id, roleKeys=["seller"])["changeDate"]
    assert ask("DeactivateAuthorization", token=token, id=id)["changeDate"]
    assert ask("ActivateAuthorization", token=token, id=id)["changeDate"]
    assert ask("DeleteAuthorization", token=token, id=id)["deletionDate"]
    assert not UserGrantRow.objects.filter(id=id).exists()


def test_who_administers_the_project_does_so_with_its_authorizations(ask, house, shop):
    asked = {"userId": house.admin, "projectId": shop["project"], "roleKeys": ["buyer"]}
    made = ask("CreateAuthorization", token=shop["by_project"], organizationId=shop["owner"], **asked)
    life(ask, shop["by_project"], made["id"])


def test_who_administers_the_grant_does_so_with_what_is_given_through_it(ask, house, shop):
    asked = {"userId": house.admin, "projectId": shop["project"], "roleKeys": ["buyer"]}
    made = ask("CreateAuthorization", token=shop["by_grant"], organizationId=house.org, **asked)
    life(ask, shop["by_grant"], made["id"])


def test_t02_neither_reaches_what_the_other_gave(ask, house, shop):
    asked = {"userId": house.admin, "projectId": shop["project"], "roleKeys": ["buyer"]}
    for org, stranger in ((shop["owner"], shop["by_grant"]), (house.org, shop["by_project"])):
        with pytest.raises((NotFound, PermissionDenied)):
            ask("CreateAuthorization", token=stranger, organizationId=org, **asked)
        id = ask("CreateAuthorization", organizationId=org, **asked)["id"]
        before = UserGrantRow.objects.get(id=id).version
        for verb in ("Update", "Deactivate", "Activate", "Delete"):
            roles = {"roleKeys": ["seller"]} if verb == "Update" else {}
            with pytest.raises((NotFound, PermissionDenied)):
                ask(f"{verb}Authorization", token=stranger, id=id, **roles)
        assert UserGrantRow.objects.get(id=id).version == before


def test_v2beta_gives_in_the_organization_of_the_project_when_none_is_named(ask, house, shop):
    asked = {"userId": house.admin, "projectId": shop["project"], "roleKeys": ["buyer"]}
    for token in (shop["by_project"], house.pat):
        id = ask("CreateAuthorization", token=token, service=BETA, **asked)["id"]
        assert UserGrantRow.objects.get(id=id).org_id == shop["owner"]
        projects.remove_authorization(house.system, authorization_id=id)
    with pytest.raises((NotFound, PermissionDenied)):
        ask("CreateAuthorization", token=shop["by_grant"], service=BETA, **asked)
    with pytest.raises(InvalidInput, match="organizationId"):
        ask("CreateAuthorization", **asked)
    with pytest.raises(InvalidInput, match="userId"):
        ask("CreateAuthorization", service=BETA, projectId=shop["project"])
