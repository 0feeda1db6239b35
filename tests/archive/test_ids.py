"""An archive is held to the rule of every door: its ids are nobody else's here, and none is reserved or malformed (T05)."""

import io
import json
from dataclasses import replace

import pytest

from eventstore.models import ClaimRow, EventRow
from iam.access.models import MembershipRow
from iam.archive.arriving import arrive
from iam.archive.file import BadArchive, read, write
from iam.archive.leaving import export
from orgs import commands as orgs
from orgs.models import OrgRow
from projects import commands as projects
from projects.domain.project import OidcConfig
from users import commands as users

KEY = b"0123456789abcdef0123456789abcdef"
OWN = (
    "organization",
    "person",
    "machine",
    "project",
    "application",
    "client",
    "grant",
    "authorization",
    "key",
    "token",
)
FORBIDDEN = ("SYSTEM", "nobody", "*", "zitadel", "me", "new", "a/b", "../x", " ", "a\nb", "\x00x", "V2_1", "x" * 201)


@pytest.fixture
def parcel(house):
    """An organization in an archive, which is gone from here afterwards; and the ids of what is in it."""
    system = house.system
    org = orgs.add_org(system, name="Acme").id
    person = house.person("traveller", org=org)
    machine, _ = house.machine("robot", org=org)
    key, token = users.add_machine_key(system, user_id=machine).id, users.add_pat(system, user_id=machine).id
    project = projects.add_project(system, org_id=org, name="Billing").id
    projects.add_role(system, project_id=project, key="admin")
    app = projects.add_oidc_app(
        system, project_id=project, name="web", config=OidcConfig(redirect_uris=("https://app.example/cb",))
    )
    _, grant = projects.add_grant(system, project_id=project, granted_org_id=house.org, roles=("admin",))
    _, given = projects.add_authorization(system, org_id=org, user_id=person, project_id=project, roles=("admin",))
    out = io.StringIO()
    export(org, out, KEY)
    ids = (org, person, machine, project, app.id, app.client_id, grant, given, key, token)
    return out.getvalue(), dict(zip(OWN, ids, strict=True))


@pytest.fixture
def target(house):
    """Another instance, with one of everything."""
    from iam.access.caller import system_context
    from iam.instance import commands as instances

    ctx = system_context("200000000000000000", base_url="http://other.example.com")
    instances.add_instance(ctx, name="Other", domains=("other.example.com",))
    org = orgs.add_org(ctx, name="Here").id
    other = orgs.add_org(ctx, name="There").id
    project = projects.add_project(ctx, org_id=org, name="p").id
    projects.add_role(ctx, project_id=project, key="admin")
    app = projects.add_api_app(ctx, project_id=project, name="a")
    _, grant = projects.add_grant(ctx, project_id=project, granted_org_id=other, roles=("admin",))
    machine = users.add_machine(ctx, org_id=org, user_name="m", name="m").id
    return ctx.instance, {
        "instance": ctx.instance, "organization": org, "project": project, "application": app.id, "client": app.client_id,
        "grant": grant, "user": machine, "key": users.add_machine_key(ctx, user_id=machine).id,
        "token": users.add_pat(ctx, user_id=machine).id,
    }  # fmt: skip


def with_id(text: str, old: str, new: str) -> str:
    """The same archive, where one thing has another id; signed by who has the key."""
    manifest, records = read(io.StringIO(text), KEY)
    changed = json.loads(json.dumps(list(records)).replace(json.dumps(old), json.dumps(new)))
    subject = new if manifest.subject == old else manifest.subject
    out = io.StringIO()
    write(out, replace(manifest, subject=subject), changed, KEY)
    return out.getvalue()


def all_there_is():
    return EventRow.objects.count(), ClaimRow.objects.count(), sorted(map(str, MembershipRow.objects.values_list()))


@pytest.mark.parametrize("thing", OWN)
def test_t05_an_archive_with_an_id_that_is_taken_is_refused(parcel, target, thing):
    text, ids = parcel
    instance, taken = target
    before = all_there_is()
    for kind, id in taken.items():
        with pytest.raises(BadArchive, match=r"taken|here already|is missing"):
            arrive(io.StringIO(with_id(text, ids[thing], id)), KEY, instance=instance)
        assert all_there_is() == before, kind
    arrive(io.StringIO(with_id(text, ids[thing], "free-id")), KEY, instance=instance)


@pytest.mark.parametrize("thing", OWN)
def test_u04_an_archive_with_an_id_that_nothing_may_have_is_refused(parcel, target, thing):
    text, ids = parcel
    instance, _ = target
    before = all_there_is()
    for id in FORBIDDEN:
        with pytest.raises(BadArchive, match=r"id\.(invalid|reserved)"):
            arrive(io.StringIO(with_id(text, ids[thing], id)), KEY, instance=instance)
        assert all_there_is() == before, id


@pytest.mark.parametrize("thing", OWN)
def test_t05_two_things_of_an_archive_have_two_ids(parcel, target, thing):
    text, ids = parcel
    instance, _ = target
    before = all_there_is()
    for other in OWN:
        if other == thing or {other, thing} == {"application", "client"}:  # both say the same of one application
            continue
        with pytest.raises(BadArchive):
            arrive(io.StringIO(with_id(text, ids[thing], ids[other])), KEY, instance=instance)
        assert all_there_is() == before, other


def test_t05_an_organization_with_its_own_instances_id_does_not_become_the_targets(parcel, target, house):
    text, ids = parcel
    instance, _ = target
    before = all_there_is()
    with pytest.raises(BadArchive):
        arrive(io.StringIO(with_id(text, ids["organization"], house.instance)), KEY, instance=instance)
    assert all_there_is() == before
    assert not OrgRow.objects.filter(id=instance).exists()


def test_t05_what_arrived_holds_its_ids(parcel, target, house):
    """Afterwards nobody can choose one of them, of whatever kind."""
    from dataclasses import replace

    from iam.kernel.errors import AlreadyExists

    text, ids = parcel
    instance, taken = target
    arrive(io.StringIO(text), KEY, instance=instance)
    ctx = replace(house.system, instance=instance)
    for thing, id in ids.items():
        with pytest.raises(AlreadyExists):
            projects.add_project(ctx, org_id=taken["organization"], name=thing, project_id=id)
