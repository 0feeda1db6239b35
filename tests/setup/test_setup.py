"""Set-up: killed at every step, twice at once, what it would do, and which programs may serve what it leaves."""

import itertools
import os
import subprocess
import sys
import time

import pytest
from django.db import connection

from iam.management.models import SetupStep
from iam.setup import level, lock, phases
from tests.servers import ROOT, new_server

DIED = 9


@pytest.fixture
def operator(tmp_path, own_database):
    """A set-up on a fresh database of the run's engine."""
    server = new_server(tmp_path)
    server.environment |= own_database
    return server


def die_at(server, step: int) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.setup.dying", str(step)]
    return subprocess.run(command, cwd=ROOT, env=server.environment, capture_output=True, text=True, check=False)


def test_row_09_set_up_that_is_killed_at_every_step_goes_on_where_it_stopped(operator):
    """A few deaths among the migrations, then one at each step of the first instance: some steps are made anew in every
    run (a password that nobody saw is another one), so each run may go one step further. Nothing is there twice."""
    steps = itertools.chain([0, 5, 5, 5, 5], itertools.count(1))
    deaths = []
    while (done := die_at(operator, step := next(steps))).returncode == DIED:
        deaths.append(step)
        assert len(deaths) < 60, done.stdout
    assert done.returncode == 0, done.stderr
    assert len(deaths) >= 8
    assert operator.manage("setup", "--plan").stdout.strip() == "nothing to do"
    counted = operator.manage("shell", "-v", "0", "-c", COUNT)
    assert counted.stdout.split() == ["1", "1", "2", "1", "1", "2"], counted.stderr
    assert operator.manage("verify_log").returncode == 0
    assert operator.manage("rebuild", "--verify").returncode == 0


COUNT = """
from iam.access.models import MembershipRow
from iam.instance.models import InstanceRow
from orgs.models import OrgRow
from projects.models import AppRow, ProjectRow
from users.models import UserRow
for table in (InstanceRow, OrgRow, UserRow, ProjectRow, AppRow, MembershipRow):
    print(table.objects.count())
"""


def test_row_09_two_set_ups_at_once_both_end_well_and_make_one_instance(operator):
    command = [sys.executable, "manage.py", "setup"]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=operator.environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = [one.communicate(timeout=120)[0] for one in running]
    assert [one.returncode for one in running] == [0, 0, 0], told
    assert sum("Password" in text for text in told) == 1
    assert sum("waiting for another set-up" in text for text in told) >= 1
    assert operator.manage("shell", "-v", "0", "-c", COUNT).stdout.split()[0] == "1"


@pytest.fixture
def committing(django_db_setup, django_db_blocker):
    """The run's database without a transaction around the test: the lock lives on a connection of its own, too."""
    with django_db_blocker.unblock():
        yield


def test_the_lock_of_a_dead_set_up_is_taken_over_and_that_of_a_living_one_is_not(committing):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's lock is a file's; the end of the process frees it")
    with lock.only_one(stale_after=0.6):
        time.sleep(1.2)  # the heart beats meanwhile
        assert lock._fetch(lock.TAKE, "somebody else", 0.6) is None
    lock._fetch(lock.TAKE, "a dead one", 15)
    with lock.only_one(stale_after=0.3):
        assert lock._fetch(lock.HELD)[0] != "a dead one"
    lock._fetch(lock.TAKE, "a dead one", 15)
    assert lock.release() == "a dead one"
    assert lock.release() == ""


def test_a_plan_names_what_would_run_and_changes_nothing(operator):
    told = operator.manage("setup", "--plan").stdout
    assert "migrate access.0001_initial" in told and "Create model MembershipRow" in told
    assert "make the first instance at http://localhost" in told
    assert operator.manage("setup", "--plan").stdout == told
    assert operator.manage("start", "--masterkeyFromEnv").returncode == 1
    assert operator.manage("setup").returncode == 0
    operator.environment["ZITADEL_EXTERNALDOMAIN"] = "id.example.com"
    assert operator.manage("setup", "--plan").stdout.strip() == "carry the public host over: localhost → id.example.com"


@pytest.mark.django_db
def test_row_10_a_database_that_needs_a_newer_program_is_refused_and_one_that_was_only_added_to_is_served():
    level.record()
    assert level.too_new() == ""
    SetupStep.objects.update(chosen={"level": level.LEVEL + 3, "floor": level.LEVEL})
    assert phases.problem_before_start() == ""
    level.record()
    assert SetupStep.objects.get(name="schema").chosen["level"] == level.LEVEL + 3
    SetupStep.objects.update(chosen={"level": level.LEVEL + 3, "floor": level.LEVEL + 1})
    assert "too new for this program" in phases.problem_before_start()
    with pytest.raises(SystemExit):
        phases.plan()


def test_row_09_set_up_needs_a_master_key(operator):
    if os.environ.get("GATEHOUSE_TEST_DB") != "postgres":
        pytest.skip("the embedded mode makes its key itself")
    del operator.environment["ZITADEL_MASTERKEY"]
    refused = operator.manage("setup")
    assert refused.returncode == 1
    assert "a master key is needed" in refused.stderr
