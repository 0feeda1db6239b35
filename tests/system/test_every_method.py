"""Owners of instances at what operates the system, and operators at what belongs to instances: every method (T01)."""

from contextlib import suppress

import pytest

from eventstore.models import EventRow
from iam.access.caller import RequestMeta
from iam.api.methods import invoke, method
from iam.kernel.errors import PermissionDenied, Refusal
from tests.api import test_callers
from tests.api.test_callers import PROTECTED, belongings, filled
from tests.system.conftest import origin
from tests.system.support import pair, token

neighbourhood, house, things = test_callers.neighbourhood, test_callers.house, test_callers.things
OPEN = "FeatureService/GetSystemFeatures"
"""What is on for every instance is no secret: v2 tells it to everybody with a token, and so does its older sister."""
OPERATED = [name for name in PROTECTED if method(name).permission.startswith("system.") and not name.endswith(OPEN)]


def call(name, request, text):
    return invoke(name, request, RequestMeta(host="localhost", headers={"authorization": f"Bearer {text}"}))


def test_there_is_something_to_operate():
    assert len(OPERATED) > 15


@pytest.mark.parametrize("name", OPERATED)
def test_t01_no_owner_of_an_instance_operates_the_system(house, things, name):
    facts = EventRow.objects.count()
    with pytest.raises(PermissionDenied):
        call(name, filled(name, things | {"instance_id": house.instance}), house.pat)
    assert EventRow.objects.count() == facts


@pytest.mark.parametrize("name", [one for one in PROTECTED if one not in OPERATED])
def test_t01_an_owner_of_the_system_is_a_stranger_to_its_tenants(house, things, system_users, name):
    """Neither what is theirs nor an accident: somebody who is no user of the instance calls every method."""
    system_users(superuser=[])
    before = belongings(house)
    told = ""
    with suppress(Refusal):
        told = str(call(name, filled(name, things), token("superuser", origin(), pair()[0])))
    assert not any(id in told for id in things.values())
    assert belongings(house) == before
