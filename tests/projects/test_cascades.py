"""What is removed below is removed in every stream above, in the same push."""

import pytest

from eventstore.verify import verify_log
from iam.instance import commands as instance
from iam.kernel.errors import FailedPrecondition
from orgs import commands as orgs
from projects import commands as projects
from projects.domain.grants import UserGrant
from projects.domain.project import Project
from users import commands as users


@pytest.fixture
def shop(house):
    """A project with two roles, lent to another organization, and two people who hold them."""
    ctx = house.system
    project = projects.add_project(ctx, org_id=house.org, name="shop").id
    for key in ("read", "write"):
        projects.add_role(ctx, project_id=project, key=key)
    other = orgs.add_org(ctx, name="other").id
    _, grant = projects.add_grant(ctx, project_id=project, granted_org_id=other, roles=("read", "write"))
    gigi, hugo = house.person("gigi"), house.person("hugo", org=other)
    give = {"project_id": project, "roles": ("read", "write")}
    _, own = projects.add_authorization(ctx, org_id=house.org, user_id=gigi, **give)
    _, lent = projects.add_authorization(ctx, org_id=other, user_id=hugo, **give)
    return {"project": project, "grant": grant, "gigi": gigi, "hugo": hugo, "own": own, "lent": lent, "other": other}


def facts_of(house, kind, id):
    ctx = house.system
    return [recorded.fact for recorded in ctx.store.read(ctx.stream(kind.kind, id))]


def last(house, id):
    return facts_of(house, UserGrant, id)[-1].stored_name


def test_a_removed_user_loses_authorizations_and_rights_in_their_streams(house, shop):
    ctx, gigi = house.system, shop["gigi"]
    instance.add_member(ctx, user_id=gigi, roles=("IAM_OWNER",))
    orgs.add_org_member(ctx, org_id=house.org, user_id=gigi, roles=("ORG_OWNER",))
    projects.add_project_member(ctx, project_id=shop["project"], user_id=gigi, roles=("PROJECT_OWNER",))
    projects.add_grant_member(
        ctx, project_id=shop["project"], grant_id=shop["grant"], user_id=gigi, roles=("PROJECT_GRANT_OWNER",)
    )
    users.remove_user(ctx, user_id=gigi)
    assert last(house, shop["own"]) == "user.grant.cascade.removed"
    assert last(house, shop["lent"]) == "user.grant.added"
    told = [fact.stored_name for fact in facts_of(house, Project, shop["project"])]
    assert {"project.member.cascade.removed", "project.grant.member.cascade.removed"} <= {*told}
    for kind, id in (("org", house.org), ("instance", house.instance)):
        assert ctx.store.read(ctx.stream(kind, id))[-1].fact.stored_name == f"{kind}.member.cascade.removed"
    assert verify_log().problem == ""


def test_the_last_owner_of_the_instance_cannot_be_removed_as_a_user(house):
    owners = [house.owner.caller.user_id, house.admin]
    users.remove_user(house.system, user_id=owners[0])
    with pytest.raises(FailedPrecondition, match=r"member\.last_owner"):
        users.remove_user(house.system, user_id=owners[1])


def test_a_removed_owner_does_not_count_as_the_one_who_stays(house, shop):
    ctx = house.system
    instance.add_member(ctx, user_id=shop["gigi"], roles=("IAM_OWNER",))
    users.remove_user(ctx, user_id=shop["gigi"])
    instance.remove_member(ctx, user_id=house.owner.caller.user_id)
    with pytest.raises(FailedPrecondition, match=r"member\.last_owner"):
        instance.remove_member(ctx, user_id=house.admin)


def test_a_removed_role_leaves_grants_and_authorizations(house, shop):
    projects.remove_role(house.system, project_id=shop["project"], key="write")
    for id in (shop["own"], shop["lent"]):
        fact = facts_of(house, UserGrant, id)[-1]
        assert (fact.stored_name, fact.role_keys) == ("user.grant.cascade.changed", ("read",))
    names = [fact.stored_name for fact in facts_of(house, Project, shop["project"])]
    assert "project.grant.cascade.changed" in names
    projects.add_role(house.system, project_id=shop["project"], key="write")
    projects.change_authorization(house.system, authorization_id=shop["own"], roles=("read", "write"))
    assert last(house, shop["own"]) == "user.grant.changed"


def test_a_smaller_grant_shrinks_what_was_given_through_it(house, shop):
    projects.change_grant(house.system, project_id=shop["project"], grant_id=shop["grant"], roles=("read",))
    assert last(house, shop["lent"]) == "user.grant.cascade.changed"
    assert last(house, shop["own"]) == "user.grant.added"
    projects.remove_grant(house.system, project_id=shop["project"], grant_id=shop["grant"])
    assert last(house, shop["lent"]) == "user.grant.cascade.removed"


def test_a_removed_project_takes_all_authorizations_in_few_statements(house, shop, django_assert_max_num_queries):
    ctx = house.system
    made = []
    for number in range(30):
        user = users.add_machine(ctx, org_id=house.org, user_name=f"m{number}", name="m").id
        made.append(
            projects.add_authorization(
                ctx, org_id=house.org, user_id=user, project_id=shop["project"], roles=("read",)
            )[1]
        )
    with django_assert_max_num_queries(90):  # one row of the read table each, one claim each; nothing read singly
        projects.remove_project(ctx, project_id=shop["project"])
    assert {last(house, id) for id in made} == {"user.grant.cascade.removed"}
