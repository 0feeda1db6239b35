"""However PostgreSQL finds a page, it is the page of the filtered and sorted rows: every way is compared with the plain one."""

import itertools
import random
import re
import string

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from iam.api.lists import matches
from projections import indexes, pages, texts, totals
from projections.pages import page_of_rows
from projections.planner import planned_anew
from projects import commands as projects
from projects.models import UserGrantRow
from tests import crowded
from users import commands as users
from users.api_lists import users as _  # noqa: F401 - its lookups
from users.domain.profile import Profile
from users.models import UserRow

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="other engines know one way only"),
]
SIZES = crowded.Sizes(users=600, orgs=20, authorizations=600)
USERS = (
    matches("display_name", "a", 4),
    matches("display_name", "A", 3) & Q(kind="human"),
    matches("last_name", "N", 7) & Q(kind="human"),
    matches("first_name", "Jo", 2),
    Q(state=2) | ~Q(kind="human"),
    Q(id__in=[f"{300000000000000000 + n * 4096}" for n in range(1, 200)]),
    Q(user_name="nobody"),
)
GRANTS = (Q(state=2), Q(roles__holds_any=["admin"]), Q(user__display_name__contains="a"), Q(project_id="p1"))
ORDERS = (["id"], ["-id"], ["display_name", "id"], ["-last_name", "-id"])
GRANT_ORDERS = (["-id"], ["user_org_id", "user_id", "id"], ["-changed_at", "-id"])
WAYS = {
    "few": (10_000, 1000, 20_000),
    "many": (5, 1000, 20_000),
    "soon": (5, 1000, 200),
    "not soon": (5, 1000, 1),
    "far": (5, 0, 20_000),
    "from the nearer end": (5, 0, 20_000),
}
"""How many are few, which offset is far, how many are soon walked."""


@pytest.fixture
def crowd(house):
    crowded.fill(SIZES)
    return house


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_a_page_finds_the_same_rows(crowd, monkeypatch, way):
    few, far, soon = WAYS[way]
    monkeypatch.setattr(totals, "EXACT", few)
    monkeypatch.setattr(pages, "FAR", far)
    monkeypatch.setattr(pages, "SOON", soon)
    if way == "not soon":
        monkeypatch.setattr(pages, "_met_soon", lambda *asked: None)
    if way == "from the nearer end":
        monkeypatch.setattr(pages, "_is_sorted", lambda *asked, **options: True)
    seen = 0
    for table, filters, orders in ((UserRow, USERS, ORDERS), (UserGrantRow, GRANTS, GRANT_ORDERS)):
        for wanted, order, offset in itertools.product(filters, orders, (0, 7, 40, 250, 5000)):
            rows = table.objects.filter(instance_id=crowd.instance).filter(wanted)
            with planned_anew(rows.db):
                found = page_of_rows(rows, order, offset, 10)
            plain = list(rows.order_by(*order).values_list("id", flat=True))
            assert [row.id for row in found.rows] == plain[offset : offset + 10], (wanted, order, offset)
            assert found.total in (None, len(plain)), (wanted, order, offset)
            seen += len(found.rows)
    assert seen > 500


def test_a_row_that_left_the_filter_meanwhile_is_still_shown_whole(crowd):
    """The keys of a page are read without the filter: what was found stays found, as in one statement."""
    rows = UserRow.objects.filter(instance_id=crowd.instance, display_name__contains="a")
    with planned_anew(rows.db), CaptureQueriesContext(connection) as captured:
        page_of_rows(rows, ["id"], 0, 10)
    asked = [one["sql"] for one in captured]
    assert "LIKE" in asked[-2]
    assert "LIKE" not in asked[-1] and " IN (" in asked[-1]


def test_rows_that_stand_together_far_behind_are_gathered_not_walked_to(crowd, monkeypatch):
    """Names with Z by name: SOON rows of the order hold none, and no other statement walks them all."""
    monkeypatch.setattr(totals, "EXACT", 1)
    monkeypatch.setattr(pages, "SOON", 100)
    rows = UserRow.objects.filter(instance_id=crowd.instance, last_name__startswith="Z")
    assert rows.count() > 5
    with planned_anew(rows.db), CaptureQueriesContext(connection) as captured:
        found = page_of_rows(rows, ["last_name", "id"], 0, 5)
    asked = [one["sql"] for one in captured]
    walks = [one for one in asked if "ORDER BY" in one and "LIKE" in one and "WITH found" not in one]
    assert len(found.rows) == 5
    assert found.total == rows.count()
    assert len(walks) == 1 and 'ASC LIMIT 100) "users_users"' in walks[0]


def test_rows_that_the_index_of_an_order_tells_apart_are_no_part_of_what_is_walked(crowd, monkeypatch):
    """Service users have no display name and come first; the index knows the kind, and walks past them."""
    monkeypatch.setattr(totals, "EXACT", 1)
    monkeypatch.setattr(pages, "SOON", 20)
    rows = UserRow.objects.filter(instance_id=crowd.instance)
    assert {row.kind for row in rows.order_by("display_name")[:25]} == {"machine"}
    with planned_anew(rows.db):
        found = page_of_rows(rows.filter(kind="human"), ["display_name", "id"], 0, 5)
    assert [row.kind for row in found.rows] == ["human"] * 5
    assert found.total is None, "all were gathered"


