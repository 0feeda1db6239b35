"""Ids that things had before there were claims of ids: set-up takes them, so that nobody chooses one of them now (T05)."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from eventstore.aggregates import ID, kinds_with_own_id
from eventstore.events import declared_events, payload_fields
from eventstore.models import ClaimRow
from eventstore.store import Write
from iam.kernel.errors import AlreadyExists
from orgs import commands as orgs
from projects import commands as projects
from users import commands as users
from users.domain.events import MachineAdded

migration = import_module("eventstore.migrations.0002_claimed_ids")


def set_up() -> None:
    """What the migration does."""
    migration.claim(apps, SimpleNamespace(connection=connection))


@pytest.mark.django_db
def test_t05_the_ids_of_before_are_claimed(house, monkeypatch):
    system = house.system
    project = projects.add_project(system, org_id=house.org, name="p").id
    projects.add_role(system, project_id=project, key="admin")
    other = orgs.add_org(system, name="Other").id
    _, grant = projects.add_grant(system, project_id=project, granted_org_id=other, roles=("admin",))
    machine, _ = house.machine("m")
    app = projects.add_api_app(system, project_id=project, name="a", method=1)
    old = {
        "project": project,
        "project grant": grant,
        "application": app.id,
        "client": app.client_id,
        "key of an application": projects.add_app_key(system, project_id=project, app_id=app.id).id,
        "key of a service user": users.add_machine_key(system, user_id=machine).id,
        "personal access token": users.add_pat(system, user_id=machine).id,
        "user with an id of its own": "Of-Before",
    }
    system.store.push(
        [
            Write(
                system.stream("user", "Of-Before"),
                0,
                (MachineAdded(user_name="o", name="o"),),
                house.org,
                "",
                system.now(),
            )
        ]
    )
    claimed = set(ClaimRow.objects.filter(kind=ID).values_list("scope", "value")) | {(house.instance, "of-before")}
    ClaimRow.objects.filter(kind=ID).delete()
    set_up()
    set_up()  # once more changes nothing
    assert set(ClaimRow.objects.filter(kind=ID).values_list("scope", "value")) == claimed
    for thing, id in old.items():
        with pytest.raises(AlreadyExists, match=r"id\.taken"):
            orgs.add_org(system, name=thing, org_id=str(id))
    with pytest.raises(AlreadyExists):
        orgs.add_org(system, name="in another case", org_id="oF-bEFORE")


def test_the_migration_knows_every_fact_by_which_a_thing_began_until_then():
    found = {
        name: ".".join(part.path) for name, kind in declared_events() for part in payload_fields(kind) if part.is_new_id
    }
    assert {*migration.INNER.items()} <= {*found.items()} and len(migration.INNER) == 7
    assert {*migration.KINDS} == kinds_with_own_id() - {"instance"}


def test_a_field_that_names_what_begins_is_marked():
    """The fact that adds something inside a stream says its id: in a field that is called after it."""
    added = {
        f"{name}.{part.name}"
        for name, kind in declared_events()
        if name.endswith(".added")
        for part in payload_fields(kind)
        if part.name.endswith("_id") and not part.is_new_id
    }
    assert added == REFERENCES, "is it the id of what begins (NewId), or of something that is there?"


REFERENCES = {
    "instance.member.added.user_id", "instance.member.added.grant_id", "org.member.added.user_id", "org.member.added.grant_id",
    "project.member.added.user_id", "project.member.added.grant_id", "project.grant.member.added.user_id",
    "project.grant.member.added.grant_id", "project.grant.added.granted_org_id", "user.grant.added.user_id",
    "user.grant.added.project_id", "user.grant.added.grant_id", "project.application.config.api.added.app_id",
    "project.application.config.oidc.added.app_id", "project.application.oidc.key.added.application_id",
    "project.application.oidc.key.added.client_id", "session.added.fingerprint_id", "oidc_session.added.user_id",
    "oidc_session.added.session_id", "oidc_session.added.client_id", "user.token.added.token_id",
    "user.token.added.application_id",
}  # fmt: skip
"""Fields of such facts that name what was there before, or a record of use, which is no thing."""


@pytest.mark.django_db
def test_ids_stay_taken_when_their_organization_goes(house):
    system = house.system
    org = orgs.add_org(system, name="Gone", org_id="gone-org").id
    user = users.add_machine(system, org_id=org, user_name="g", name="g", user_id="gone-user").id
    pat = users.add_pat(system, user_id=user).id
    orgs.remove_org(system, org_id=org)
    for id in (org, user, pat):
        with pytest.raises(AlreadyExists):
            projects.add_project(system, org_id=house.org, name=id, project_id=id)
