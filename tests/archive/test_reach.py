"""An archive brings what one organization owns, and says nothing of what is here already, whoever signed it (T05, E12)."""

import io

import pytest

from iam.archive.arriving import arrive
from iam.archive.file import BadArchive, read, write
from orgs.models import OrgDomainRow
from tests.archive.test_ids import KEY, all_there_is, parcel, target, with_id  # noqa: F401 - fixtures
from users.models import PatRow
from users.queries import find_user_by_login


def changed(text, work):
    """The same archive with other records; signed by who has the key."""
    manifest, records = read(io.StringIO(text), KEY)
    out = io.StringIO()
    made = list(records)
    for record in made:
        work(record)
    write(out, manifest, made, KEY)
    return out.getvalue()


def owned_by(owner):
    return lambda record, there, house: record.get("kind") == "user" and record.update(owner=owner(there, house))


def told_of(kind, **names):
    """The first fact of a kind says this of something that is here."""

    def work(record, there, house):
        if record.get("type") == kind:
            record["payload"] |= {name: there[thing] for name, thing in names.items()}

    return work


def instead(kind, other, **names):
    """Another fact stands in the place of one."""

    def work(record, there, house):
        if record.get("type") == kind:
            record |= {"type": other, "payload": {name: there.get(thing, thing) for name, thing in names.items()}}

    return work


def erasing(thing):
    return lambda record, there, house: "erased" in record and record["erased"].append(there[thing])


FOREIGN = {
    "users of an organization that is here": owned_by(lambda there, house: there["organization"]),
    "users of the instance": owned_by(lambda there, house: house.instance),
    "a name that is an id": told_of("user.machine.added", userName="user"),
    "erases a person": erasing("user"),
    "erases the instance": erasing("instance"),
    "roles of a project": told_of("user.grant.added", projectId="project"),
    "a token of another": instead("user.pat.added", "user.pat.removed", tokenId="token"),
    "a key of another": instead("user.machine.key.added", "user.machine.key.removed", keyId="key"),
    "an application of another": instead("project.role.added", "project.application.removed", appId="application"),
    "addresses of another": instead(
        "project.role.added", "project.application.config.oidc.changed", appId="application"
    ),
    "administers a grant of another": instead(
        "project.role.added", "project.grant.member.added", grantId="grant", userId="user"
    ),
    "a session": lambda record, there, house: record.get("type") == "user.machine.added"
    and record.update(kind="session", type="session.added", payload={}),
    "a target of the instance": lambda record, there, house: record.get("kind") == "usergrant"
    and record.update(kind="target", type="target.removed"),
}  # fmt: skip


@pytest.mark.parametrize("what", FOREIGN)
def test_t05_an_archive_that_reaches_beyond_its_organization_is_refused(house, parcel, target, what):  # noqa: F811
    text, _ = parcel
    instance, there = target
    before = all_there_is()
    with pytest.raises(BadArchive):
        arrive(io.StringIO(changed(text, lambda record: FOREIGN[what](record, there, house))), KEY, instance=instance)
    assert all_there_is() == before
    assert PatRow.objects.filter(id=there["token"]).exists()
    arrive(io.StringIO(text), KEY, instance=instance)


def test_u03_a_login_name_that_is_here_stays_whose_it_was(parcel, target):  # noqa: F811
    text, _ = parcel
    instance, there = target
    domain = OrgDomainRow.objects.filter(instance_id=instance, org_id=there["organization"]).first().domain
    name = f"m@{domain}"
    work = lambda record: record.get("type") == "user.machine.added" and record["payload"].update(userName=name)
    arrive(io.StringIO(changed(text, work)), KEY, instance=instance)
    assert find_user_by_login(instance, name).id == there["user"]


def test_c18_an_id_that_is_a_name_here_is_refused(parcel, target):  # noqa: F811
    text, ids = parcel
    with pytest.raises(BadArchive):
        arrive(io.StringIO(with_id(text, ids["machine"], "m")), KEY, instance=target[0])
