"""Checks of passwords are records of use, whatever policy is set, and a lockout counts them at every door (checklist P03)."""

import io
from dataclasses import replace

import pytest
from django.core.management import call_command

from eventstore.events import Activity, declared_events
from eventstore.models import ActivityRow, EventRow
from eventstore.store import Write
from iam.actions.following import Webhooks
from iam.actions.models import Delivery
from iam.instance import commands as instances
from iam.instance import setting_commands as settings
from iam.kernel.change import change
from iam.kernel.context import Caller
from iam.kernel.errors import FailedPrecondition, Refusal, WrongCredentials
from orgs.settings import of_org
from projections.projection import projection
from tests.actions.conftest import lets_in, on, post, target  # noqa: F401 - fixtures
from tests.conftest import Api
from tests.login.test_login import sign_in
from tests.oidc.support import make_flow
from tests.users.test_sessions_api import create, login_client  # noqa: F401 - a fixture
from users import commands as users
from users.commands.sessions import must_know_password
from users.domain.events import PasswordCheckFailed, PasswordCheckSucceeded
from users.domain.user import User
from users.models import AttemptRow, FailedCheckRow, UserRow

PASSWORD, NEW = "Correct-Horse-9", "Other-Horse-1"
LOCKED = 4
CHECKS = ("user.human.password.check.failed", "user.human.password.check.succeeded")


@pytest.fixture
def flow(house, web):
    return make_flow(house, web)


def lockout(house, most, *, owner="instance", shows=True):
    values = {"max_password_attempts": most, "show_lock_out_failures": shows}
    if owner == "instance":
        settings.change_setting(house.system, settings.of_instance(house.system), kind="lockout", values=values)
    else:
        settings.add_setting(house.system, of_org(house.org, "lockout"), kind="lockout", values=values)


class Doors:
    """Where a password is proved; each answers whether it was right."""

    def __init__(self, flow, client):
        self.flow, self.client, self.admin = flow, client, Api(flow.house.pat)

    def hosted_login(self, password):
        return "code=" in sign_in(self.flow, password=password).get("Location", "")

    def new_session(self, password):
        return (
            create(self.client, user={"userId": self.flow.person}, password={"password": password}).status_code == 201
        )

    def older_session(self, password):
        made = create(self.client, user={"loginName": "gigi"}).json()
        if "sessionToken" not in made:  # the person is locked
            return False
        sent = {"sessionToken": made["sessionToken"], "checks": {"password": {"password": password}}}
        return self.client.patch(f"/v2/sessions/{made['sessionId']}", sent).status_code == 200

    def set_password(self, password):
        sent = {"newPassword": {"password": NEW}, "currentPassword": password}
        return self.admin.post(f"/v2/users/{self.flow.person}/password", sent).status_code == 200

    def update_user(self, password):
        sent = {"human": {"password": {"password": {"password": NEW}, "currentPassword": password}}}
        return self.admin.patch(f"/v2/users/{self.flow.person}", sent).status_code == 200

    def change_own(self, password):
        house, id = self.flow.house, self.flow.person
        acting = replace(house.system, caller=Caller(user_id=id, org_id=house.org, kind="human"))
        try:
            users.change_own_password(acting, user_id=id, current=password, password=NEW)
        except Refusal:
            return False
        return True


DOORS = ("hosted_login", "new_session", "older_session", "set_password", "update_user", "change_own")
POLICIES = {
    "none": None,
    "instance, off": (0, "instance", True),
    "instance, shown": (3, "instance", True),
    "instance, hidden": (3, "instance", False),
    "organization, off": (0, "org", True),
    "organization, shown": (3, "org", True),
    "organization, hidden": (3, "org", False),
}


@pytest.fixture
def doors(flow, login_client):  # noqa: F811
    return Doors(flow, login_client)


@pytest.fixture
def check_at(doors):
    """Proves a password at a door, in a network that has not guessed yet."""

    def check(door, password):
        AttemptRow.objects.all().delete()
        return getattr(doors, door)(password)

    return check


