"""The names of users beside their authorizations: the database keeps them, whoever writes."""

import threading

import psycopg
import pytest
from django.db import connection

from eventstore.portable import facts_of_instance
from iam.vault import wiring
from orgs import commands as orgs
from projections.projection import projection
from projections.rebuild import rebuild
from projects import commands as projects
from projects import user_names
from projects.models import UserGrantRow
from tests.waiting import at_once
from users import commands as users
from users.domain.profile import Profile
from users.models import UserRow


@pytest.fixture
def given(house):
    """Authorizations of a person and of a service user, by the user's kind."""
    at_once()
    org = orgs.add_org(house.system, name="Alpha").id
    project = projects.add_project(house.system, org_id=org, name="shop").id
    user = {"human": house.person("gigi", org=org), "machine": house.machine("robot", org=org)[0]}
    for id in user.values():
        projects.add_authorization(house.system, org_id=org, user_id=id, project_id=project, roles=())
    return {**user, "org": org}


def names(given, kind):
    row = UserGrantRow.objects.get(user_id=given[kind])
    return row.user_login_name, row.user_display_name


def all_names():
    return sorted(UserGrantRow.objects.values_list("id", *user_names.COLUMNS))


def test_an_authorization_knows_what_its_user_is_called(given):
    assert names(given, "human") == ("gigi", "Gigi Giraffe")
    assert names(given, "machine") == ("robot", "robot")


def test_whoever_is_called_otherwise_is_found_so(house, given):
    users.change_profile(house.system, user_id=given["human"], profile=Profile("Gina", "Giraffe"))
    users.rename_user(house.system, user_id=given["human"], user_name="gina")
    users.change_machine(house.system, user_id=given["machine"], name="Robot Two", description="")
    assert names(given, "human") == ("gina", "Gina Giraffe")
    assert names(given, "machine") == ("robot", "Robot Two")
    orgs.rename_org(house.system, org_id=given["org"], name="Beta")
    assert names(given, "human")[0] == UserRow.objects.get(id=given["human"]).preferred_login_name


def test_a_rebuild_of_either_table_differs_in_nothing_and_leaves_the_names(house, given):
    kept = all_names()
    for name in ("users", "authorizations"):
        assert rebuild(wiring.store(), projection(name), swap=name != "users").different == ()
        assert all_names() == kept
    UserRow.objects.filter(id=given["human"]).delete()
    UserGrantRow.objects.update(user_display_name="old")
    for fact in facts_of_instance(house.system.store, house.instance):
        if fact.stream.id == given["human"]:
            projection("users").apply(fact)
    assert names(given, "human")[1] == "Gigi Giraffe"


def test_set_up_makes_the_triggers_that_are_missing_and_copies_what_was_there(given, monkeypatch):
    monkeypatch.setattr(user_names, "AT_ONCE", 1)
    kept = all_names()
    of = {"projects_user_named": " ON projects_user_grants", "projects_user_renamed": " ON users_users"}
    with connection.cursor() as cursor:
        for name, table in of.items():
            cursor.execute(f"DROP TRIGGER {name}{table if connection.vendor == 'postgresql' else ''}")
    UserGrantRow.objects.update(user_login_name="", user_display_name="")
    user_names.put()
    assert all_names() == kept
    UserRow.objects.filter(id=given["human"]).update(display_name="Somebody")
    assert names(given, "human")[1] == "Somebody"


@pytest.fixture(scope="module")
def sessions(meeting):
    """Makes connections to a database with a user."""
    with psycopg.connect(meeting.dsn, autocommit=True) as session:
        session.execute(
            "INSERT INTO users_users (instance_id, id, org_id, kind, state, user_name, preferred_login_name, first_name,"
            " last_name, nick_name, display_name, preferred_language, gender, email, email_verified, phone,"
            " phone_verified, name, description, access_token_type, password_hash, password_change_required,"
            " secret_hash, created_at, changed_at, version)"
            " VALUES ('i', 'u', 'o', 'human', 1, 'u', 'u', '', '', '', 'old', '', 0, '', false, '', false, '', '', 0, '',"
            " false, '', now(), now(), 1)"
        )
    return meeting.session


GRANT = (
    "INSERT INTO projects_user_grants (instance_id, id, org_id, user_id, project_id, grant_id, roles, state, created_at,"
    " changed_at, version) VALUES ('i', %s, 'o', 'u', 'p', '', '[]', 1, now(), now(), 1)"
)
RENAME = "UPDATE users_users SET display_name = %s WHERE id = 'u'"


@pytest.mark.parametrize("is_renamed_first", [True, False])
def test_an_authorization_that_comes_while_its_user_is_renamed_has_the_new_name(meeting, sessions, is_renamed_first):
    grant, name = f"g{is_renamed_first}", f"new {is_renamed_first}"
    steps = [(RENAME, name), (GRANT, grant)] if is_renamed_first else [(GRANT, grant), (RENAME, name)]
    first, second, look = sessions(), sessions(), sessions()
    first.execute(steps[0][0], [steps[0][1]])
    waiting = threading.Thread(target=lambda: (second.execute(steps[1][0], [steps[1][1]]), second.commit()))
    waiting.start()
    meeting.wait_for_lock(look)
    first.commit()
    waiting.join(20)
    found = look.execute("SELECT user_display_name FROM projects_user_grants WHERE id = %s", [grant])
    assert found.fetchone() == (name,)
