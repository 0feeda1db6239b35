"""Who holds a role, beside the authorizations: the database keeps it, whoever writes."""

import importlib
import threading
from types import SimpleNamespace

import pytest
from django.db import connection

from eventstore.portable import facts_of_instance
from iam.instance import commands as instance
from iam.vault import wiring
from orgs import commands as orgs
from projections.projection import projection
from projections.rebuild import rebuild
from projects import commands as projects
from projects import role_keys
from projects.models import UserGrantRoleRow, UserGrantRow
from tests.waiting import at_once
from users import commands as users


@pytest.fixture
def shop(house):
    """A project with three roles, lent to another organization, and who holds them."""
    at_once()
    ctx = house.system
    org = orgs.add_org(ctx, name="Alpha").id
    project = projects.add_project(ctx, org_id=org, name="shop").id
    for key in ("read", "write", "größe"):
        projects.add_role(ctx, project_id=project, key=key)
    other = orgs.add_org(ctx, name="Beta").id
    _, grant = projects.add_grant(ctx, project_id=project, granted_org_id=other, roles=("read", "write"))
    people = {"gigi": house.person("gigi", org=org), "hugo": house.person("hugo", org=other)}
    give = {"project_id": project, "roles": ("read", "write")}
    own = projects.add_authorization(ctx, org_id=org, user_id=people["gigi"], **give)[1]
    lent = projects.add_authorization(ctx, org_id=other, user_id=people["hugo"], **give)[1]
    return {"org": org, "other": other, "project": project, "grant": grant, "own": own, "lent": lent, **people}


def kept(id=None):
    """What the table says, of one authorization or as (id, key) of all."""
    rows = sorted(UserGrantRoleRow.objects.values_list("id", "role_key"))
    return rows if id is None else [key for one, key in rows if one == id]


def told():
    """What the authorizations say."""
    return sorted({(row.id, key) for row in UserGrantRow.objects.all() for key in row.roles})


def test_the_keys_follow_what_is_given_changed_and_taken(house, shop):
    assert kept(shop["own"]) == kept(shop["lent"]) == ["read", "write"]
    assert {row.instance_id for row in UserGrantRoleRow.objects.all()} == {house.instance}
    projects.change_authorization(house.system, authorization_id=shop["own"], roles=("größe", "read"))
    assert kept(shop["own"]) == ["größe", "read"]
    assert kept(shop["lent"]) == ["read", "write"]
    projects.deactivate_authorization(house.system, authorization_id=shop["own"])
    assert kept(shop["own"]) == ["größe", "read"], "they rest, and are still found"
    projects.change_authorization(house.system, authorization_id=shop["lent"], roles=())
    assert kept(shop["lent"]) == []
    projects.remove_authorization(house.system, authorization_id=shop["own"])
    assert kept() == told() == []


@pytest.mark.parametrize(
    ("remove", "own", "lent"),
    [
        (lambda ctx, shop: projects.remove_role(ctx, project_id=shop["project"], key="read"), ["write"], ["write"]),
        (
            lambda ctx, shop: projects.change_grant(
                ctx, project_id=shop["project"], grant_id=shop["grant"], roles=("write",)
            ),
            ["read", "write"],
            ["write"],
        ),
        (
            lambda ctx, shop: projects.remove_grant(ctx, project_id=shop["project"], grant_id=shop["grant"]),
            ["read", "write"],
            [],
        ),
        (lambda ctx, shop: projects.remove_project(ctx, project_id=shop["project"]), [], []),
        (lambda ctx, shop: users.remove_user(ctx, user_id=shop["gigi"]), [], ["read", "write"]),
        (lambda ctx, shop: orgs.remove_org(ctx, org_id=shop["other"]), ["read", "write"], []),
    ],
    ids=["role", "what is lent", "grant", "project", "user", "organization"],
)
def test_nothing_stays_behind_what_is_removed(house, shop, remove, own, lent):
    remove(house.system, shop)
    assert (kept(shop["own"]), kept(shop["lent"])) == (own, lent)
    assert kept() == told()


def test_a_removed_instance_keeps_as_many_keys_as_authorizations(house, shop):
    """Its rows stay for the log's sake, out of everybody's reach; the keys are no other case."""
    instance.remove_instance(house.system, instance_id=house.instance)
    assert kept() == told()


def test_a_key_that_is_there_twice_is_kept_once(shop):
    row = UserGrantRow.objects.get(id=shop["own"])
    UserGrantRow.objects.filter(id=row.id).update(roles=["read", "read", "a", "a"])
    UserGrantRow.objects.bulk_create([UserGrantRow(**{**columns(row), "id": "new", "roles": ["b", "b"]})])
    assert (kept(row.id), kept("new")) == (["a", "read"], ["b"])
    UserGrantRow.objects.filter(id="new").delete()
    assert kept() == told()


