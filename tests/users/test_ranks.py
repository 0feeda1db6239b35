"""Who may change whom (checklist T06, E10): every method that changes another user, by every rank over every rank; and the
last human owner of an instance, at every door."""

from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product

import pytest
from django.db import transaction

from iam.access.caller import RequestMeta
from iam.access.models import MembershipRow
from iam.api import rates
from iam.api.methods import invoke, method, registered
from iam.instance import commands as instances
from iam.kernel.context import Caller
from iam.kernel.errors import FailedPrecondition, PermissionDenied, Refusal
from iam.vault import wiring
from orgs import commands as orgs
from orgs.domain.org import OrgState
from orgs.models import OrgRow
from tests.api.test_callers import call, filled, is_of
from tests.conftest import House, made_house
from users import commands as users
from users import owners
from users.domain.profile import Profile
from users.domain.states import UserState
from users.models import MachineKeyRow, PatRow, UserRow
from users.owners import OWNER

INSTANCE_ROLES = ("IAM_OWNER", "IAM_ORG_MANAGER", "IAM_USER_MANAGER")
RANKS = ("nothing", "ORG_USER_MANAGER", "ORG_OWNER", "IAM_USER_MANAGER", "IAM_ORG_MANAGER", "IAM_OWNER")
MAY_CHANGE = {
    "ORG_USER_MANAGER": {"nothing", "ORG_USER_MANAGER"},
    "ORG_OWNER": {"nothing", "ORG_USER_MANAGER", "ORG_OWNER"},
    "IAM_USER_MANAGER": {"nothing", "IAM_USER_MANAGER"},  # who reads no policies, as ORG_USER_MANAGER does
    "IAM_ORG_MANAGER": {"nothing", "ORG_USER_MANAGER", "ORG_OWNER", "IAM_USER_MANAGER", "IAM_ORG_MANAGER"},
    "IAM_OWNER": set(RANKS),
}
"""Whose state, name and credentials each may change: those who hold nothing that they lack."""
KINDS = ("human", "machine")
STATES = ("active", "inactive", "locked")
CALLS = sorted(name for name in registered() if not method(name).is_public and not name.startswith("zitadel.auth.v1."))
NAMES_NOTHING = {"project_id": "none", "application_id": "none", "app_id": "none", "grant_id": "none"}
HARMLESS = ("HumanMFAInitSkipped",)
"""Says of a person that something was put off, and takes nothing away: a login of one's own notes it of everybody."""


@dataclass(frozen=True)
class Ranks:
    """An instance with a caller of every rank, and a target of every rank, kind and state."""

    house: House
    tokens: dict[str, str]
    callers: dict[str, str]
    targets: dict[tuple[str, str, str], str]


def promote(house, user_id, role):
    if role in INSTANCE_ROLES:
        instances.add_member(house.system, user_id=user_id, roles=(role,))
    elif role != "nothing":
        orgs.add_org_member(house.system, org_id=house.org, user_id=user_id, roles=(role,))


def target(house, rank, kind, state):
    name = f"{rank}-{kind}-{state}".lower().replace("_", "-")
    if kind == "human":
        id = users.add_human(
            house.system,
            org_id=house.org,
            user_name=name,
            profile=Profile("Gigi", "Giraffe"),
            email=f"{name}@example.com",
            phone=f"+4179{abs(hash(name)) % 10**7:07d}",
        ).id
    else:
        id = house.machine(name)[0]
        users.add_machine_key(house.system, user_id=id)
        users.set_machine_secret(house.system, user_id=id)
    users.set_user_metadata(house.system, user_id=id, values={"admin": b"v"})
    promote(house, id, rank)
    stop = {"inactive": users.deactivate_user, "locked": users.lock_user}.get(state)
    if stop:
        stop(house.system, user_id=id)
    return id


@pytest.fixture(scope="module")
def ranks(django_db_setup, django_db_blocker, tmp_path_factory):
    """Made once, in a transaction that ends with the module; every test gives back what it changes."""
    with django_db_blocker.unblock(), transaction.atomic():
        house = made_house(tmp_path_factory.mktemp("house"))
        callers, tokens = {}, {}
        for rank in MAY_CHANGE:
            callers[rank], tokens[rank] = house.machine(f"caller-{rank.lower().replace('_', '-')}")
            promote(house, callers[rank], rank)
        targets = {
            (rank, kind, state): target(house, rank, kind, state)
            for rank in RANKS
            for kind in KINDS
            for state in STATES
        }
        yield Ranks(house, tokens, callers, targets)
        transaction.set_rollback(True)


@pytest.fixture
def house(ranks, db):
    yield ranks.house
    wiring.envelope().forget()
    wiring.store().persons._kept.clear()
    rates.forget()


