"""Text that looks as if it were ours stays what it is: in every field of every fact, on its way out, in, and to people (K10)."""

import io
import json
import os
import typing

import pytest

from eventstore.events import PayloadField, declared_events, event_class, payload_fields
from eventstore.models import EventRow
from eventstore.records import fact_of, stored, subject_of
from eventstore.store import Origin, Recorded, Stream
from iam.access.caller import system_context
from iam.actions import commands as actions
from iam.actions.domain.target import TargetValues
from iam.archive import leaving
from iam.archive.arriving import Arrival, _fact, arrive
from iam.archive.file import Manifest
from iam.archive.secrets import SEALED
from iam.instance import commands as instances
from iam.outbox.models import Message
from iam.outbox.post import opened
from iam.vault import wiring
from orgs import commands as orgs
from orgs.models import OrgRow
from projections.projection import IMMEDIATE, projections
from projections.rebuild import rebuild
from projects import commands as projects
from projects.models import AppRow, ProjectRow, RoleRow
from tests.house.test_sources import ROOT
from users import commands as users
from users.commands.codes import send_first_codes
from users.domain.profile import Profile
from users.models import UserMetadataRow, UserRow

KEY = b"0123456789abcdef0123456789abcdef"
LOOKS = (
    "v1.web_keys-0123456789ab.AAAA",
    "v1.org_domain-abcdefabcdef.AAAA-_=",
    '{"$secret": "web_keys", "plain": "QUJD"}',
    '{"$sealed": "QUJD"}',
    "$secret",
    "{{.Code}}",
    "{{ code }}",
    "{% now %}",
    "%(code)s",
    "${code}",
    "import:1",
)
"""What we write ourselves somewhere: sealed texts of data keys, of archives, of persons; places in messages; origins."""
FIELDS = [(name, part) for name, kind in declared_events() for part in payload_fields(kind)]


def texts_in(part: PayloadField, text: str):
    """The values of a field that are or hold a text; none for a field that holds none."""
    origin = typing.get_origin(part.annotation)
    inner = typing.get_args(part.annotation)
    if part.annotation is str:
        return [text]
    if origin in (tuple, list, frozenset) and inner and inner[0] is str:
        return [origin([text])]
    if origin is dict and inner[1] in (str, bytes):
        plain = text if inner[1] is str else text.encode()
        return [{text: plain, "$secret": plain, "plain": plain}, {"$sealed": plain}]
    if origin is dict and (several := typing.get_origin(inner[1])) in (tuple, list):
        plain = several([text])
        return [{text: plain, "$secret": plain, "plain": plain}, {"$sealed": plain}]
    if origin is dict or part.annotation is dict:
        return [{text: text}, {"$secret": text, "plain": text}, {"$sealed": text}, {"k": [text, {"$secret": text}]}]
    return []


TEXT_FIELDS = [(name, part) for name, part in FIELDS if texts_in(part, "x") and not part.sealed]


def test_the_fields_that_are_sealed_are_marked():
    """Wherever the product seals into a fact. A new one is found by its call of `seal`."""
    marked = {f"{name}.{part.name}" for name, part in FIELDS if part.sealed}
    assert marked == {
        "org.domain.verification.added.validation_code",
        "target.added.signing_key",
        "target.changed.signing_key",
        "web_key.added.private_key",
    }
    sealing = {
        path.relative_to(ROOT).as_posix()
        for room in ("iam", "orgs", "users", "projects", "oidc")
        for path in (ROOT / room).rglob("*.py")
        if ".seal(" in path.read_text()
    }
    into_rows = {
        "iam/api/idempotency.py",
        "iam/outbox/post.py",
        "iam/console/signin.py",
        "iam/vault/envelope.py",
        "users/resets.py",
    }
    into_facts = {"iam/actions/signing.py", "orgs/commands.py", "oidc/web_keys.py"}
    assert sealing == into_rows | into_facts | {"iam/archive/secrets.py"}


