"""Pages of lists: whichever way a page is found, the same rows stand in it, once each, in a total order, with bounds."""

import itertools
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import connection

from iam.api.gen import filter_v2, object_v2, v1
from iam.api.lists import FURTHEST, MOST, matches, paged
from iam.kernel.errors import InvalidInput
from orgs.models import OrgDomainRow, OrgRow
from projections import pages, totals
from users.models import UserRow

AT = datetime(2030, 1, 1, tzinfo=UTC)
NAMES = ("Ann", "ann", "Bea", "Zoë", "100%", "a_b")
SORTS = {1: "first_name", 2: ("state", "first_name"), 3: "created_at"}


@pytest.fixture
def crowd(db):
    """60 users of one instance, 3 of another, who share few names."""
    for number in range(63):
        UserRow.objects.create(
            instance_id="one" if number < 60 else "other",
            id=f"u{number * 37 % 63:02}",
            org_id=f"o{number % 2}",
            kind="human",
            state=1 + number % 4,
            user_name=f"name{number}",
            preferred_login_name=f"name{number}@x",
            first_name=NAMES[number % len(NAMES)],
            created_at=AT,
            changed_at=AT,
            version=1,
        )
    return list(UserRow.objects.filter(instance_id="one"))


def asked(offset=0, limit=7, *, asc=True):
    return SimpleNamespace(offset=offset, limit=limit, asc=asc)


CONDITIONS = [
    (lambda: matches("first_name", "ann", 1), lambda row: row.first_name.lower() == "ann"),
    (lambda: matches("first_name", "n", 4), lambda row: "n" in row.first_name),
    (lambda: matches("first_name", "E", 5), lambda row: "e" in row.first_name.lower()),
    (lambda: matches("first_name", "ZOË", 1), lambda row: row.first_name == "Zoë"),
    (lambda: matches("first_name", "zOË", 3), lambda row: row.first_name == "Zoë"),
    (lambda: matches("first_name", "OË", 5), lambda row: row.first_name == "Zoë"),
    (lambda: matches("first_name", "Ë", 7), lambda row: row.first_name == "Zoë"),
    (lambda: matches("first_name", "%Ë", 7), lambda row: False),
    (lambda: matches("user_name", "name4", 2), lambda row: row.user_name.startswith("name4")),
    (lambda: matches("user_name", "NAME4", 2), lambda row: False),
    (lambda: matches("user_name", "7", 6), lambda row: row.user_name.endswith("7")),
    (lambda: matches("first_name", "0%", 6), lambda row: row.first_name == "100%"),
    (lambda: ~matches("first_name", "n", 4), lambda row: "n" not in row.first_name),
    (lambda: matches("first_name", "nobody", 5), lambda row: False),
]


@pytest.mark.parametrize(("condition", "fulfils"), CONDITIONS)
@pytest.mark.parametrize("exact", [totals.EXACT, 12])
def test_pages_of_any_filter_and_order_hold_what_there_is_once(crowd, monkeypatch, condition, fulfils, exact):
    """With so few rows that they are sorted, and with more than are counted, which are met in order."""
    monkeypatch.setattr(totals, "EXACT", exact)
    monkeypatch.setattr(pages, "FAR", 20)
    wanted = [row for row in crowd if fulfils(row)]
    for sort, asc in itertools.product((0, 1, 2, 3), (True, False)):
        columns = (*([SORTS[sort]] if sort in (1, 3) else SORTS.get(sort, ())), "id")
        # SQLite and PostgreSQL with the locale C order by bytes, as Python does
        wanted.sort(key=lambda row, columns=columns: [getattr(row, name) for name in columns], reverse=not asc)
        assert whole(condition(), sort=sort, asc=asc, least=min(exact, len(wanted))) == [row.id for row in wanted]


def whole(condition, *, sort, asc, least):
    """The ids of all pages, read until the total is reached."""
    seen = []
    while True:
        rows = UserRow.objects.filter(instance_id="one").filter(condition)
        found, total = paged(rows, asked(len(seen), asc=asc), sort=sort, columns=SORTS)
        seen += [row.id for row in found]
        assert total >= max(least, len(seen))
        if len(seen) >= total:
            return seen


def test_a_page_behind_the_end_is_empty_and_still_tells_how_many_there_are(crowd):
    for rows in (UserRow.objects.filter(instance_id="one"), UserRow.objects.filter(instance_id="one", state=1)):
        assert paged(rows, asked(99_900), columns={}) == ([], rows.count())


def test_a_list_that_joins_another_table_is_paged_like_any_other(crowd):
    OrgRow.objects.create(instance_id="one", id="o1", name="One", created_at=AT, changed_at=AT, version=1)
    OrgDomainRow.objects.create(instance_id="one", org_id="o1", domain="one.example", created_at=AT)
    within = OrgDomainRow.objects.filter(instance_id="one").values("org_id")
    rows = UserRow.objects.filter(instance_id="one", org_id__in=within)
    found, total = paged(rows, asked(14, 10), columns={})
    assert [row.id for row in found] == sorted(row.id for row in crowd if row.org_id == "o1")[14:24]
    assert total == 30


def test_a_list_that_can_hold_nothing_is_empty(crowd):
    assert paged(UserRow.objects.filter(instance_id="one", id__in=[]), asked(), columns={}) == ([], 0)


def test_offsets_and_limits_have_bounds(crowd, monkeypatch):
    rows = UserRow.objects.filter(instance_id="one")
    with pytest.raises(InvalidInput, match=r"api\.list_offset"):
        paged(rows, asked(FURTHEST + 1), columns={})
    assert paged(rows, asked(FURTHEST), columns={}) == ([], 60)
    monkeypatch.setattr("iam.api.lists.MOST", 5)
    assert MOST == 1000
    assert len(paged(rows, asked(limit=5), columns={})[0]) == 5
    with pytest.raises(InvalidInput, match=r"api\.list_limit"):
        paged(rows, filter_v2.PaginationRequest(limit=6), columns={})
    for query in (v1.ListQuery(limit=6), object_v2.ListQuery(limit=100_000)):  # they cannot say which limit applied
        found, total = paged(rows, query, columns={})
        assert (len(found), total) == (5, 60)


def test_beyond_what_is_counted_a_total_is_never_below_what_is_shown(crowd, monkeypatch):
    monkeypatch.setattr(totals, "EXACT", 20)
    for rows in (UserRow.objects.filter(instance_id="one"), UserRow.objects.filter(instance_id="one", state__lt=4)):
        for offset in range(0, 70, 7):
            found, total = paged(rows, asked(offset), columns={})
            assert total >= offset + len(found) or not found
            assert total == rows.count() or connection.vendor == "postgresql"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL keeps plans")
def test_a_list_is_planned_for_its_values_and_other_statements_are_prepared_again(crowd):
    driver = connection.connection
    before = driver.prepare_threshold
    assert before
    for _ in range(before + 3):
        paged(UserRow.objects.filter(instance_id="one", first_name="Ann"), asked(), columns=SORTS, sort=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%WITH found%%' AND name <> ''"
        )
        assert cursor.fetchone() == (0,)
    assert driver.prepare_threshold == before