def test_settings_of_a_list_end_with_it(crowd):
    def said():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('jit'), current_setting('work_mem')")
            return cursor.fetchone()

    before = said()
    with planned_anew(connection.alias):
        assert said() == ("off", "32MB")
    assert said() == before


@pytest.mark.parametrize("text", ["a", "AN", "k", "Ki", "i", "ı", "7", "%", "_a", "s", "é", "an."])
@pytest.mark.parametrize("method", [3, 5, 7])
def test_every_spelling_of_something_short_is_what_any_case_finds(crowd, text, method):
    names = [
        "Kİ",
        "\N{KELVIN SIGN}İ",
        "ıs",
        "sſ",
        "an",
        "AN",
        "aN7",
        "100%",
        "_A",
        "É",
        "k",
        "x_a",
        "xa",
        "anx",
        "İ",
        "an.b",
    ]
    rows = UserRow.objects.filter(instance_id=crowd.instance, id__startswith="3")
    for row, name in zip(rows.order_by("id"), names, strict=False):
        UserRow.objects.filter(instance_id=row.instance_id, id=row.id).update(nick_name=name)
    escaped = text.replace("%", r"\%").replace("_", r"\_")
    shape = {3: "{}%", 5: "%{}%", 7: "%{}"}[method]
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM users_users WHERE nick_name ILIKE %s ORDER BY id", [shape.format(escaped)])
        alike = [id for (id,) in cursor.fetchall()]
    assert list(rows.filter(matches("nick_name", text, method)).order_by("id").values_list("id", flat=True)) == alike


ENDS = [
    "net",
    "NET",
    ".Example.NET",
    "é.net",
    "%",
    "_x.net",
    "\\.net",
    "ß",
    "KELVIN",
    "\N{KELVIN SIGN}",
    "🙂",
    "net🙂",
    "",
]


@pytest.mark.parametrize("text", ENDS)
@pytest.mark.parametrize("method", [6, 7])
def test_an_end_is_found_backwards_as_it_is_forwards(crowd, text, method):
    """The ends of addresses are asked for backwards, by an index of ends; those of first names are not."""
    names = [
        "a.net",
        "A.NET",
        "b.example.net",
        "b.Example.Net",
        "é.net",
        "É.NET",
        "100%",
        "_x.net",
        "yx.net",
        "a\\.net",
    ]
    names += ["straß", "STRASS", "kelvin", "\N{KELVIN SIGN}ELVIN", "k", "🙂", "a.net🙂", ""]
    rows = UserRow.objects.filter(instance_id=crowd.instance, id__startswith="3")
    for row, name in zip(rows.order_by("id"), names, strict=False):
        UserRow.objects.filter(instance_id=row.instance_id, id=row.id).update(first_name=name, email=name)
    backwards, forwards = (
        rows.filter(matches(column, text, method)).order_by("id") for column in ("email", "first_name")
    )
    is_known = bool(text) and (method == 7 or text.isascii())
    assert ("reverse(" in str(backwards.query), "reverse(" in str(forwards.query)) == (is_known, False)
    given = {row.id for row in rows if row.email in names}
    found = [{row.id for row in asked} & given for asked in (backwards, forwards)]
    assert found[0] == found[1]
    assert found[0] or text.lower() != text, "something ends so"


LONG = "A name of more than thirty-two letters, İ"
BEGINNINGS = [
    "a",
    "AN",
    "Kim",
    "ki",
    "İ",
    "i",
    "\N{KELVIN SIGN}im",
    "%",
    "_a",
    "É",
    "é",
    "7",
    "7-",
    LONG,
    LONG[:33],
    LONG[:32],
    LONG.upper(),
    "İ" * 17,
    "İ" * 16,
    "",
]
SHAPES = {
    0: "{0} = {1}",
    1: "UPPER({0}) = UPPER({1}) AND {0} ILIKE {2}",
    2: "{0} LIKE {2} || '%%'",
    3: "{0} ILIKE {2} || '%%'",
}


@pytest.mark.parametrize("purpose", ["", texts.WALK])
@pytest.mark.parametrize("method", SHAPES)
def test_a_beginning_is_found_by_its_head_as_it_is_without(crowd, method, purpose):
    """Every name is asked for too, and what is a little longer than the head of it."""
    names = [*BEGINNINGS, "an.b", "kIM", "100%", "_A", "xa", LONG + "!", LONG[:32] + "!", "i" * 16, "i" * 17, "İ" * 33]
    rows = UserRow.objects.filter(instance_id=crowd.instance, id__startswith="3")
    for row, name in zip(rows.order_by("id"), names, strict=False):
        UserRow.objects.filter(instance_id=row.instance_id, id=row.id).update(nick_name=name)
    seen = 0
    for text in names:
        asked = texts.asked_for(purpose, rows.filter(matches("nick_name", text, method)))
        plain = SHAPES[method].format("nick_name", "%s", "%s")
        escaped = text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
        given = {0: [text], 1: [text, escaped]}.get(method, [escaped])
        expected = rows.extra(where=[plain], params=given)
        assert set(asked.values_list("id", flat=True)) == set(expected.values_list("id", flat=True)), text
        seen += len(asked)
    assert seen > 20


