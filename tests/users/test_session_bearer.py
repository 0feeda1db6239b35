"""A session's token as bearer: for what concerns oneself, once the session has proved what is asked for (checklist L06)."""

from datetime import timedelta

import pytest

from iam.access.caller import authenticate
from iam.access.tokens import TokenKind, kind_of, mint, named_by
from iam.api import methods
from iam.instance import setting_commands
from iam.instance.setting_commands import of_instance
from tests.conftest import Api
from users import commands as users
from users.commands import sessions
from users.commands.sessions import Entries
from users.models import SessionRow, UserRow

ME = "/auth/v1/users/me"


def opened(house, person, **entries):
    """A session of a person; answers it with its token."""
    found = sessions.write_session(house.system, Entries(user_id=person, **entries), agent=sessions.Agent())
    return found


@pytest.fixture
def person(house):
    return house.person()


def api_of(token):
    return Api(token)


def test_l06_a_session_that_proved_a_password_reads_and_changes_its_own_person(house, person):
    token = opened(house, person, password_ok=True).token
    api = api_of(token)
    assert api.get(ME).json()["user"]["id"] == person
    assert api.get(f"/v2/users/{person}").json()["user"]["userId"] == person
    changed = {"oldPassword": "Correct-Horse-9", "newPassword": "Another-Horse-9"}
    assert api.put(f"{ME}/password", changed).status_code == 200


UNPROVED = {
    "nobody is named": lambda house, person: sessions.write_session(house.system, Entries(), agent=sessions.Agent()),
    "no password was checked": opened,
}


@pytest.mark.parametrize("how", UNPROVED)
def test_l06_a_session_that_proved_too_little_opens_nothing(house, person, how):
    found = UNPROVED[how](house, person)
    answer = api_of(found.token).get(ME)
    assert answer.status_code in (401, 403)
    if answer.status_code == 403:
        assert answer.json()["details"][0]["id"] == "AUTHZ-Kl3p0"


@pytest.mark.parametrize("policy", ["force_mfa", "force_mfa_local_only"])
def test_l06_where_a_second_factor_is_asked_for_a_password_is_not_enough(house, person, policy):
    api = api_of(opened(house, person, password_ok=True).token)
    assert api.get(ME).status_code == 200
    setting_commands.change_setting(house.system, of_instance(house.system), kind="login", values={policy: True})
    answer = api.get(ME)
    assert (answer.status_code, answer.json()["details"][0]["id"]) == (403, "AUTHZ-Kl3p0")


def test_l06_nor_where_the_password_must_be_changed_first(house, person):
    api = api_of(opened(house, person, password_ok=True).token)
    UserRow.objects.filter(id=person).update(password_change_required=True)
    assert api.get(ME).status_code == 403


ENDINGS = {
    "the session ended": lambda house, person, found: sessions.terminate_session(house.system, session_id=found.id),
    "its time is over": lambda house, person, found: SessionRow.objects.filter(id=found.id).update(
        expires_at=house.system.now() - timedelta(seconds=1)
    ),
    "it has a newer token": lambda house, person, found: sessions.set_session_token(house.system, session_id=found.id),
    "the person is locked": lambda house, person, found: users.lock_user(house.system, user_id=person),
    "the person is deactivated": lambda house, person, found: users.deactivate_user(house.system, user_id=person),
    "the person is removed": lambda house, person, found: users.remove_user(house.system, user_id=person),
    "the organization is off": lambda house, person, found: house.stop_org(),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_l10_a_session_token_dies_with_what_it_stands_on(house, person, ending):
    found = opened(house, person, password_ok=True)
    assert api_of(found.token).get(ME).status_code == 200
    ENDINGS[ending](house, person, found)
    assert api_of(found.token).get(ME).status_code == 401


def test_l06_a_session_brings_no_rights_over_others_whoever_signed_in(house, person):
    """The administrator's own session, too: rights over others need a token that an application asked for."""
    UserRow.objects.filter(id=house.admin).update(password_change_required=False)
    found = opened(house, house.admin, password_ok=True)
    api = api_of(found.token)
    assert api.get(ME).json()["user"]["id"] == house.admin
    for path, body in (
        (f"/v2/users/{person}/deactivate", {}),
        ("/v2/users/human", {"profile": {"givenName": "A", "familyName": "B"}, "email": {"email": "a@example.com"}}),
        ("/admin/v1/orgs/_search", {}),
    ):
        answer = api.post(path, body)
        assert answer.status_code in (403, 404), (path, answer.content)
    assert api.get(f"/v2/users/{person}").status_code in (403, 404)
    for path, name in (("/v2/users", "userId"), ("/management/v1/users/_search", "id")):
        assert {one[name] for one in api.post(path, {}).json().get("result", [])} <= {house.admin}
    ctx = house.as_token(found.token)
    assert not ctx.rights.instance and not ctx.rights.orgs and not ctx.rights.projects and not ctx.rights.grants


def test_l06_no_method_that_asks_for_a_permission_is_open_to_it(house, person):
    """Made from the method table: whatever needs a permission of its own is refused before its function is called."""
    UserRow.objects.filter(id=house.admin).update(password_change_required=False)
    ctx = house.as_token(opened(house, house.admin, password_ok=True).token)
    needed = {methods.method(name).permission for name in methods.registered()} - {"", "authenticated"}
    assert len(needed) > 40
    assert not [one for one in needed if ctx.rights.anywhere(one)]


def test_the_token_names_its_session_and_nothing_else_is_looked_up(house, person, django_assert_num_queries):
    found = opened(house, person, password_ok=True)
    assert kind_of(found.token) is TokenKind.SESSION and named_by(found.token) == found.id
    other = opened(house, person, password_ok=True)
    head, tail = len("gths_"), len("gths_") + 11
    mixed = found.token[:head] + other.token[head:tail] + found.token[tail:]
    assert authenticate(house.instance, mixed, "http://localhost") is None
    assert len({mint(TokenKind.SESSION, names=found.id) for _ in range(10)}) == 10
    with django_assert_num_queries(1):
        assert authenticate(house.instance, mint(TokenKind.SESSION), "http://localhost") is None


@pytest.mark.parametrize("id", ["1", "9" * 18, "401909067209575462", "007", "x", "", "9" * 19])
def test_an_id_survives_in_its_token_or_is_left_out(id):
    token = mint(TokenKind.SESSION, names=id)
    assert kind_of(token) is TokenKind.SESSION and len(token) == len(mint(TokenKind.SESSION))
    assert (named_by(token) == id) == (id in ("1", "9" * 18, "401909067209575462"))