def user_facts(house, id):
    return list(
        EventRow.objects.filter(instance_id=house.instance, aggregate_type="user", aggregate_id=id)
        .order_by("version")
        .values_list("event_type", flat=True)
    )


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("is_right", [True, False], ids=["right", "wrong"])
def test_a_check_of_a_password_is_a_record_of_use_and_told_to_nobody(flow, check_at, policy, door, is_right):
    house, id = flow.house, flow.person
    if POLICIES[policy]:
        most, owner, shows = POLICIES[policy]
        lockout(house, most, owner=owner, shows=shows)
        check_at("new_session", "wrong-before")  # so that a right one has something to forget
    before, noted_before = user_facts(house, id), set(ActivityRow.objects.values_list("id", flat=True))
    assert check_at(door, PASSWORD if is_right else "wrong-one") is is_right
    new = user_facts(house, id)[len(before) :]
    changes = is_right and door in ("set_password", "update_user", "change_own")
    assert new == ["user.human.password.changed"] * changes
    noted = ActivityRow.objects.filter(event_type__in=CHECKS).exclude(id__in=noted_before)
    assert list(noted.values_list("event_type", "aggregate_id", "owner")) == [(CHECKS[is_right], id, house.org)]
    assert not EventRow.objects.filter(event_type__in=CHECKS).exists()


@pytest.mark.parametrize("condition", [{"group": "user"}, {"group": "user.human.password"}, {"all": True}])
def test_an_execution_on_people_hears_of_no_check(flow, check_at, api, target, on, post, condition):  # noqa: F811
    lockout(flow.house, 3)
    assert on(condition, target).status_code == 200
    for door in ("hosted_login", "new_session", "set_password"):
        check_at(door, "wrong-one")
        check_at("new_session", PASSWORD)
    post.note()
    positions = set(Delivery.objects.values_list("position", flat=True))
    told = set(EventRow.objects.filter(position__in=positions).values_list("event_type", flat=True))
    assert not {one for one in told if ".check." in one}


def test_checks_that_an_old_log_holds_are_told_to_nobody(house, api, target, on, post):  # noqa: F811
    on({"group": "user"}, target)
    id = house.person()
    before = Delivery.objects.count()
    push_of_old(house, id, PasswordCheckFailed())
    post.note()
    told = EventRow.objects.filter(position__in=Delivery.objects.values("position")).values_list(
        "event_type", flat=True
    )
    assert before == 0 and "user.human.added" in told and CHECKS[0] not in told
    assert isinstance(projection("webhooks"), Webhooks)


def push_of_old(house, id, *facts):
    """What an older program wrote."""
    stream = house.system.stream("user", id)
    past = house.system.store.read(stream)
    write = Write(stream, len(past), facts, house.org, "", house.system.now(), after=past[-1].digest)
    house.system.store.push([write])


@pytest.mark.parametrize("kind", [kind for _, kind in declared_events() if issubclass(kind, Activity)], ids=str)
def test_no_record_of_use_can_be_pushed_by_any_command(house, kind):
    id = house.person()
    with pytest.raises(TypeError, match="record of use"):
        change(house.system, User, id, lambda _: [kind()], needs="")


@pytest.mark.parametrize(("most", "owner"), [(1, "org"), (3, "instance")])
@pytest.mark.parametrize("door", DOORS)
def test_p03_a_lockout_locks_at_every_door_after_as_many_as_it_says(flow, check_at, door, most, owner):
    lockout(flow.house, most, owner=owner)
    for number in range(most):
        assert UserRow.objects.get(id=flow.person).state != LOCKED, number
        assert not check_at(door, "wrong-one")
    assert UserRow.objects.get(id=flow.person).state == LOCKED
    assert user_facts(flow.house, flow.person)[-1] == "user.locked"
    assert user_facts(flow.house, flow.person).count("user.locked") == 1
    for other in DOORS:
        assert not check_at(other, PASSWORD), other


def test_p03_wrong_ones_at_different_doors_are_counted_together(flow, check_at):
    lockout(flow.house, len(DOORS))
    for door in DOORS:
        assert UserRow.objects.get(id=flow.person).state != LOCKED
        check_at(door, "wrong-one")
    assert UserRow.objects.get(id=flow.person).state == LOCKED


def wrong(house, id, times=1):
    for _ in range(times):
        AttemptRow.objects.all().delete()
        with pytest.raises(WrongCredentials):
            must_know_password(house.system, user_id=id, password="wrong-one")


FRESH = {
    "a right one": lambda house, id: must_know_password(house.system, user_id=id, password=PASSWORD),
    "another password": lambda house, id: users.set_password(house.system, user_id=id, password=PASSWORD),
    "deactivated and back": lambda house, id: (
        users.deactivate_user(house.system, user_id=id),
        users.reactivate_user(house.system, user_id=id),
    ),
    "locked by hand and back": lambda house, id: (
        users.lock_user(house.system, user_id=id),
        users.unlock_user(house.system, user_id=id),
    ),
}


