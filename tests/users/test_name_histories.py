"""Random histories of names in three organizations: whoever could sign in by a name still can, or has caused it: oneself,
or the owner of one's own organization (checklist T12, U03). A failure shrinks to its core."""

import os

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from iam.instance import setting_commands
from iam.kernel.change import change
from iam.kernel.errors import Refusal
from iam.vault import wiring
from orgs import commands as orgs
from orgs.settings import of_org
from projections.projection import projection
from projections.rebuild import rebuild
from users import commands as users
from users.domain.profile import Profile
from users.domain.user import User
from users.models import UserRow
from users.queries import find_user_by_login

EXAMPLES = int(os.environ.get("EXAMPLES", "5"))
DOMAINS = ("d.example",)
LOCALS = ("a", "b")
FULL = ("a@d.example", "b@d.example")
NUMBERS = ("+41791234567",)
NAMES = (*LOCALS, *FULL, *NUMBERS)
PICK = st.integers(0, 3)
ORG = st.integers(0, 2)


class Undone(Exception):
    """Ends an example's transaction."""


class Histories(RuleBasedStateMachine):
    """Owners and people do what they may, in their own organization only."""

    house = None

    def __init__(self):
        super().__init__()
        self.ctx = self.house.system
        self.frame = transaction.atomic()
        self.frame.__enter__()
        self.orgs = [orgs.add_org(self.ctx, name=name).id for name in ("One", "Two", "Three")]
        for org, name in zip(self.orgs, ("a", "b", "c"), strict=True):
            users.add_human(self.ctx, org_id=org, user_name=name, profile=Profile("P", "Q"), email="x@y.example")

    def teardown(self):
        try:
            for name in ("users", "orgs"):
                assert rebuild(wiring.store(), projection(name), swap=False).different == (), name
        finally:
            self.frame.__exit__(Undone, Undone(), None)
            wiring.store().persons._kept.clear()

    def leads(self):
        """(name, organization of the request) → user and organization."""
        found = {}
        for name in NAMES:
            for org in ("", self.orgs[0]):
                if row := find_user_by_login(self.ctx.instance, name, org_id=org):
                    found[name, org] = (row.id, row.org_id)
        return found

    def acts(self, work, *, org="", user=""):
        """What somebody does; refusals are part of the life. Only names of the one who acts may lead elsewhere."""
        before = self.leads()
        try:
            with transaction.atomic():
                work()
        except Refusal:
            assert self.leads() == before
            return
        after = self.leads()
        for asked, (id, home) in before.items():
            if id != user and home != org:
                assert after.get(asked) == (id, home), (asked, id, home, after.get(asked))

    def people(self, org=""):
        rows = UserRow.objects.filter(org_id__in=[org] if org else self.orgs).order_by("id")
        return list(rows)

    def somebody(self, pick, org=""):
        found = self.people(org)
        return found[pick % len(found)] if found else None

    @rule(org=ORG, name=st.sampled_from(NAMES), machine=st.booleans(), mail=st.sampled_from(FULL), proved=st.booleans())
    def owner_adds_a_user(self, org, name, machine, mail, proved):
        home = self.orgs[org]
        human = lambda: users.add_human(
            self.ctx, org_id=home, user_name=name, profile=Profile("P", "Q"), email=mail, email_verified=proved
        )
        robot = lambda: users.add_machine(self.ctx, org_id=home, user_name=name, name="x")
        self.acts(robot if machine else human, org=home)

    @rule(org=ORG, pick=PICK, name=st.sampled_from(NAMES))
    def owner_renames(self, org, pick, name):
        if row := self.somebody(pick, self.orgs[org]):
            self.acts(lambda: users.rename_user(self.ctx, user_id=row.id, user_name=name), org=row.org_id)

    @rule(org=ORG, pick=PICK)
    def owner_removes_a_user(self, org, pick):
        if row := self.somebody(pick, self.orgs[org]):
            self.acts(lambda: users.remove_user(self.ctx, user_id=row.id), org=row.org_id)

    @rule(org=ORG, pick=PICK, mail=st.sampled_from(FULL), number=st.sampled_from(NUMBERS))
    def owner_calls_addresses_proved(self, org, pick, mail, number):
        if row := self.somebody(pick, self.orgs[org]):
            self.acts(lambda: users.change_email(self.ctx, user_id=row.id, email=mail, verified=True), org=row.org_id)
            self.acts(lambda: users.change_phone(self.ctx, user_id=row.id, phone=number, verified=True), org=row.org_id)

    @rule(
        org=ORG,
        domain=st.sampled_from(DOMAINS),
        verb=st.sampled_from(["add_org_domain"] * 3 + ["set_primary_domain", "remove_org_domain"]),
    )
    def owner_turns_a_domain(self, org, domain, verb):
        home = self.orgs[org]
        self.acts(lambda: getattr(orgs, verb)(self.ctx, org_id=home, domain=domain), org=home)

    @rule(org=ORG, name=st.sampled_from(["One", "Two", "Three", "d.example"]))
    def owner_renames_the_organization(self, org, name):
        home = self.orgs[org]
        self.acts(lambda: orgs.rename_org(self.ctx, org_id=home, name=name), org=home)

    @rule(
        org=ORG,
        kind=st.sampled_from(
            [("domain", "user_login_must_be_domain"), ("organization", "organization_scoped_usernames")]
        ),
        on=st.booleans(),
    )
    def policy_of_one_organization(self, org, kind, on):
        home, (name, value) = self.orgs[org], kind
        place = of_org(home, name)
        keep = lambda: setting_commands.keep_setting(self.ctx, place, kind=name, values={value: on})
        self.acts(keep, org=home)

    @rule(org=ORG)
    def policy_falls_back(self, org):
        home = self.orgs[org]
        self.acts(lambda: setting_commands.reset_setting(self.ctx, of_org(home, "domain"), kind="domain"), org=home)

    @rule(pick=PICK, name=st.sampled_from(NAMES))
    def person_renames_oneself(self, pick, name):
        if row := self.somebody(pick):
            self.acts(lambda: users.rename_user(self.ctx, user_id=row.id, user_name=name), user=row.id)

    @rule(pick=PICK, mail=st.sampled_from(FULL))
    def person_changes_and_proves_the_address(self, pick, mail):
        if row := self.somebody(pick):
            self.acts(lambda: users.change_email(self.ctx, user_id=row.id, email=mail), user=row.id)
            self.acts(lambda: change(self.ctx, User, row.id, User.prove_email, needs=""), user=row.id)

    @rule(pick=PICK)
    def person_goes(self, pick):
        if row := self.somebody(pick):
            self.acts(lambda: users.remove_user(self.ctx, user_id=row.id), user=row.id)


def test_t12_u03_nobody_loses_a_name_by_the_act_of_another(house):
    class OfThisHouse(Histories):
        pass

    OfThisHouse.house = house
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    OfThisHouse.TestCase.settings = chosen
    case = OfThisHouse.TestCase()
    case.runTest()