def request_about(house, name, user_id):
    """A request about a user and what the user has."""
    pats = PatRow.objects.filter(user_id=user_id).values_list("id", flat=True)
    keys = MachineKeyRow.objects.filter(user_id=user_id).values_list("id", flat=True)
    things = {"user_id": user_id, "organization_id": house.org, "org_id": house.org, "key": "admin"}
    things |= {"token_id": next(iter(pats), "none"), "key_id": next(iter(keys), "none")}
    things |= {"pat_id": next(iter(pats), "none"), "id": user_id, **NAMES_NOTHING}
    return filled(name, things)


def length(house, user_id):
    return len(house.system.store.read(house.system.stream("user", user_id)))


def changed(house, name, user_id, token):
    """Whether the call changed the user; the refusal, if there was one. Nothing of it stays."""
    before = length(house, user_id)
    refusal = None
    with transaction.atomic():
        try:
            call(name, request_about(house, name, user_id), token)
        except Refusal as refused:
            refusal = refused
        after = length(house, user_id)
        transaction.set_rollback(True)
    wiring.envelope().forget()
    wiring.store().persons._kept.clear()
    rates.forget()
    return after != before, refusal


def names_user(name):
    fields = method(name).request.DESCRIPTOR.fields_by_name
    return "user_id" in fields or ("id" in fields and is_of("User", name))


@pytest.fixture(scope="module")
def changing(ranks):
    """Every method that changes a user, with a kind and a state in which it does: found by trying all methods on all."""
    first: dict[tuple[str, str], str] = {}
    for name, kind, state in product(CALLS, KINDS, STATES):
        user_id = ranks.targets["nothing", kind, state]
        if (
            names_user(name)
            and (name, kind) not in first
            and changed(ranks.house, name, user_id, ranks.tokens["IAM_OWNER"])[0]
        ):
            first[name, kind] = state
    return [(name, kind, state) for (name, kind), state in first.items()]


def test_every_kind_of_change_is_tried(house, changing):
    names = {name.rpartition("/")[2] for name, _, _ in changing}
    assert {
        "AddKey",
        "AddPersonalAccessToken",
        "AddSecret",
        "SetPassword",
        "SetEmail",
        "SetPhone",
        "UpdateUser",
    } <= names
    assert {"UpdateUserName", "DeactivateUser", "LockUser", "UnlockUser", "ReactivateUser", "DeleteUser"} <= names
    assert {"RemoveKey", "RemovePersonalAccessToken", "RemoveSecret", "SetUserMetadata", "UpdateMachine"} <= names


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("caller", MAY_CHANGE)
def test_t06_e10_nobody_changes_who_holds_more(ranks, house, changing, caller, rank):
    for name, kind, state in changing:
        has_changed, refusal = changed(house, name, ranks.targets[rank, kind, state], ranks.tokens[caller])
        if rank in MAY_CHANGE[caller]:
            assert "ranks_higher" not in str(refusal), (name, kind, state)
        elif not name.endswith(HARMLESS):
            assert not has_changed, (name, kind, state)
            assert refusal is not None, (name, kind, state)


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("caller", ["ORG_OWNER", "IAM_ORG_MANAGER", "IAM_OWNER"])
@pytest.mark.parametrize("stop", [orgs.deactivate_org, orgs.remove_org])
def test_t06_e10_nobody_stops_an_organization_in_which_somebody_holds_more(house, stop, caller, rank):
    org = orgs.add_org(house.system, name="Stopped").id
    id, token = house.machine("stopper", org)
    inhabitant = house.machine("inhabitant", org)[0]
    for user_id, role in ((id, caller), (inhabitant, rank)):
        if role in INSTANCE_ROLES:
            instances.add_member(house.system, user_id=user_id, roles=(role,))
        elif role != "nothing":
            orgs.add_org_member(house.system, org_id=org, user_id=user_id, roles=(role,))
    if rank in MAY_CHANGE[caller]:
        stop(house.as_token(token), org_id=org)
    else:
        with pytest.raises(PermissionDenied, match=r"user\.ranks_higher"):
            stop(house.as_token(token), org_id=org)
    assert (OrgRow.objects.filter(id=org, state=OrgState.ACTIVE).count() == 0) == (rank in MAY_CHANGE[caller])


@pytest.fixture
def last_owner(ranks, house):
    """The only person who owns the instance, in an organization of its own beside that of the console."""
    org = orgs.add_org(house.system, name="Owners").id
    person = house.person("last-owner", org=org)
    instances.add_member(house.system, user_id=person, roles=("IAM_OWNER",))
    for (rank, kind, _), id in ranks.targets.items():
        if (rank, kind) == ("IAM_OWNER", "human"):
            instances.remove_member(house.system, user_id=id)
    instances.remove_member(house.system, user_id=house.admin)
    return person, org


