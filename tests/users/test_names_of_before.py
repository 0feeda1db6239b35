"""Names that a program of before wrote: set-up fills in since when, old names still sign in, the doctor names what met."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Concat

from eventstore.models import ClaimRow
from iam.setup.doctor import names
from iam.setup.doctor.findings import OK, WARNING
from iam.vault import wiring
from orgs import commands as orgs
from orgs.models import OrgDomainRow
from projections.projection import UNKNOWN, projection
from projections.rebuild import rebuild
from tests.users.test_names import WITH_DOMAIN, D, leads, of_domain, person
from users import commands as users
from users.models import NameRuleRow, UserRow

FILL = import_module("users.migrations.0010_fill_login_names").fill


@pytest.fixture
def two(house):
    return orgs.add_org(house.system, name="A").id, orgs.add_org(house.system, name="B").id


def as_before(house, with_domain):
    """As a program of before left the tables and claims."""
    rows = UserRow.objects.filter(instance_id=house.instance)
    rows.update(named_position=UNKNOWN, bare_position=UNKNOWN, email_position=UNKNOWN, phone_position=UNKNOWN)
    OrgDomainRow.objects.filter(instance_id=house.instance).update(verified_position=UNKNOWN)
    NameRuleRow.objects.filter(instance_id=house.instance).delete()
    for domain in OrgDomainRow.objects.filter(instance_id=house.instance, is_primary=True):
        of_org = rows.filter(org_id=domain.org_id)
        of_org.update(preferred_login_name=Concat(F("user_name"), Value(f"@{domain.domain}")))
    for claim in ClaimRow.objects.filter(instance_id=house.instance, kind="usernames", owner=with_domain):
        held = ClaimRow.objects.filter(scope=claim.scope, kind=claim.kind, value=claim.value)
        held.update(value=claim.value.partition(" ")[0])


def test_set_up_fills_in_what_the_log_tells(house, two):
    a, b = two
    of_domain(house, WITH_DOMAIN, b)
    vic = person(house, a, "vic", email=f"gigi@{D}")
    gigi = person(house, b, "gigi")
    users.rename_user(house.system, user_id=gigi, user_name="gigo")
    users.change_phone(house.system, user_id=vic, phone="+41791234567", verified=True)
    orgs.add_org_domain(house.system, org_id=b, domain=D)
    as_before(house, b)
    assert leads(house, "vic@a.localhost") == vic
    with connection.cursor() as cursor:
        FILL(apps, SimpleNamespace(execute=cursor.execute))
    for name in ("users", "orgs"):
        assert rebuild(wiring.store(), projection(name), swap=False).different == (), name
    known = UserRow.objects.filter(id__in=(vic, gigi)).values_list("id", "preferred_login_name", "bare_position")
    assert {id: (name, bare is None) for id, name, bare in known} == {
        vic: ("vic", False),
        gigi: ("gigo@b.localhost", True),
    }
    assert [leads(house, name) for name in ("vic", "vic@a.localhost", f"gigo@{D}", f"gigi@{D}")] == [
        vic,
        vic,
        gigi,
        vic,
    ]
    person(house, a, "gigo")


@pytest.mark.parametrize("places", [("b",), ("",), ("b", ""), ("", "b")], ids=str)
def test_names_that_once_needed_a_domain_come_after_what_was_proved_meanwhile(house, two, places):
    """As a replay has it: while the policy asked for a domain, nobody signed in by the bare name."""
    a, b = two
    before = person(house, b, "before@mail.example", email="other@mail.example")
    for place in places:
        of_domain(house, WITH_DOMAIN, b if place else "")
    first = person(house, a, "first", email="before@mail.example")
    person(house, b, "during")
    for place in places:
        of_domain(house, {"user_login_must_be_domain": False}, b if place else "")
    person(house, b, "after")
    wanted = dict(UserRow.objects.values_list("user_name", "bare_position"))
    as_before(house, "")
    with connection.cursor() as cursor:
        FILL(apps, SimpleNamespace(execute=cursor.execute))
    assert dict(UserRow.objects.values_list("user_name", "bare_position")) == wanted
    assert rebuild(wiring.store(), projection("users"), swap=False).different == ()
    assert leads(house, "before@mail.example") == first != before


def test_a_row_without_positions_comes_last_and_its_names_sign_in(house, two):
    a, b = two
    old = person(house, a, "old", email=f"new@{D}")
    UserRow.objects.filter(id=old).update(
        named_position=UNKNOWN, bare_position=UNKNOWN, email_position=UNKNOWN, preferred_login_name="old@a.localhost"
    )
    assert leads(house, "old") == leads(house, "old@a.localhost") == leads(house, f"new@{D}") == old
    later = person(house, b, "later", email=f"new@{D}")
    assert leads(house, f"new@{D}") == later
    assert [one.level for one in names.login_names()] == [WARNING, WARNING]


def test_the_doctor_names_what_leads_to_several(house, two):
    a, b = two
    person(house, a, "fine")
    assert [one.level for one in names.login_names()] == [OK]
    vic = person(house, a, f"bob@{D}")
    person(house, b, "bob")
    orgs.add_org_domain(house.system, org_id=b, domain=D)
    first = person(house, a, "one", email="both@mail.example")
    person(house, b, "two", email="both@mail.example")
    UserRow.objects.filter(user_name="two").update(user_name=first)
    (found,) = names.login_names()
    assert found.level == WARNING and found.cause and found.remedy
    for line in (f"bob@{D} → {vic}", f"both@mail.example → {first}", f"{first} → "):
        assert line in found.told
    assert "fine" not in found.told