@pytest.mark.parametrize("text", LOOKS)
def test_every_text_field_of_every_fact_leaves_arrives_and_is_stored_as_it_is(house, text):
    assert len(TEXT_FIELDS) > 100
    stream, arrival = Stream(house.instance, "user", "1"), Arrival(Manifest("1", *[""] * 5, 0, 0), house.instance)
    changed = []
    for name, part in TEXT_FIELDS:
        for value in texts_in(part, text):
            fact = event_class(name)(**{part.name: value})
            record = leaving._record(Recorded(1, stream, 1, fact, "", "", wiring.ports().now()))
            if _fact(arrival, json.loads(json.dumps(record))) != fact:
                changed.append(f"archive: {name}.{part.name}")
            keys = {subject_of(stream, fact): os.urandom(32)}
            form = json.loads(json.dumps(stored(stream, fact, Origin(), "", keys).payload))
            if fact_of(stream, name, form, next(iter(keys.values()))) != fact:
                changed.append(f"log: {name}.{part.name}")
    assert not changed


def named_like(house, text) -> tuple[str, str]:
    """An organization and a person in it; everything that may be called so is called so."""
    system = house.system
    org = orgs.add_org(system, name=text).id
    orgs.set_org_metadata(system, org_id=org, values={text: text.encode()})
    person = users.add_human(
        system,
        org_id=org,
        user_name="plain",
        profile=Profile(text, text, nick_name=text, display_name=text),
        email="plain@example.com",
        metadata={text: text.encode()},
    ).id
    project = projects.add_project(system, org_id=org, name=text).id
    projects.add_role(system, project_id=project, key="key", display_name=text, group=text)
    projects.add_api_app(system, project_id=project, name=text)
    return org, person


def held(instance, org):
    """What the read tables say of it."""
    tables = {OrgRow: "id", UserRow: "org_id", ProjectRow: "org_id", AppRow: "org_id"}
    rows = [table.objects.filter(instance_id=instance, **{column: org}) for table, column in tables.items()]
    names = [row.name for some in rows for row in some if hasattr(row, "name")]
    person = UserRow.objects.get(instance_id=instance, org_id=org, kind="human")
    names += [person.first_name, person.last_name, person.nick_name, person.display_name]
    project = ProjectRow.objects.get(instance_id=instance, org_id=org).id
    names += [
        name
        for row in RoleRow.objects.filter(instance_id=instance, project_id=project)
        for name in (row.display_name, row.group)
    ]
    values = UserMetadataRow.objects.filter(instance_id=instance, user_id=person.id)
    return sorted(names), [(row.key, bytes(row.value)) for row in values]


@pytest.mark.parametrize("text", LOOKS)
def test_an_organization_full_of_it_goes_out_in_and_is_rebuilt(house, text):
    org, _ = named_like(house, text)
    before = held(house.instance, org)
    assert text in before[0] and before[1] == [(text, text.encode())]
    out = io.StringIO()
    leaving.export(org, out, KEY)
    other = system_context("200000000000000000", base_url="http://other.example.com")
    instances.add_instance(other, name="Other", domains=("other.example.com",))
    arrive(io.StringIO(out.getvalue()), KEY, instance=other.instance)
    assert held(other.instance, org) == before
    for one in projections(IMMEDIATE):
        assert rebuild(wiring.store(), one, swap=False).different == ()


@pytest.mark.parametrize("text", LOOKS)
def test_a_message_tells_it_as_it_is(house, text):
    _, person = named_like(house, text)
    send_first_codes(house.system, user_id=person)
    letter = opened(house.system, Message.objects.order_by("-created_at").first())
    assert f"Hello {text},\n" in letter.body
    assert letter.body.count("code=") == 1


def test_what_is_sealed_opens_under_the_keys_of_where_it_arrives(house):
    """A target's signing key, a domain's code, an instance's signing keys: not readable in the archive's facts' old form."""
    key = actions.add_target(
        house.system, values=TargetValues(name="v1.web_keys-0123456789ab.AAAA", endpoint="https://t.example/")
    ).signing_key
    sealed = [
        row for row in EventRow.objects.filter(instance_id=house.instance) if SEALED.search(json.dumps(row.payload))
    ]
    assert {row.event_type for row in sealed} >= {"target.added", "web_key.added"}
    (row,) = [row for row in sealed if row.event_type == "target.added"]
    stream = Stream(house.instance, "target", row.aggregate_id)
    record = leaving._record(wiring.store().read(stream)[0])
    assert record["payload"]["signingKey"]["$secret"] and record["payload"]["name"] == "v1.web_keys-0123456789ab.AAAA"
    fact = _fact(Arrival(Manifest("1", *[""] * 5, 0, 0), house.instance), record)
    assert fact.signing_key != row.payload["signingKey"]
    purpose = SEALED.fullmatch(fact.signing_key)[1]
    assert wiring.envelope().open(house.instance, purpose, fact.signing_key).decode() == key