def columns(row):
    return {field.name: getattr(row, field.name) for field in row._meta.concrete_fields if field.column}


def test_nothing_is_written_where_roles_stay_what_they_are(shop):
    row = UserGrantRow.objects.get(id=shop["own"])
    UserGrantRoleRow.objects.all().delete()
    UserGrantRow.objects.filter(id=row.id).update(roles=row.roles, state=2)
    assert kept() == []


def test_a_rebuild_writes_the_same_keys(house, shop):
    before = kept()
    for swap in (False, True):
        assert rebuild(wiring.store(), projection("authorizations"), swap=swap).different == ()
        assert kept() == before == told()
    UserGrantRow.objects.filter(instance_id=house.instance).delete()
    assert kept() == []
    for fact in facts_of_instance(house.system.store, house.instance):
        projection("authorizations").apply(fact)
    assert kept() == before


def without_triggers():
    """As a database of before, or where SQLite has made the table anew."""
    of_table = " ON projects_user_grants" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in role_keys.EVENTS:
            cursor.execute(f"DROP TRIGGER {name}{of_table}")


def test_set_up_makes_the_triggers_that_are_missing_and_enters_what_is_there(shop, monkeypatch):
    monkeypatch.setattr(role_keys, "AT_ONCE", 1)
    without_triggers()
    UserGrantRow.objects.filter(id=shop["own"]).update(roles=["x", "write"])
    UserGrantRow.objects.filter(id=shop["lent"]).delete()
    assert kept() != told()
    role_keys.put()
    assert kept() == told() == [(shop["own"], "write"), (shop["own"], "x")]
    UserGrantRow.objects.filter(id=shop["own"]).update(roles=["y"])
    assert kept(shop["own"]) == ["y"]
    UserGrantRow.objects.all().delete()
    assert kept() == []


def test_set_up_enters_what_every_tenant_holds(shop, monkeypatch):
    monkeypatch.setattr(role_keys, "AT_ONCE", 2)
    row = columns(UserGrantRow.objects.get(id=shop["own"]))
    others = [("a", f"{n}") for n in range(4)] + [("z", f"{n}") for n in range(3)]
    UserGrantRow.objects.bulk_create(UserGrantRow(**{**row, "instance_id": tenant, "id": id}) for tenant, id in others)
    before = sorted(UserGrantRoleRow.objects.values_list("instance_id", "id", "role_key"))
    assert len(before) == 2 * (2 + len(others))
    UserGrantRoleRow.objects.all().delete()
    role_keys.fill()
    assert sorted(UserGrantRoleRow.objects.values_list("instance_id", "id", "role_key")) == before


def test_set_up_of_what_is_whole_costs_a_statement(shop, django_assert_num_queries):
    with django_assert_num_queries(1):
        role_keys.put()


def test_the_migration_begins_again_where_it_was_broken_off_and_can_be_taken_back(shop):
    """With triggers but a half full table, no server starts: the migration is not done."""
    migration = importlib.import_module("projects.migrations.0009_enter_holders_of_roles")
    assert not migration.Migration.atomic
    before = kept()
    UserGrantRoleRow.objects.filter(role_key="read").delete()
    with connection.cursor() as cursor:
        editor = SimpleNamespace(connection=connection, execute=cursor.execute)
        migration.enter(None, editor)
        assert kept() == before
        migration.leave(None, editor)
        UserGrantRow.objects.all().delete()
        assert kept() == before, "nobody keeps the table, which goes next"
        migration.enter(None, editor)
    assert kept() == []


GRANT = (
    "INSERT INTO projects_user_grants (instance_id, id, org_id, user_id, project_id, grant_id, roles, state, created_at,"
    " changed_at, version) VALUES ('i', 'g', 'o', 'u', 'p', '', '[\"old\"]', 1, now(), now(), 1)"
)


def test_roles_that_change_while_set_up_enters_them_are_entered_as_they_become(meeting):
    first, look = meeting.session(), meeting.session()
    first.execute(GRANT)
    first.execute("DELETE FROM projects_user_grant_roles")  # as if it had come before the triggers
    first.commit()
    first.execute("UPDATE projects_user_grants SET roles = '[\"new\"]' WHERE id = 'g'")
    filling = threading.Thread(
        target=meeting.manage, args=("shell", "-c", "from projects import role_keys; role_keys.fill()")
    )
    filling.start()
    meeting.wait_for_lock(look)
    first.commit()
    filling.join(60)
    assert look.execute("SELECT role_key FROM projects_user_grant_roles WHERE id = 'g'").fetchall() == [("new",)]
