"""What an id costs: nothing more where it is drawn here, three statements where somebody chose it."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from orgs import commands as orgs
from projects import commands as projects
from users import commands as users
from users.commands import sessions

FRAME = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")


def made(house):
    """What is made, by its name: a function that makes one more."""
    system = house.system
    project = projects.add_project(system, org_id=house.org, name="p").id
    projects.add_role(system, project_id=project, key="admin")
    other = orgs.add_org(system, name="Other").id
    machine, _ = house.machine("m")
    person = house.person()
    return {
        "organization": lambda **id: orgs.add_org(system, name="n", **id),
        "project": lambda **id: projects.add_project(system, org_id=house.org, name="n", **id),
        "application": lambda **id: projects.add_api_app(system, project_id=project, name="n", **id),
        "project grant": lambda: projects.add_grant(system, project_id=project, granted_org_id=other, roles=("admin",)),
        "authorization": lambda: projects.add_authorization(
            system, org_id=house.org, user_id=person, project_id=project, roles=("admin",)
        ),
        "user": lambda **id: users.add_machine(system, org_id=house.org, user_name="n", name="n", **id),
        "session": lambda: sessions.create_session(system),
        "token": lambda: users.add_pat(system, user_id=machine),
        "key": lambda: users.add_machine_key(system, user_id=machine),
    }


def count(make) -> int:
    with CaptureQueriesContext(connection) as captured:
        make()
    return len([one for one in captured.captured_queries if not one["sql"].startswith(FRAME)])


DRAWN = {
    "organization": 15, "project": 7, "application": 9, "project grant": 8, "authorization": 12, "user": 9, "session": 5,
    "token": 6, "key": 6,
}  # fmt: skip
"""What each took before ids were one name space; a token and a key one more, since the log is not asked for their ids.
A user one more for what the settings say of names."""
CHOSEN = {"organization": "org_id", "project": "project_id", "application": "app_id", "user": "user_id"}
MORE = 3
"""Looked up among requests underway, among all streams and names, and claimed."""


@pytest.mark.django_db
def test_a_drawn_id_costs_nothing_and_a_chosen_one_three_statements(house):
    things = made(house)
    for thing, make in things.items():
        if parameter := CHOSEN.get(thing):
            chosen = lambda make=make, parameter=parameter: make(**{parameter: "chosen"})
            with transaction.atomic():
                assert count(chosen) <= DRAWN[thing] + MORE, thing
                transaction.set_rollback(True)
        assert count(make) <= DRAWN[thing], thing