@pytest.mark.parametrize("how", FRESH)
@pytest.mark.parametrize("past", [0, 2], ids=["counted today", "counted in an old log"])
def test_p03_the_count_begins_anew(house, how, past):
    id = house.person()
    lockout(house, 3)
    push_of_old(house, id, *[PasswordCheckFailed()] * past)
    wrong(house, id, 2 - past)
    FRESH[how](house, id)
    wrong(house, id, 2)
    assert UserRow.objects.get(id=id).state != LOCKED
    FRESH[how](house, id)
    wrong(house, id, 3)
    assert UserRow.objects.get(id=id).state == LOCKED
    users.unlock_user(house.system, user_id=id)
    must_know_password(house.system, user_id=id, password=PASSWORD)


@pytest.mark.parametrize("past", [1, 2])
def test_p03_checks_of_an_old_log_count(house, past):
    id = house.person()
    push_of_old(house, id, *[PasswordCheckFailed()] * 5, PasswordCheckSucceeded(), *[PasswordCheckFailed()] * past)
    lockout(house, 3)
    wrong(house, id, 3 - past - 1)
    assert UserRow.objects.get(id=id).state != LOCKED
    wrong(house, id)
    assert UserRow.objects.get(id=id).state == LOCKED


def test_p03_a_stricter_policy_locks_nobody_who_knows_the_password(house):
    id = house.person()
    lockout(house, 5)
    wrong(house, id, 3)
    lockout(house, 2)
    must_know_password(house.system, user_id=id, password=PASSWORD)
    wrong(house, id, 1)
    assert UserRow.objects.get(id=id).state != LOCKED


def test_p03_what_is_counted_lives_as_long_as_the_person_and_survives_a_replay(house):
    id = house.person()
    lockout(house, 3)
    wrong(house, id, 2)
    call_command("rebuild", "users", stdout=io.StringIO())
    wrong(house, id, 1)
    assert UserRow.objects.get(id=id).state == LOCKED
    users.remove_user(house.system, user_id=id)
    assert not FailedCheckRow.objects.exists()


def during(house, monkeypatch, work):
    """Something happens while the next password is being hashed."""
    pool = house.system.ports.passwords
    verify, waiting = pool.verify, [work]

    def meanwhile(encoded, password):
        checked = verify(encoded, password)
        if waiting:
            waiting.pop()()
        return checked

    monkeypatch.setattr(pool, "verify", meanwhile)


def test_p03_a_right_password_opens_nothing_once_the_last_wrong_one_was_counted(house, monkeypatch):
    id = house.person()
    lockout(house, 3)
    during(house, monkeypatch, lambda: wrong(house, id, 3))
    with pytest.raises(FailedPrecondition, match=r"user\.locked"):
        must_know_password(house.system, user_id=id, password=PASSWORD)
    assert UserRow.objects.get(id=id).state == LOCKED


def test_p03_guesses_at_the_same_time_are_all_counted(house, monkeypatch):
    id = house.person()
    lockout(house, 2)
    during(house, monkeypatch, lambda: wrong(house, id, 1))
    with pytest.raises(WrongCredentials):
        must_know_password(house.system, user_id=id, password="wrong-one")
    assert UserRow.objects.get(id=id).state == LOCKED
    assert user_facts(house, id).count("user.locked") == 1


def test_p03_a_program_that_ended_between_the_count_and_the_lock_leaves_nobody_in(house):
    id = house.person()
    lockout(house, 2)
    wrong(house, id, 1)
    FailedCheckRow.objects.update(failures=2, locks=True)
    with pytest.raises(FailedPrecondition, match=r"user\.locked"):
        must_know_password(house.system, user_id=id, password=PASSWORD)
    assert UserRow.objects.get(id=id).state == LOCKED
    users.unlock_user(house.system, user_id=id)
    must_know_password(house.system, user_id=id, password=PASSWORD)


def test_p03_right_passwords_at_the_same_time_lock_nobody(house, monkeypatch):
    id = house.person()
    lockout(house, 1)
    right = lambda: must_know_password(house.system, user_id=id, password=PASSWORD)
    during(house, monkeypatch, right)
    right()
    assert UserRow.objects.get(id=id).state != LOCKED


def test_e10_wrong_passwords_lock_no_last_owner_and_look_like_any_other(house, monkeypatch):
    lockout(house, 2)
    users.set_password(house.system, user_id=house.admin, password=PASSWORD)
    wrong(house, house.admin, 5)
    assert UserRow.objects.get(id=house.admin).state != LOCKED
    must_know_password(house.system, user_id=house.admin, password=PASSWORD)
    other = house.person()
    instances.add_member(house.system, user_id=other, roles=("IAM_OWNER",))
    wrong(house, house.admin, 2)
    assert UserRow.objects.get(id=house.admin).state == LOCKED
    wrong(house, other, 5)
    assert UserRow.objects.get(id=other).state != LOCKED, "now it is the last one"
