"""A query whose tenant filter was lost by mistake turns the tests red (checklist T13)."""

import re

import pytest
from django.db import connection

from tests.house import tenants
from tests.oidc.support import make_flow
from users.models import UserRow


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ('SELECT "users_users"."instance_id" FROM "users_users" WHERE "users_users"."id" = %s', {"users_users"}),
        ('SELECT 1 FROM "users_users" WHERE ("users_users"."id" = %s AND "users_users"."instance_id" = %s)', set()),
        ('UPDATE "users_users" SET "state" = 1 WHERE "users_users"."id" = %s', {"users_users"}),
        ('DELETE FROM "users_users"', {"users_users"}),
        ("SELECT max(version) FROM eventstore_events WHERE instance_id = %s", set()),
        ("SELECT max(version) FROM eventstore_events WHERE aggregate_id = %s", {"eventstore_events"}),
        (
            'SELECT 1 FROM "users_pats" INNER JOIN "users_users" ON ("users_pats"."user_id" = "users_users"."id")'
            ' WHERE "users_pats"."instance_id" = %s',
            {"users_users"},
        ),
        (
            'SELECT 1 FROM "users_pats" INNER JOIN "users_users" ON ("users_pats"."instance_id" ='
            ' "users_users"."instance_id") WHERE "users_pats"."instance_id" = %s',
            set(),
        ),
        (
            'SELECT (SELECT U0."name" FROM "orgs_orgs" U0 WHERE U0."id" = "users_users"."org_id") FROM "users_users"'
            ' WHERE "users_users"."instance_id" = %s',
            {"orgs_orgs"},
        ),
        ('INSERT INTO "users_users" ("id") VALUES (%s)', set()),
        ("SELECT 1 FROM vault_slots", set()),
    ],
)
def test_t13_a_missing_tenant_is_seen_in_every_form_of_statement(db, sql, tables):
    assert tenants.unbound(sql) == tables


def test_t13_every_table_with_a_tenant_is_watched(db):
    assert {
        "users_users",
        "orgs_orgs",
        "projects_apps",
        "oidc_access_tokens",
        "access_memberships",
    } <= tenants.tenant_tables()
    assert len(tenants.tenant_tables()) >= 30


def test_t13_every_filtered_statement_of_a_day_is_red_without_its_filter(house, web, api):
    """Mutation: from each statement of sign-in, reading and writing, the tenant's condition is taken away."""
    seen = set()

    def keep(execute, sql, params, many, context):
        seen.add(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        flow = make_flow(house, web)
        token = flow.tokens()["access_token"]
        flow.userinfo(token)
        api.post("/v2/users", {})
        api.post(f"/v2/users/{flow.person}/lock", {})
        api.get(f"/v2/users/{flow.person}")
    filtered = [sql for sql in seen if tenants.unbound(sql) == frozenset() and re.search(r'"instance_id" = ', sql)]
    filtered = [sql for sql in filtered if not sql.startswith("INSERT")]
    assert len(filtered) > 20
    for sql in filtered:
        mutant = re.sub(
            r'"?\w+"?\."?instance_id"? = (?:%s|\("?\w+"?\."?instance_id"?\)|"?\w+"?\."?instance_id"?)', "1 = 1", sql
        )
        assert mutant != sql and tenants.unbound(mutant), mutant


def test_t13_the_watch_names_the_file_that_asks(db):
    """A statement of a test is the test's own business; the product's are told with their file."""
    with tenants.watched() as found:
        list(UserRow.objects.filter(id="1"))
    assert found == []
    code = compile("list(UserRow.objects.filter(id='1'))", str(tenants.ROOT / "users" / "queries.py"), "exec")
    with tenants.watched() as found:
        exec(code, {"UserRow": UserRow, "list": list})
    assert len(found) == 1 and "users/queries.py reaches every tenant's users_users" in found[0]
