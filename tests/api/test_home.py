"""Every method, asked to act in an organization that the caller has nothing to do with (checklist T03)."""

import pytest

from iam.access.caller import RequestMeta
from iam.api.methods import invoke, method, registered
from iam.kernel.errors import InvalidInput, NotFound, PermissionDenied, Refusal
from orgs import commands as orgs
from orgs.models import OrgRow
from projects import commands as projects
from tests.api import test_callers
from tests.api.test_callers import PROTECTED, SAME_IDS, belongings, filled

neighbourhood, house, things = test_callers.neighbourhood, test_callers.house, test_callers.things

OLDER = [name for name in PROTECTED if ".v1." in name]
NOWHERE = "123456789012345678"
"""An id of no organization."""

LIST_USERS = "zitadel.management.v1.ManagementService/ListUsers"
ADD_PROJECT = "zitadel.management.v1.ManagementService/AddProject"
LIST_MEMBERS = "zitadel.management.v1.ManagementService/ListProjectGrantMembers"


def call(name, request, token, org):
    headers = {"authorization": f"Bearer {token}", "x-zitadel-orgid": org}
    return invoke(name, request, RequestMeta(host="localhost", headers=headers))


def test_the_older_api_is_here():
    assert len(OLDER) > 250


@pytest.mark.parametrize("name", PROTECTED)
@pytest.mark.parametrize("caller", ("other org", SAME_IDS))
def test_t03_the_owner_of_one_organization_cannot_act_in_another(neighbourhood, house, things, name, caller):
    token, _ = neighbourhood.tokens[caller]
    before = belongings(house)
    with pytest.raises((NotFound, PermissionDenied)) as foreign:
        call(name, filled(name, things), token, house.org)
    assert belongings(house) == before
    with pytest.raises((NotFound, PermissionDenied)) as missing:
        call(name, filled(name, things), token, NOWHERE)
    assert (type(foreign.value), foreign.value.code) == (type(missing.value), missing.value.code)


@pytest.mark.parametrize("name", OLDER)
def test_t03_nobody_acts_in_an_organization_that_is_not_there(neighbourhood, house, things, name):
    """The owner of the whole instance: neither an id of nothing nor one of another instance."""
    elsewhere = OrgRow.objects.exclude(instance_id=house.instance).values_list("id", flat=True).get()
    before = OrgRow.objects.count()
    for org in (NOWHERE, elsewhere):
        with pytest.raises((NotFound, PermissionDenied)):
            call(name, filled(name, things), house.pat, org)
    assert OrgRow.objects.count() == before


def test_t03_an_empty_header_and_the_own_organization_are_at_home(house):
    id, token = house.machine("home")
    orgs.add_org_member(house.system, org_id=house.org, user_id=id, roles=("ORG_OWNER",))
    request = method(LIST_USERS).request()
    here = call(LIST_USERS, request, token, house.org).result
    assert here and call(LIST_USERS, request, token, "").result == here


def test_t03_a_right_of_another_kind_is_not_enough(house):
    """Whoever may create projects there may not read the users there."""
    org = orgs.add_org(house.system, name="Neighbour").id
    id, token = house.machine("maker")
    orgs.add_org_member(house.system, org_id=org, user_id=id, roles=("ORG_PROJECT_CREATOR",))
    made = call(ADD_PROJECT, method(ADD_PROJECT).request(name="Made there"), token, org)
    assert made.details.resource_owner == org
    with pytest.raises((NotFound, PermissionDenied)):
        call(LIST_USERS, method(LIST_USERS).request(), token, org)


def test_t03_owner_of_the_instance_acts_in_every_organization(house):
    org = orgs.add_org(house.system, name="Neighbour").id
    assert call(ADD_PROJECT, method(ADD_PROJECT).request(name="p"), house.pat, org).details.resource_owner == org


@pytest.mark.parametrize("place", ["giver", "holder"])
def test_t03_an_administrator_of_a_grant_acts_on_both_its_sides(house, things, place):
    holder = orgs.add_org(house.system, name="Holder").id
    elsewhere = orgs.add_org(house.system, name="Third").id
    id, token = house.machine("lender", elsewhere)
    project = things["project_id"]
    _, grant = projects.add_grant(house.system, project_id=project, granted_org_id=holder, roles=("admin",))
    projects.add_grant_member(
        house.system, project_id=project, grant_id=grant, user_id=id, roles=("PROJECT_GRANT_OWNER",)
    )
    request = method(LIST_MEMBERS).request(project_id=project, grant_id=grant)
    org = {"giver": house.org, "holder": holder}[place]
    assert [one.user_id for one in call(LIST_MEMBERS, request, token, org).result] == [id]


def test_t03_public_methods_do_not_look_at_the_header(house):
    for name in registered():
        if method(name).is_public:
            try:
                call(name, method(name).request(), "nothing", NOWHERE)
            except Refusal as refused:
                assert refused.code not in ("org.not_found", "auth.permission_denied")


@pytest.mark.parametrize("second", ["same", "empty"])
def test_the_same_organization_twice_is_one(house, second):
    org = house.org
    header = {"same": f"{org},{org}", "empty": f" {org} , "}[second]
    call(LIST_USERS, method(LIST_USERS).request(), house.pat, header)


@pytest.mark.parametrize("name", [LIST_USERS, ADD_PROJECT, LIST_MEMBERS])
def test_two_organizations_are_refused(house, name):
    for header in (f"{house.org},{NOWHERE}", f"{NOWHERE},{house.org}"):
        with pytest.raises(InvalidInput) as refused:
            call(name, method(name).request(), house.pat, header)
        assert refused.value.code == "auth.orgs_several"
