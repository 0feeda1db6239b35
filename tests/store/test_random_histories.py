"""Random commands in one process: rebuilt tables equal the live ones, whatever happened, and no row refers to what is gone.
A failure shrinks to its core."""

import os
from functools import partial

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from eventstore.verify import verify_log
from iam.access.models import MembershipRow
from iam.kernel.errors import Refusal
from iam.vault import wiring
from orgs import commands as orgs
from orgs.models import OrgDomainRow, OrgRow
from projections.projection import IMMEDIATE, projections
from projections.rebuild import rebuild
from projects import commands as projects
from projects.models import AppRow, ProjectGrantRow, ProjectRow, RoleRow, UserGrantRow
from users import commands as users
from users.commands import administrators
from users.domain.profile import Profile
from users.models import PatRow, UserMetadataRow, UserRow

WORDS = st.sampled_from(["a", "b", "c", "admin", "Ünï", "x y"])
PICK = st.integers(0, 5)
EXAMPLES = int(os.environ.get("EXAMPLES", "15"))


class Undone(Exception):
    """Ends an example's transaction."""


class Histories(RuleBasedStateMachine):
    """Users, organizations, projects, roles, grants, authorizations, members; refusals are part of the life."""

    house = None

    def __init__(self):
        super().__init__()
        self.ctx = self.house.system
        self.orgs, self.users, self.projects = [self.house.org], [self.house.admin], []
        self.frame = transaction.atomic()
        self.frame.__enter__()

    def teardown(self):
        try:
            self.must_replay_alike()
            must_refer_to_what_there_is()
        finally:
            self.frame.__exit__(Undone, Undone(), None)
            wiring.store().persons._kept.clear()

    def tried(self, work):
        """A refusal changes nothing; the transaction around it is a savepoint, as the request's own is."""
        try:
            return work()
        except Refusal:
            return None

    def of(self, things, pick):
        return things[pick % len(things)]

    @rule(name=WORDS)
    def add_org(self, name):
        if made := self.tried(lambda: orgs.add_org(self.ctx, name=name)):
            self.orgs.append(made.id)

    @rule(name=WORDS, org=PICK, machine=st.booleans())
    def add_user(self, name, org, machine):
        home = self.of(self.orgs, org)
        profile = Profile("G", name)
        human = lambda: users.add_human(self.ctx, org_id=home, user_name=name, profile=profile, email="a@b.example")
        robot = lambda: users.add_machine(self.ctx, org_id=home, user_name=name, name=name)
        if made := self.tried(robot if machine else human):
            self.users.append(made.id)

    @rule(name=WORDS, org=PICK)
    def add_project(self, name, org):
        if made := self.tried(lambda: projects.add_project(self.ctx, org_id=self.of(self.orgs, org), name=name)):
            self.projects.append(made.id)

    @rule(user=PICK, verb=st.sampled_from(["deactivate", "reactivate", "lock", "unlock", "remove"]))
    def turn_user(self, user, verb):
        self.tried(lambda: getattr(users, f"{verb}_user")(self.ctx, user_id=self.of(self.users, user)))

    @rule(user=PICK, name=WORDS)
    def rename_user(self, user, name):
        self.tried(lambda: users.rename_user(self.ctx, user_id=self.of(self.users, user), user_name=name))

    @rule(user=PICK)
    def add_credentials(self, user):
        id = self.of(self.users, user)
        self.tried(lambda: users.add_pat(self.ctx, user_id=id))
        self.tried(lambda: users.set_user_metadata(self.ctx, user_id=id, values={"k": b"v"}))

    @rule(org=PICK, verb=st.sampled_from(["deactivate", "reactivate", "remove"]))
    def turn_org(self, org, verb):
        self.tried(lambda: getattr(orgs, f"{verb}_org")(self.ctx, org_id=self.of(self.orgs, org)))

    @rule(org=PICK, user=PICK)
    def add_org_member(self, org, user):
        ids = {"org_id": self.of(self.orgs, org), "user_id": self.of(self.users, user)}
        self.tried(lambda: administrators.add_org_member(self.ctx, **ids, roles=("ORG_OWNER",)))

    @precondition(lambda self: self.projects)
    @rule(project=PICK, key=WORDS, gone=st.booleans())
    def roles(self, project, key, gone):
        act = projects.remove_role if gone else projects.add_role
        self.tried(lambda: act(self.ctx, project_id=self.of(self.projects, project), key=key))

    @precondition(lambda self: self.projects)
    @rule(project=PICK, org=PICK, key=WORDS)
    def grant(self, project, org, key):
        ids = {"project_id": self.of(self.projects, project), "granted_org_id": self.of(self.orgs, org)}
        self.tried(lambda: projects.add_grant(self.ctx, **ids, roles=(key,)))

    @precondition(lambda self: self.projects)
    @rule(project=PICK, org=PICK, key=WORDS, gone=st.booleans())
    def lend_otherwise(self, project, org, key, gone):
        id = self.of(self.projects, project)
        for grant in ProjectGrantRow.objects.filter(project_id=id, granted_org_id=self.of(self.orgs, org)):
            ids = {"project_id": id, "grant_id": grant.id}
            act = partial(projects.remove_grant, **ids) if gone else partial(projects.change_grant, **ids, roles=(key,))
            self.tried(partial(act, self.ctx))

    @rule(user=PICK)
    def add_instance_member(self, user):
        self.tried(
            lambda: administrators.add_instance_member(
                self.ctx, user_id=self.of(self.users, user), roles=("IAM_OWNER",)
            )
        )

    @precondition(lambda self: self.projects)
    @rule(project=PICK, user=PICK, lent=st.booleans())
    def add_project_member(self, project, user, lent):
        ids = {"project_id": self.of(self.projects, project), "user_id": self.of(self.users, user)}
        self.tried(lambda: projects.add_project_member(self.ctx, **ids, roles=("PROJECT_OWNER",)))
        for grant in ProjectGrantRow.objects.filter(project_id=ids["project_id"]) if lent else ():
            of_grant = {"grant_id": grant.id, "roles": ("PROJECT_GRANT_OWNER",)}
            self.tried(partial(projects.add_grant_member, self.ctx, **ids, **of_grant))

    @precondition(lambda self: self.projects)
    @rule(project=PICK, user=PICK, org=PICK, key=WORDS)
    def authorize(self, project, user, org, key):
        ids = {"project_id": self.of(self.projects, project), "user_id": self.of(self.users, user)}
        home = self.of(self.orgs, org)
        self.tried(lambda: projects.add_authorization(self.ctx, org_id=home, **ids, roles=(key,)))

    @precondition(lambda self: self.projects)
    @rule(project=PICK, name=WORDS)
    def add_app(self, project, name):
        self.tried(lambda: projects.add_api_app(self.ctx, project_id=self.of(self.projects, project), name=name))

    @precondition(lambda self: self.projects)
    @rule(project=PICK, verb=st.sampled_from(["deactivate", "reactivate", "remove"]))
    def turn_project(self, project, verb):
        self.tried(lambda: getattr(projects, f"{verb}_project")(self.ctx, project_id=self.of(self.projects, project)))

    def must_replay_alike(self):
        for one in projections(IMMEDIATE):
            assert rebuild(wiring.store(), one, swap=False).different == (), one.name
        assert verify_log().problem == ""


