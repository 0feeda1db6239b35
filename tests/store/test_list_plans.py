"""Filters and orders of long lists are answered from indexes: PostgreSQL is asked how many rows it looked at.

3,000 users and authorizations, the requests of `make bench-lists`. Each statement of a list on a long table is explained
as it runs. Scans of whole tables are dear here, as they are where there are millions of rows; so are sorts, of pages far
behind.
"""

import itertools
import json
import re

import pytest
from django.db import connection, transaction
from django.http import QueryDict
from google.protobuf.json_format import ParseDict

from iam.access.caller import RequestMeta
from iam.api.methods import invoke, method
from iam.console import site
from iam.console.kit import ListPage
from iam.console.table import table_of
from projections import pages, totals
from tests import crowded, list_requests

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="plans of PostgreSQL"),
]
SIZES = crowded.Sizes(users=3000, orgs=100, authorizations=3000)
LONG = {"users_users", "projects_user_grants", "projects_user_grant_roles", "users_metadata"}
SELECTIVE, LOOKED_AT = 30, 400
"""Where a filter lets at most SELECTIVE rows of 3,000 through, at most LOOKED_AT are looked at."""
PAGE = 20


class Looking:
    """Explains statements as they run, and counts what they looked at in the long tables."""

    def __init__(self, *dear):
        self.dear = ("enable_seqscan", *dear)
        self.rows, self.plans = 0, []

    def __call__(self, execute, sql, params, many, context):
        if re.match(r"(SELECT|WITH) ", sql) and any(f'FROM "{table}"' in sql for table in LONG):
            with transaction.atomic(), context["connection"].connection.cursor() as cursor:
                cursor.execute("; ".join(f"SET LOCAL {one} = off" for one in self.dear))
                cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
                (plan,) = cursor.fetchone()
                cursor.execute("; ".join(f"SET LOCAL {one} = on" for one in self.dear))
            self.plans.append(plan[0]["Plan"])
            self.rows += looked_at(plan[0]["Plan"])
        return execute(sql, params, many, context)


