"""What a removed organization owned is gone: for whoever reads, for commands, and where others held it."""

import importlib
from types import SimpleNamespace

import pytest
from django.db import connection

from eventstore.models import EventRow
from iam.access.models import MembershipRow
from iam.instance import commands as instances
from iam.kernel.errors import FailedPrecondition, NotFound
from iam.vault import wiring
from orgs import commands as orgs
from projections.projection import projection
from projections.rebuild import rebuild
from projects import commands as projects
from projects.domain.grants import UserGrant
from projects.models import ProjectGrantRow, UserGrantRow
from tests.waiting import at_once
from users import commands as users
from users.commands import administrators
from users.models import UserRow

pytestmark = pytest.mark.django_db
ROLES = ("r",)


@pytest.fixture
def other(house):
    """An organization with a user and a project, which it lent to the first one; both authorize each other's users."""
    system = house.system
    org = orgs.add_org(system, name="Other").id
    theirs, ours = house.person("theirs", org=org), house.person("ours")
    bot, _ = house.machine("bot", org=org)
    lent = projects.add_project(system, org_id=org, name="Lent").id
    own = projects.add_project(system, org_id=house.org, name="Own").id
    for id in (lent, own):
        projects.add_role(system, project_id=id, key="r", display_name="r")
    projects.add_grant(system, project_id=lent, granted_org_id=house.org, roles=ROLES)
    give = lambda user, project: projects.add_authorization(
        system, org_id=house.org, user_id=user, project_id=project, roles=ROLES
    )[1]
    return {
        "org": org,
        "theirs": theirs,
        "bot": bot,
        "ours": ours,
        "lent": lent,
        "own": own,
        "through": give(ours, lent),
        "of": give(theirs, own),
    }


def test_authorizations_of_its_users_and_for_its_projects_go_with_it(house, other):
    kept = projects.add_authorization(
        house.system, org_id=house.org, user_id=other["ours"], project_id=other["own"], roles=ROLES
    )
    orgs.remove_org(house.system, org_id=other["org"])
    assert [row.id for row in UserGrantRow.objects.all()] == [kept[1]]


def test_its_users_administer_nothing_elsewhere(house, other):
    system, them = house.system, other["theirs"]
    administrators.add_instance_member(system, user_id=them, roles=("IAM_OWNER_VIEWER",))
    orgs.add_org_member(system, org_id=house.org, user_id=them, roles=("ORG_OWNER",))
    orgs.add_org_member(system, org_id=other["org"], user_id=them, roles=("ORG_OWNER",))
    projects.add_project_member(system, project_id=other["own"], user_id=them, roles=("PROJECT_OWNER",))
    orgs.remove_org(system, org_id=other["org"])
    assert not MembershipRow.objects.filter(user_id=them).exists()


def test_what_was_lent_to_it_is_lent_no_more(house, other):
    """Those whom it authorized through the grant are gone with it, without a fact for each."""
    system, own = house.system, other["own"]
    grant = projects.add_grant(system, project_id=own, granted_org_id=other["org"], roles=ROLES)[1]
    projects.add_grant_member(
        system, project_id=own, grant_id=grant, user_id=other["ours"], roles=("PROJECT_GRANT_OWNER",)
    )
    projects.add_authorization(system, org_id=other["org"], user_id=other["ours"], project_id=own, roles=ROLES)
    before = EventRow.objects.filter(aggregate_type=UserGrant.kind).count()
    orgs.remove_org(system, org_id=other["org"])
    assert EventRow.objects.filter(aggregate_type=UserGrant.kind).count() == before + 1, (
        "that of the project it lent itself"
    )
    assert not UserGrantRow.objects.filter(project_id=own).exists()
    assert not MembershipRow.objects.filter(level="grant").exists()
    with pytest.raises(NotFound):
        projects.change_grant(system, project_id=own, grant_id=grant, roles=ROLES)
    replayed()


def replayed():
    """Whether every table is what the facts say."""
    at_once()
    for name in ("authorizations", "memberships", "projects", "users", "orgs"):
        assert rebuild(wiring.store(), projection(name), swap=False).different == (), name


def test_the_organization_of_the_only_owner_of_the_instance_stays(house, other):
    administrators.add_instance_member(house.system, user_id=other["theirs"], roles=("IAM_OWNER",))
    for row in MembershipRow.objects.filter(level="instance").exclude(user_id=other["theirs"]):
        instances.remove_member(house.system, user_id=row.user_id)
    with pytest.raises(FailedPrecondition):
        orgs.remove_org(house.system, org_id=other["org"])


REFUSED = {
    "a password": lambda ctx, it: users.set_password(ctx, user_id=it["theirs"], password="Correct-Horse-10"),
    "a state": lambda ctx, it: users.deactivate_user(ctx, user_id=it["theirs"]),
    "the end of a user": lambda ctx, it: users.remove_user(ctx, user_id=it["theirs"]),
    "a token": lambda ctx, it: users.add_pat(ctx, user_id=it["bot"]),
    "a role": lambda ctx, it: projects.add_role(ctx, project_id=it["lent"], key="r2", display_name="r"),
    "an authorization of its user": lambda ctx, it: projects.add_authorization(
        ctx, org_id="", user_id=it["theirs"], project_id=it["third"], roles=()
    ),
    "an administrator": lambda ctx, it: projects.add_project_member(
        ctx, project_id=it["own"], user_id=it["theirs"], roles=("PROJECT_OWNER",)
    ),
    "an authorization for its project": lambda ctx, it: projects.add_authorization(
        ctx, org_id="", user_id=it["ours"], project_id=it["lent"], roles=()
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_happens_to_what_it_owned(house, other, name):
    other["third"] = projects.add_project(house.system, org_id=house.org, name="Third").id
    orgs.remove_org(house.system, org_id=other["org"])
    before = EventRow.objects.count()
    with pytest.raises(NotFound):
        REFUSED[name](house.system, other)
    assert EventRow.objects.count() == before


def test_a_replay_finds_the_same(house, other):
    orgs.remove_org(house.system, org_id=other["org"])
    replayed()


def test_set_up_clears_away_what_was_left_before(house, other):
    system, own = house.system, other["own"]
    grant = projects.add_grant(system, project_id=own, granted_org_id=other["org"], roles=ROLES)[1]
    projects.add_grant_member(
        system, project_id=own, grant_id=grant, user_id=other["ours"], roles=("PROJECT_GRANT_OWNER",)
    )
    UserRow.objects.filter(id=other["theirs"]).delete()
    UserGrantRow.objects.update(user_display_name="copied before")
    left = importlib.import_module("projects.migrations.0010_what_was_left_behind")

    def cleared():
        with connection.cursor() as cursor:
            for operation in left.Migration.operations[:2]:
                cursor.execute(operation.sql)
        at_once()
        left.copy(None, SimpleNamespace(connection=connection))
        held = [(row.id, row.user_display_name) for row in UserGrantRow.objects.all()]
        return held, MembershipRow.objects.filter(level="grant").count()

    assert cleared() == ([(other["through"], "Gigi Giraffe")], 1)
    ProjectGrantRow.objects.filter(id=grant).delete()
    assert cleared() == ([(other["through"], "Gigi Giraffe")], 0)