REFERENCES = {
    OrgRow: {
        "org_id": (UserRow, OrgDomainRow, ProjectRow, UserGrantRow),
        "granted_org_id": (ProjectGrantRow,),
        "user_org_id": (UserGrantRow,),
    },
    UserRow: {"user_id": (UserMetadataRow, PatRow, MembershipRow, UserGrantRow)},
    ProjectRow: {"project_id": (RoleRow, AppRow, ProjectGrantRow, UserGrantRow, MembershipRow)},
    ProjectGrantRow: {"grant_id": (UserGrantRow,)},
}
"""Whose id stands in which column of which tables."""
LEVELS = {"org": OrgRow, "project": ProjectRow, "grant": ProjectGrantRow}


def must_refer_to_what_there_is():
    for there, columns in REFERENCES.items():
        known = {"", *there.objects.values_list("id", flat=True)}
        for column, tables in columns.items():
            for table in tables:
                assert set(table.objects.values_list(column, flat=True)) <= known, (table.__name__, column)
    for level, there in LEVELS.items():
        held = MembershipRow.objects.filter(level=level).values_list("resource_id", flat=True)
        assert set(held) <= set(there.objects.values_list("id", flat=True)), level
    roles = {(row.project_id, row.key) for row in RoleRow.objects.all()}
    lent = {row.id: set(row.roles) for row in ProjectGrantRow.objects.all()}
    for row in (*ProjectGrantRow.objects.all(), *UserGrantRow.objects.all()):
        assert {(row.project_id, role) for role in row.roles} <= roles, row
    for row in UserGrantRow.objects.exclude(grant_id=""):
        assert set(row.roles) <= lent[row.grant_id], row


def test_rebuilt_tables_equal_live_ones_after_any_history(house):
    made = type("OfHouse", (Histories,), {"house": house})
    from hypothesis.stateful import run_state_machine_as_test

    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    run_state_machine_as_test(
        made,
        settings=settings(max_examples=EXAMPLES, stateful_step_count=30, deadline=None, suppress_health_check=checks),
    )