def governs(house, person, org):
    """Whether the person can sign in under the name they know and owns the instance."""
    row = UserRow.objects.filter(id=person).first()
    membership = MembershipRow.objects.filter(user_id=person, level="instance", resource_id=house.instance).first()
    is_open = OrgRow.objects.filter(id=org, state=OrgState.ACTIVE).exists()
    return (
        is_open
        and bool(row and membership)
        and (row.state, row.user_name) == (1, "last-owner")
        and OWNER in membership.roles
    )


@pytest.mark.parametrize("roles", [("IAM_OWNER_VIEWER",), ("IAM_ORG_MANAGER", "IAM_USER_MANAGER")])
def test_e10_the_last_human_owner_stays_whatever_is_called(ranks, house, last_owner, roles):
    person, org = last_owner
    things = {"user_id": person, "id": person, "organization_id": org, "org_id": org, **NAMES_NOTHING}
    refusals = set()
    for name in CALLS:
        request = filled(name, things)
        if "roles" in request.DESCRIPTOR.fields_by_name:
            del request.roles[:]
            with suppress(TypeError):
                request.roles.extend(roles)
        if "resource" in request.DESCRIPTOR.fields_by_name:
            request.resource.Clear()
            request.resource.instance = True
        headers = {"authorization": f"Bearer {ranks.tokens['IAM_OWNER']}", "x-zitadel-orgid": org}
        with transaction.atomic():
            try:
                invoke(name, request, RequestMeta(host="localhost", headers=headers))
            except Refusal as refused:
                refusals |= {name.rpartition("/")[2]} if refused.code == "member.last_owner" else set()
            assert governs(house, person, org), name
            transaction.set_rollback(True)
        wiring.envelope().forget()
        wiring.store().persons._kept.clear()
        rates.forget()
    assert {"DeactivateUser", "LockUser", "DeleteUser", "RemoveUser", "UpdateUserName", "UpdateUser"} <= refusals
    assert {"DeleteAdministrator", "UpdateAdministrator", "RemoveIAMMember", "UpdateIAMMember"} <= refusals
    assert {"DeactivateOrganization", "DeleteOrganization", "DeactivateOrg", "RemoveOrg"} <= refusals


@pytest.mark.parametrize("door", ["remove_own_user", "erase_user", "remove_member"])
def test_e10_the_last_human_owner_cannot_leave_either(house, last_owner, door):
    person, _ = last_owner
    oneself = replace(house.system, caller=Caller(user_id=person, kind="human"))
    leave = {
        "remove_own_user": lambda: users.remove_own_user(oneself),
        "erase_user": lambda: users.erase_user(house.system, user_id=person),
        "remove_member": lambda: instances.remove_member(oneself, user_id=person),
    }
    with pytest.raises(FailedPrecondition, match=r"member\.last_owner"):
        leave[door]()
    users.rename_user(oneself, user_id=person, user_name="own-new-name")


def test_e10_once_another_person_owns_the_instance_the_first_may_go(house, last_owner):
    person, org = last_owner
    for stop in (users.deactivate_user, users.lock_user):
        other = house.person(f"second-{stop.__name__.replace('_', '-')}")
        instances.add_member(house.system, user_id=other, roles=("IAM_OWNER",))
        stop(house.system, user_id=other)
        with pytest.raises(FailedPrecondition, match=r"member\.last_owner"):
            users.remove_user(house.system, user_id=person)
    instances.add_member(house.system, user_id=house.admin, roles=("IAM_OWNER",))
    orgs.deactivate_org(house.system, org_id=org)
    orgs.reactivate_org(house.system, org_id=org)
    users.remove_user(house.system, user_id=person)


@pytest.mark.parametrize("stop", [users.deactivate_user, users.lock_user, users.remove_user])
def test_e10_two_owners_cannot_stop_each_other_at_once(house, last_owner, monkeypatch, stop):
    first, _ = last_owner
    second = house.person("second-owner")
    instances.add_member(house.system, user_id=second, roles=("IAM_OWNER",))
    check, waiting = owners._can_act, [first]

    def meanwhile(unit, user_id):
        """After the other owner was looked at, that one is stopped by the other."""
        could = check(unit, user_id)
        if waiting:
            stop(house.system, user_id=waiting.pop())
        return could

    monkeypatch.setattr(owners, "_can_act", meanwhile)
    with pytest.raises(FailedPrecondition, match=r"member\.last_owner"):
        stop(house.system, user_id=second)
    assert UserRow.objects.get(id=second).state == UserState.ACTIVE