def looked_at(node):
    """Rows that scans of long tables met, let through or not."""
    below = sum(map(looked_at, node.get("Plans", ())))
    if node.get("Relation Name") not in LONG:
        return below
    met = sum(node.get(key, 0) for key in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"))
    return below + met * node["Actual Loops"]


@pytest.fixture
def crowd(house):
    crowded.fill(SIZES)
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('users_trigrams'), gin_clean_pending_list('usergrants_trigrams')")
        cursor.execute("ANALYZE users_users")
    return house


def answered(house, path, body, *dear):
    """The answer, and what was looked at for it."""
    looking = Looking(*dear)
    request = ParseDict(body, method(path[1:]).request())
    with connection.execute_wrapper(looking):
        answer = invoke(
            path[1:], request, RequestMeta(host="localhost", headers={"authorization": f"Bearer {house.pat}"})
        )
    return answer, looking


def requests(pattern):
    return [one for one in list_requests.requests(SIZES) if re.match(pattern, one[0])]


def total(answer):
    return (answer.pagination if hasattr(answer, "pagination") else answer.details).total_result


def test_a_filter_that_few_rows_pass_looks_at_few(crowd):
    tried, dear = 0, {}
    for name, path, body in requests(r"users, [^,]*$|authorizations, [^,]*$"):
        answer, looking = answered(crowd, path, body)
        if total(answer) <= SELECTIVE:
            tried += 1
            if looking.rows > LOOKED_AT:
                dear[name] = (total(answer), looking.rows)
    assert tried > 60
    assert dear == {}, "\n".join(f"{name}: {found}" for name, found in dear.items())


def test_the_first_page_of_every_order_looks_at_no_more_than_a_page(crowd, monkeypatch):
    monkeypatch.setattr(totals, "EXACT", PAGE)
    for name, path, body in requests(r"(users|authorizations) by "):
        key = "pagination" if "pagination" in body else "query"
        _, looking = answered(crowd, path, {**body, key: {**body[key], "limit": PAGE}})
        assert looking.rows <= 10 * PAGE, (name, looking.rows, looking.plans)


def test_a_page_far_behind_reads_a_page_of_rows_and_ids_before_it(crowd, monkeypatch):
    monkeypatch.setattr(totals, "EXACT", PAGE)
    monkeypatch.setattr(pages, "FAR", PAGE)
    for name, path, body in requests(r"(users|authorizations) by "):
        key = "pagination" if "pagination" in body else "query"
        far = {**body, key: {**body[key], "limit": PAGE, "offset": 1000}}
        _, looking = answered(crowd, path, far, "enable_sort")
        assert looking.rows <= 1000 + 10 * PAGE, (name, looking.rows)
        assert "Index Only Scan" in json.dumps(looking.plans), name


NOT_BESIDE_IDS = ("key", "name ")
"""Texts of authorizations that stand in other tables, or in lists."""


def test_a_page_far_behind_of_a_text_is_counted_off_in_an_index(crowd, monkeypatch):
    """Short parts, that many have: their keys are read in the order of the ids, from an index beside which the text stands."""
    monkeypatch.setattr(totals, "EXACT", PAGE)
    monkeypatch.setattr(pages, "FAR", PAGE)
    with connection.cursor() as cursor:  # as after a VACUUM, which no transaction may run
        cursor.execute("UPDATE pg_class SET relallvisible = relpages WHERE relname = ANY(%s)", [list(LONG)])
        cursor.execute("SET LOCAL seq_page_cost = 100")  # where rows lie in order, the table is read in sequence
    tried, read = 0, {}
    for name, path, body in requests(r"(users|authorizations), [a-zA-Z]+ (contains|ends)\*? '.{1,3}'$"):
        if name.split(", ")[1].startswith(NOT_BESIDE_IDS):
            continue
        key = "pagination" if "pagination" in body else "query"
        far = {**body, key: {**body[key], "limit": PAGE, "offset": 3 * PAGE}}
        answer, looking = answered(crowd, path, far, "enable_sort", "enable_bitmapscan")
        if total(answer) > 10 * PAGE:
            tried += 1
            scans = [plan for plan in looking.plans if plan["Node Type"] == "Limit"]
            if not any(plan["Plans"][0]["Node Type"] == "Index Only Scan" for plan in scans):
                read[name] = scans
    assert tried > 15
    assert read == {}


def test_a_tenth_that_begins_or_ends_so_is_gathered_from_an_index_alone(crowd, monkeypatch):
    """Where walking the order of the ids is dear, beginnings are found in small letters, and the texts stand beside them."""
    monkeypatch.setattr(totals, "EXACT", PAGE)
    monkeypatch.setattr(pages, "FAR", PAGE)
    monkeypatch.setattr(pages, "OFTEN", SIZES.users)
    with connection.cursor() as cursor:  # as after a VACUUM, which no transaction may run
        cursor.execute("UPDATE pg_class SET relallvisible = relpages WHERE relname = ANY(%s)", [list(LONG)])
        cursor.execute("SET LOCAL random_page_cost = 0.1")
    tried, read = 0, {}
    for name, path, body in requests(
        r"users, [a-zA-Z]+ starts\*? '.{1,2}'$|authorizations, (login|display)Name starts\*? '.{1,2}'$|users, (user|nick)Name ends\*? '.'$"
    ):
        key = "pagination" if "pagination" in body else "query"
        far = {**body, key: {**body[key], "limit": PAGE, "offset": 3 * PAGE}}
        answer, looking = answered(crowd, path, far)
        if total(answer) > 5 * PAGE and "number" not in name:
            tried += 1
            if not re.search(r"Index Only Scan[^}]*(users|usergrants)_(begin|end)_", json.dumps(looking.plans)):
                read[name] = looking.plans
    assert tried > 10
    assert read == {}


def test_a_page_far_behind_of_a_role_is_counted_off_in_the_keys_of_its_holders(crowd, monkeypatch):
    """An eighth of all, and all but a few: neither is gathered and sorted, rising or falling."""
    monkeypatch.setattr(totals, "EXACT", PAGE)
    monkeypatch.setattr(pages, "FAR", PAGE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_class SET relallvisible = relpages WHERE relname = ANY(%s)", [list(LONG)])
    path = "/zitadel.authorization.v2.AuthorizationService/ListAuthorizations"
    for key, asc in itertools.product(("admin", "viewer"), (True, False)):
        page = {"limit": PAGE, "offset": 10 * PAGE, "asc": asc}
        answer, looking = answered(crowd, path, {"pagination": page, "filters": [{"roleKey": {"key": key}}]})
        assert total(answer) > 12 * PAGE
        scans = [plan["Plans"][0] for plan in looking.plans if "projects_user_grant_roles" in json.dumps(plan)]
        assert [(one["Node Type"], one["Index Name"]) for one in scans] == [
            ("Index Only Scan", "projects_user_grant_roles_pkey")
        ], (key, asc, looking.plans)
        assert scans[0]["Actual Rows"] == 11 * PAGE
        assert looking.rows <= 13 * PAGE + 1, (key, asc, looking.rows, looking.plans)


@pytest.mark.parametrize(
    "address", ["users?q=nobodyhere", "users?q=zimqui", "authorizations?q=nobodyhere", "authorizations?q=zimqui"]
)
def test_a_search_in_the_console_looks_at_few(crowd, address):
    route, _, asked = address.partition("?")
    page = next(page for page in site.pages() if isinstance(page, ListPage) and page.route == route)
    with connection.execute_wrapper(looking := Looking()):
        found = table_of(crowd.system, page, page.rows(crowd.system, {}), QueryDict(asked))
    assert found.total <= SELECTIVE and looking.rows <= LOOKED_AT, (found.total, looking.rows, looking.plans)


def test_the_search_over_everything_looks_at_few(crowd):
    with connection.execute_wrapper(looking := Looking()):
        assert site.search(crowd.system, "nobodyhere") == []
    assert looking.rows <= LOOKED_AT, looking.plans
