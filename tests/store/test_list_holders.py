"""Pages far behind of who holds a role come from the table of holders, where nothing else is asked: the same rows as by filter."""

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from orgs import commands as orgs
from projections import pages, totals
from projections.pages import page_and_total, page_of_rows
from projections.planner import planned_anew
from projects import queries
from projects.models import UserGrantRoleRow, UserGrantRow
from tests import crowded

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="other engines know one way only"),
]
SIZES = crowded.Sizes(users=600, orgs=20, authorizations=600)
TABLE = UserGrantRoleRow._meta.db_table
FAR = 20


@pytest.fixture
def crowd(house, monkeypatch):
    monkeypatch.setattr(totals, "EXACT", 5)
    monkeypatch.setattr(pages, "FAR", FAR)
    crowded.fill(SIZES)
    return house


def of(crowd):
    return UserGrantRow.objects.filter(instance_id=crowd.instance)


def asked(rows, order, offset, limit=10):
    """The ids of a page, and whether the holders were asked."""
    with planned_anew(rows.db), CaptureQueriesContext(connection) as captured:
        found = page_of_rows(rows, order, offset, limit)
    return [row.id for row in found.rows], any(TABLE in one["sql"] for one in captured)


@pytest.mark.parametrize("key", ["viewer", "editor", "admin"])
@pytest.mark.parametrize("order", [["id"], ["-id"]])
def test_a_page_far_behind_is_the_page_of_the_filter(crowd, key, order):
    rows = of(crowd).filter(roles__holds_any=[key])
    plain = list(rows.order_by(*order).values_list("id", flat=True))
    assert len(plain) > 2 * FAR and len(set(plain)) == len(plain)
    for offset in (FAR, FAR + 7, len(plain) - 10, len(plain) - 3, len(plain), len(plain) + 50):
        found, is_by_holders = asked(rows, order, offset)
        assert (found, is_by_holders) == (plain[offset : offset + 10], True), offset
    assert asked(rows, order, FAR - 1) == (plain[FAR - 1 : FAR + 9], False), "near, rows are met soon"


def test_the_last_page_tells_the_exact_total(crowd):
    rows = of(crowd).filter(roles__holds_any=["editor"])
    many = rows.count()
    found, total = page_and_total(rows, ["-id"], many - 3, 10)
    assert (len(found), total) == (3, many)


def of_some(crowd):
    """What a caller sees who may read the authorizations that one organization gave."""
    id, token = crowd.machine("reader")
    orgs.add_org_member(crowd.system, org_id=crowd.org, user_id=id, roles=("ORG_OWNER",))
    of(crowd).filter(project_id="p1").update(org_id=crowd.org)
    reading = crowd.as_token(token)
    return queries.bare_authorizations(reading).filter(roles__holds_any=["viewer"])


def joined(crowd, connector):
    """Both conditions, put together by hand."""
    rows = of(crowd).filter(roles__holds_any=["viewer"])
    rows.query.where.connector = connector
    return rows


OTHERS = {
    "a state beside": lambda crowd: of(crowd).filter(roles__holds_any=["viewer"], state=1),
    "a project in the same condition": lambda crowd: of(crowd).filter(
        Q(roles__holds_any=["viewer"]) & Q(project_id="p1")
    ),
    "another key beside": lambda crowd: (
        of(crowd).filter(roles__holds_any=["viewer"]).filter(roles__holds_any=["editor"])
    ),
    "one of two keys": lambda crowd: of(crowd).filter(roles__holds_any=["editor", "admin"]),
    "either": lambda crowd: of(crowd).filter(Q(roles__holds_any=["editor"]) | Q(state=2)),
    "all but who hold it": lambda crowd: of(crowd).filter(~Q(roles__holds_any=["editor"])),
    "the whole list of roles": lambda crowd: of(crowd).filter(roles=["viewer", "viewer"]),
    "no tenant": lambda crowd: UserGrantRow.objects.filter(roles__holds_any=["viewer"], state=1),
    "either tenant or key": lambda crowd: joined(crowd, "OR"),
    "neither": lambda crowd: UserGrantRow.objects.exclude(instance_id="none", roles__holds_any=["viewer"]),
    "what somebody may see": of_some,
}


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_else_is_asked_is_found_by_the_filter(crowd, name):
    rows = OTHERS[name](crowd)
    plain = list(rows.order_by("-id").values_list("id", flat=True))
    assert len(plain) > FAR
    assert asked(rows, ["-id"], FAR) == (plain[FAR : FAR + 10], False)


def test_another_order_is_not_that_of_the_holders(crowd):
    rows = of(crowd).filter(roles__holds_any=["viewer"])
    plain = list(rows.order_by("user_id", "id").values_list("id", flat=True))
    assert asked(rows, ["user_id", "id"], FAR) == (plain[FAR : FAR + 10], False)


def test_who_went_away_meanwhile_is_left_out(crowd):
    """The keys are read first, and the rows then."""
    rows = of(crowd).filter(roles__holds_any=["viewer"])
    before, _ = asked(rows, ["id"], FAR)
    UserGrantRoleRow.objects.create(instance_id=crowd.instance, role_key="viewer", id=before[0] + "x")
    UserGrantRoleRow.objects.create(instance_id="other", role_key="viewer", id=before[0] + "y")
    assert asked(rows, ["id"], FAR) == ([before[0], *before[1:9]], True)
