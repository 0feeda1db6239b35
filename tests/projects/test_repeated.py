"""What is asked for twice: the second time nothing happens, and the answer says when it did."""

import pytest

from eventstore.models import EventRow
from iam.kernel.errors import FailedPrecondition, NotFound
from orgs import commands as orgs
from projects import commands as projects
from tests.users.support import Rpc

ORG, PROJECT = "zitadel.org.v2.OrganizationService", "zitadel.project.v2.ProjectService"
AUTHORIZATION = "zitadel.authorization.v2.AuthorizationService"
ADMINISTRATOR = "zitadel.internal_permission.v2.InternalPermissionService"


@pytest.fixture
def ask(house):
    def asked(service, name, /, *, token=house.pat, **fields):
        return Rpc(service, token)(name, fields)

    return asked


@pytest.fixture
def shop(house):
    """A project with a role, lent to another organization, and somebody who holds it."""
    project = projects.add_project(house.system, org_id=house.org, name="Shop").id
    projects.add_role(house.system, project_id=project, key="buyer")
    other = orgs.add_org(house.system, name="Other").id
    projects.add_grant(house.system, project_id=project, granted_org_id=other, roles=("buyer",))
    _, held = projects.add_authorization(
        house.system, org_id=house.org, user_id=house.admin, project_id=project, roles=("buyer",)
    )
    return {"project": project, "other": other, "held": held}


def twice(ask, service, name, field, **fields):
    """Asks twice; the same time is told twice, and nothing more is written."""
    first = ask(service, name, **fields)
    written = EventRow.objects.count()
    assert ask(service, name, **fields) == first
    assert first[field]
    assert EventRow.objects.count() == written


def test_grants_and_authorizations_rest_and_wake_once(ask, shop):
    grant = {"projectId": shop["project"], "grantedOrganizationId": shop["other"]}
    for name in ("Deactivate", "Activate"):
        twice(ask, PROJECT, f"{name}ProjectGrant", "changeDate", **grant)
        twice(ask, AUTHORIZATION, f"{name}Authorization", "changeDate", id=shop["held"])


def test_what_is_deleted_is_deleted_once(ask, house, shop):
    project = {"projectId": shop["project"]}
    key = ask("zitadel.webkey.v2.WebKeyService", "CreateWebKey")["id"]
    twice(ask, "zitadel.webkey.v2.WebKeyService", "DeleteWebKey", "deletionDate", id=key)
    twice(ask, AUTHORIZATION, "DeleteAuthorization", "deletionDate", id=shop["held"])
    twice(ask, PROJECT, "DeleteProjectGrant", "deletionDate", **project, grantedOrganizationId=shop["other"])
    twice(ask, PROJECT, "RemoveProjectRole", "removalDate", **project, roleKey="buyer")
    twice(ask, PROJECT, "DeleteProject", "deletionDate", **project)
    twice(ask, ORG, "DeleteOrganization", "deletionDate", organizationId=shop["other"])


def test_the_older_api_does_not_find_what_is_deleted(ask, shop):
    older = "zitadel.management.v1.ManagementService"
    (grant,) = ask(older, "ListProjectGrants", projectId=shop["project"])["result"]
    for name, fields in (
        (f"{older}/RemoveProjectGrant", {"projectId": shop["project"], "grantId": grant["grantId"]}),
        (f"{older}/RemoveProject", {"id": shop["project"]}),
        ("zitadel.admin.v1.AdminService/RemoveOrg", {"orgId": shop["other"]}),
    ):
        assert ask(*name.split("/"), **fields)["details"]
        with pytest.raises(NotFound):
            ask(*name.split("/"), **fields)


def test_an_instance_is_deleted_once(house):
    from iam.access.caller import system_context
    from iam.instance import commands as instances

    second = system_context("999999999999999999")
    instances.add_instance(second, name="Second", domains=("second.example",))
    first = instances.remove_instance(house.system, instance_id=second.instance)
    assert instances.remove_instance(house.system, instance_id=second.instance) == first
    instances.add_instance(second, name="Again", domains=("second.example",))
    assert instances.remove_instance(house.system, instance_id=second.instance).version > first.version


