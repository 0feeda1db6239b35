"""A caller that has stopped waiting changes nothing; what was begun in time is finished."""

from dataclasses import replace
from datetime import timedelta

import pytest

from iam.kernel.context import Deadline
from iam.kernel.errors import DeadlineExceeded
from orgs import commands as orgs
from orgs.models import OrgRow


def test_a_late_call_changes_nothing(house):
    late = replace(house.system, deadline=Deadline(house.system.now() - timedelta(milliseconds=1)))
    with pytest.raises(DeadlineExceeded):
        orgs.add_org(late, name="Late")
    assert not OrgRow.objects.filter(name="Late").exists()


def test_a_call_in_time_finishes_all_of_its_changes(house):
    deadline = Deadline(house.system.now() + timedelta(hours=1))
    ctx = replace(house.system, deadline=deadline)
    org = orgs.add_org(ctx, name="In time").id
    deadline.at = house.system.now() - timedelta(hours=1)
    orgs.rename_org(ctx, org_id=org, name="Second step")
    assert OrgRow.objects.get(id=org).name == "Second step"
