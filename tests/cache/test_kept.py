"""Kept answers in one process: fewer statements, the same answers, and none that outlives a change."""

import json
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iam.cache import epochs, kept, triggers
from iam.cache.models import EpochRow
from iam.cache.stores import Breaker, MemoryStore, RedisStore
from iam.observe import exposition
from iam.settings.watching import RedisSection
from orgs import commands as orgs
from projects import commands as projects
from tests.oidc.support import make_flow
from tests.oidc.test_service_users import FRAME, NUMBER

CLASSES = ("Memberships", "Organization", "OIDC")
ROLES = "openid urn:zitadel:iam:org:projects:roles"


def commit():
    """What PostgreSQL does at the end of a transaction; a test runs in one."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute("UPDATE cache_epochs SET renewed_by = ''")


@pytest.fixture
def cached():
    """Every class in the memory of this process."""
    kept.start_anew()
    for name in CLASSES:
        getattr(settings.CONFIG.Caches, name).Connector = "memory"
    yield
    for name in CLASSES:
        getattr(settings.CONFIG.Caches, name).Connector = ""
    kept.start_anew()


@pytest.fixture
def flow(house, web):
    made = make_flow(house, web)
    projects.add_role(house.system, project_id=made.project, key="editor", display_name="Editor")
    made.api = projects.add_api_app(house.system, project_id=made.project, name="api")
    commit()
    return made


@pytest.fixture
def counted():
    registry = exposition.start()
    yield lambda: registry.text().decode()
    exposition.stop()


@contextmanager
def statements():
    found = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found += [one["sql"] for one in captured.captured_queries if not one["sql"].startswith((*FRAME, NUMBER))]


def introspect(flow, token):
    form = {"token": token, "client_id": flow.api.client_id, "client_secret": flow.api.secret}
    return flow.form("/oauth/v2/introspect", form)


def calls(flow, token):
    """The questions that clients ask all the time."""
    return {
        "discovery": lambda: flow.web.get("/.well-known/openid-configuration"),
        "keys": lambda: flow.web.get("/oauth/v2/keys"),
        "introspection": lambda: introspect(flow, token),
        "introspection with roles": lambda: introspect(flow, flow.with_roles),
        "userinfo": lambda: flow.web.get("/oidc/v1/userinfo", headers={"authorization": f"Bearer {token}"}),
    }


def budget(call):
    call()
    with statements() as asked:
        answer = call()
    assert answer.status_code == 200
    return len(asked)


OFF = {"discovery": 2, "keys": 2, "introspection": 3, "introspection with roles": 4, "userinfo": 2}
ON = {"discovery": 1, "keys": 1, "introspection": 2, "introspection with roles": 2, "userinfo": 2}


def budgets(flow):
    token = flow.tokens(scope="openid profile")["access_token"]
    flow.with_roles = flow.tokens(scope=ROLES)["access_token"]
    return {name: budget(call) for name, call in calls(flow, token).items()}


def test_row15_caches_are_off_by_default_and_cost_nothing(flow):
    assert not kept.is_on()
    assert budgets(flow) == OFF


def test_row28_caches_take_statements_away(flow, cached):
    assert budgets(flow) == ON


def test_row37_hits_and_misses_are_counted_by_class(flow, cached, counted):
    budgets(flow)
    text = counted()
    for name in ("organization", "oidc", "memberships"):
        assert f'gatehouse_cache_hits_total{{cache="{name}"}}' in text
        assert f'gatehouse_cache_misses_total{{cache="{name}"}}' in text


def test_a_role_that_was_taken_is_not_told_at_the_next_request(flow, cached):
    ctx = flow.house.system
    _, given = projects.add_authorization(
        ctx, org_id=flow.house.org, user_id=flow.person, project_id=flow.project, roles=("editor",)
    )
    commit()
    token = flow.tokens(scope=ROLES)["access_token"]
    claim = f"urn:zitadel:iam:org:project:{flow.project}:roles"
    assert "editor" in introspect(flow, token).json()[claim]
    assert "editor" in introspect(flow, token).json()[claim]
    projects.remove_authorization(ctx, authorization_id=given)
    commit()
    assert claim not in introspect(flow, token).json()


def test_a_client_that_is_stopped_is_refused_at_the_next_request(flow, cached):
    token = flow.tokens(scope="openid")["access_token"]
    assert introspect(flow, token).json()["active"]
    projects.deactivate_app(flow.house.system, project_id=flow.project, app_id=flow.api.id)
    commit()
    assert introspect(flow, token).status_code == 401


def test_an_organization_that_is_stopped_takes_its_clients_along(flow, cached):
    token = flow.tokens(scope="openid")["access_token"]
    assert introspect(flow, token).json()["active"]
    flow.house.stop_org()
    commit()
    assert introspect(flow, token).status_code == 401


def test_e13_what_was_kept_before_a_restore_is_not_told_after_it(flow, cached):
    token = flow.tokens(scope="openid")["access_token"]
    words = list(EpochRow.objects.all())
    assert introspect(flow, token).status_code == 200
    projects.deactivate_app(flow.house.system, project_id=flow.project, app_id=flow.api.id)
    commit()
    for row in words:  # the backup has the client stopped under words that were used while it was not
        row.save()
    assert introspect(flow, token).status_code == 200
    call_command("restored")
    assert introspect(flow, token).status_code == 401
    assert not {row.oidc for row in words} & set(EpochRow.objects.values_list("oidc", flat=True))


def test_a_request_that_writes_reads_its_own_change(house, cached):
    commit()
    with epochs.noted():
        house.owner  # noqa: B018 - finds the instance, which notes the epochs
        assert epochs.known(house.instance, kept.OIDC)
        orgs.add_org(house.system, name="Another")
        assert not epochs.known(house.instance, kept.OIDC)


def test_outside_of_a_request_nothing_is_kept(house, cached):
    house.owner  # noqa: B018
    asked = []
    for _ in range(2):
        kept.kept(kept.OIDC, house.instance, ("one",), lambda: asked.append(1) or [1])
    assert len(asked) == 2


def test_every_watched_table_has_its_triggers(house):
    with connection.cursor() as cursor:
        is_postgres = connection.vendor == "postgresql"
        cursor.execute("SELECT tgname FROM pg_trigger" if is_postgres else "SELECT name FROM sqlite_master")
        there = {name for (name,) in cursor.fetchall()}
    for one in triggers.watched():
        wanted = triggers._postgres(one) if is_postgres else triggers._sqlite(one)
        assert set(wanted) <= there


def test_an_epoch_is_renewed_only_by_what_its_answers_come_from(house):
    def now():
        commit()
        row = EpochRow.objects.get(scope=house.instance)
        return [getattr(row, name) for name in triggers.NAMES]

    before = now()
    house.person("someone")
    assert now() == before
    made = projects.add_project(house.system, org_id=house.org, name="P")
    assert now() == before  # a new project has no client yet
    projects.deactivate_project(house.system, project_id=made.id)
    after = now()
    assert [a == b for a, b in zip(after, before, strict=True)] == [True, True, False]


# Stores


def test_entries_of_the_memory_end():
    at = [0.0]
    store = MemoryStore(clock=lambda: at[0])
    store.put("a", b"1", 10)
    assert store.get("a") == b"1"
    at[0] = 10.0
    assert store.get("a") is None


def test_a_breaker_opens_tries_once_and_closes():
    at = [0.0]
    breaker = Breaker(2, 60, clock=lambda: at[0])
    assert breaker.may_try() and not breaker.failed()
    assert breaker.failed() and breaker.is_open
    assert not breaker.may_try()
    at[0] = 60.0
    assert breaker.may_try() and not breaker.may_try()  # one tries, the others do not wait for it
    breaker.succeeded()
    assert breaker.may_try() and not breaker.is_open


class Shelf:
    """What Redis does here, as a dict that somebody else may write to."""

    def __init__(self):
        self.kept = {}

    def get(self, key):
        return self.kept.get(key)

    def set(self, key, value, px):
        self.kept[key] = value


def test_an_entry_that_was_not_sealed_for_its_key_is_no_entry():
    shelf = Shelf()
    store = RedisStore(RedisSection(), b"secret", client=shelf)
    store.put("a", json.dumps(["viewer"]).encode(), 60)
    assert store.get("a") == b'["viewer"]'
    shelf.kept["b"] = shelf.kept["a"]  # moved to another question
    shelf.kept["c"] = b"0" * 32 + b'["owner"]'  # made up
    shelf.kept["d"] = b"short"
    assert [store.get(key) for key in "bcd"] == [None, None, None]