def test_what_was_never_in_a_thing_is_taken_from_it_at_no_time(ask, house, shop):
    project, grant = {"projectId": shop["project"]}, {"projectId": shop["project"], "organizationId": "nobody"}
    assert ask(PROJECT, "RemoveProjectRole", **project, roleKey="nothing") == {}
    assert ask(PROJECT, "DeleteProjectGrant", **project, grantedOrganizationId=house.org) == {}
    for resource in ({"organizationId": house.org}, {"instance": True}, project, {"projectGrant": grant}):
        assert ask(ADMINISTRATOR, "DeleteAdministrator", userId="nobody", resource=resource) == {}


def test_t02_a_thing_that_never_was_is_not_found(ask):
    for service, name, fields in (
        (ORG, "DeleteOrganization", {"organizationId": "999"}),
        (PROJECT, "DeleteProject", {"projectId": "999"}),
        (PROJECT, "RemoveProjectRole", {"projectId": "999", "roleKey": "buyer"}),
        (PROJECT, "DeleteProjectGrant", {"projectId": "999", "grantedOrganizationId": "999"}),
        (AUTHORIZATION, "DeleteAuthorization", {"id": "999"}),
        (ADMINISTRATOR, "DeleteAdministrator", {"userId": "999", "resource": {"projectId": "999"}}),
    ):
        with pytest.raises(NotFound):
            ask(service, name, **fields)


def resources(shop, house):
    grant = {"projectId": shop["project"], "organizationId": shop["other"]}
    return (
        ({"instance": True}, "IAM_OWNER"),
        ({"organizationId": house.org}, "ORG_OWNER"),
        ({"projectId": shop["project"]}, "PROJECT_OWNER"),
        ({"projectGrant": grant}, "PROJECT_GRANT_OWNER"),
    )


def test_administrators_get_the_same_roles_and_lose_them_once(ask, house, shop):
    user, _ = house.machine("helper")
    for resource, role in resources(shop, house):
        of = {"userId": user, "resource": resource}
        made = ask(ADMINISTRATOR, "CreateAdministrator", **of, roles=[role])
        written = EventRow.objects.count()
        assert ask(ADMINISTRATOR, "UpdateAdministrator", **of, roles=[role])["changeDate"] == made["creationDate"]
        assert EventRow.objects.count() == written
        twice(ask, ADMINISTRATOR, "UpdateAdministrator", "changeDate", **of, roles=[f"{role}_VIEWER"])
        twice(ask, ADMINISTRATOR, "DeleteAdministrator", "deletionDate", **of)


def test_the_time_of_a_removal_is_that_of_the_last_one(ask, shop):
    of = {"projectId": shop["project"], "grantedOrganizationId": shop["other"]}
    first = ask(PROJECT, "DeleteProjectGrant", **of)
    ask(PROJECT, "CreateProjectGrant", **of, roleKeys=[])
    second = ask(PROJECT, "DeleteProjectGrant", **of)
    ask(PROJECT, "AddProjectRole", projectId=shop["project"], roleKey="seller", displayName="Seller")
    assert first["deletionDate"] < second["deletionDate"]
    assert ask(PROJECT, "DeleteProjectGrant", **of) == second


def test_the_last_owner_stays(ask, house):
    robot, _ = house.machine("owner-of-all")
    ask(ADMINISTRATOR, "CreateAdministrator", userId=robot, resource={"instance": True}, roles=["IAM_OWNER"])
    ask(ADMINISTRATOR, "DeleteAdministrator", userId=robot, resource={"instance": True})
    with pytest.raises(FailedPrecondition, match=r"member\.last_owner"):
        ask(ADMINISTRATOR, "DeleteAdministrator", userId=house.admin, resource={"instance": True})