def test_the_index_of_heads_is_asked_where_it_knows_more(crowd):
    rows = UserRow.objects.filter(instance_id=crowd.instance)

    def said(method, text, purpose=""):
        sql = str(texts.asked_for(purpose, rows.filter(matches("nick_name", text, method))).query)
        return ("left(" in sql, "LIKE" in sql.replace("32) LIKE", "") or "= 'A" in sql)

    assert said(3, "an") == (True, False)
    assert said(2, "An") == (True, True)
    assert said(2, "7-") == (True, False)
    assert said(2, "Än") == (False, True)
    assert said(3, "x" * 33) == (True, True)
    assert said(2, "An", texts.ESTIMATE) == (False, True)
    assert said(3, "an", texts.ESTIMATE) == (True, False)
    assert said(1, "Anna", texts.ESTIMATE) == (True, False)
    assert said(3, "an", texts.WALK) == (False, True)
    assert said(3, "ann", texts.WALK) == (True, False)


def test_beside_a_head_no_other_index_is_looked_into(crowd):
    """The same letters as trigrams took 110 ms for an end of 2,500 addresses among a million."""
    for method, text in ((2, "An"), (1, "Anna"), (6, "Com")):
        wanted = matches("email", text, method)
        plan = UserRow.objects.filter(wanted, instance_id=crowd.instance).explain(format="json")
        assert "users_trigrams" not in plan and re.search(r"users_(begin|end)_email", plan), (text, plan)


def test_a_page_near_the_end_puts_few_in_order(crowd, monkeypatch):
    """What is gathered is counted first; from the nearer end only the rows up to the page are kept in order."""
    monkeypatch.setattr(totals, "EXACT", 5)
    monkeypatch.setattr(pages, "FAR", 10)
    rows = UserRow.objects.filter(matches("first_name", "a", 3), instance_id=crowd.instance, kind="human")
    total = rows.count()
    assert total > 40
    monkeypatch.setattr(pages, "_is_sorted", lambda *asked, **options: True)
    for offset in (total - 15, total - 5, total, total + 20):
        with planned_anew(rows.db), CaptureQueriesContext(connection) as captured:
            found = page_of_rows(rows, ["-id"], offset, 10)
        (walk,) = (
            [one["sql"] for one in captured if "ORDER BY" in one["sql"] and "SELECT" in one["sql"]]
            if offset < total
            else [""]
        )
        assert found.total == total
        assert [row.id for row in found.rows] == list(
            rows.order_by("-id").values_list("id", flat=True)[offset : offset + 10]
        )
        assert ("ASC" in walk, "OFFSET 5" in walk) == (offset < total, offset == total - 15)


def test_set_up_drops_what_is_retired(crowd):
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX users_ends_phone ON users_users (instance_id, reverse(phone))")
        indexes.put()
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname = 'users_ends_phone'")
        assert cursor.fetchone() == (0,)
    assert indexes.lacking() == []


def test_many_ids_are_one_value_and_find_what_few_find(crowd):
    rows = UserRow.objects.filter(instance_id=crowd.instance)
    ids = sorted(rows.values_list("id", flat=True))[::7]
    asked = rows.filter(id__in=[*ids, ids[0], "nobody"])
    assert "= ANY(" in str(asked.query) and str(asked.query).count("nobody") == 1
    assert sorted(asked.values_list("id", flat=True)) == ids
    assert rows.exclude(id__in=ids).count() == rows.count() - len(ids)
    assert not rows.filter(id__in=[]).exists()


def test_the_longest_names_find_room_in_every_index(house):
    """A row of an index holds 2,704 bytes; what is drawn by lot cannot be compressed."""
    lots = random.Random(7)

    def longest():
        return "".join(chr(lots.randrange(0x20000, 0x2A6DF)) for number in range(200))

    def longest_id():
        return "".join(lots.choices(string.ascii_letters + string.digits, k=200))

    profile = Profile(longest(), longest(), nick_name=longest())
    address = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 7}"
    person = users.add_human(
        house.system, org_id=house.org, user_name=longest(), user_id=longest_id(), profile=profile, email=address
    ).id
    users.add_machine(house.system, org_id=house.org, user_name=longest(), user_id=longest_id(), name=longest())
    project = projects.add_project(house.system, org_id=house.org, name=longest(), project_id=longest_id()).id
    roles = tuple(longest() for number in range(50))
    for key in roles:
        projects.add_role(house.system, project_id=project, key=key, display_name=key)
    projects.add_authorization(house.system, org_id=house.org, user_id=person, project_id=project, roles=roles)
    row = UserRow.objects.get(instance_id=house.instance, id=person)
    assert len(row.display_name) == 401 and len(row.user_name) == len(row.email) == 200
    given = UserGrantRow.objects.get(instance_id=house.instance, user_id=person)
    assert (given.user_display_name, len(given.roles)) == (row.display_name, 50)
