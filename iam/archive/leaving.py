"""From the log to an archive."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TextIO

from eventstore.events import to_payload
from eventstore.portable import erased_persons, facts_of_instance, facts_of_owner
from eventstore.records import UnknownFact
from eventstore.store import Recorded
from iam.archive.file import BadArchive, Manifest, write
from iam.archive.secrets import opened
from iam.instance.models import InstanceRow
from iam.kernel.ids import Ids
from iam.vault import wiring
from orgs.models import OrgRow

INSTANCE, ORGANIZATION = "instance", "organization"


@dataclass(frozen=True)
class Subject:
    """What is exported: an instance, or one organization of it."""

    scope: str
    instance: str
    id: str
    name: str

    def facts(self) -> Iterator[Recorded]:
        """Its facts in the order of the log."""
        if self.scope == INSTANCE:
            return facts_of_instance(wiring.store(), self.instance)
        return facts_of_owner(wiring.store(), self.instance, self.id)


def subject_of(id: str) -> Subject:
    """The instance or organization of an id; raises BadArchive."""
    if instance := InstanceRow.objects.filter(instance_id=id).first():
        return Subject(INSTANCE, id, id, instance.name)
    found = list(OrgRow.objects.filter(id=id)[:2])
    if len(found) != 1:
        raise BadArchive(
            f"{id} is {'no instance and no organization' if not found else 'not the id of one organization'}"
        )
    return Subject(ORGANIZATION, found[0].instance_id, id, found[0].name)


def export(id: str, out: TextIO, archive_key: bytes) -> Manifest:
    """Write one instance or organization; answers the manifest. Facts are read twice: counted, then written."""
    subject = subject_of(id)
    facts = sum(1 for _ in subject.facts())
    erased = erased_persons(subject.instance, _persons(subject))
    manifest = Manifest(
        id=Ids(0)(),
        scope=subject.scope,
        subject=subject.id,
        name=subject.name,
        instance=subject.instance,
        created_at=wiring.ports().now().isoformat(),
        lines=facts + 1,
        facts=facts,
    )
    write(out, manifest, _records(subject, erased, facts), archive_key)
    return manifest


def _persons(subject: Subject) -> set[str] | None:
    """Whose keys matter; None means everybody of the instance."""
    if subject.scope == INSTANCE:
        return None
    return {id for one in subject.facts() for id in (one.stream.id, one.actor)}


def _records(subject: Subject, erased: list[str], facts: int) -> Iterator[dict[str, Any]]:
    yield {"erased": erased}
    for recorded in islice(subject.facts(), facts):  # what came after the count belongs to the next archive
        yield _record(recorded)


def _record(recorded: Recorded) -> dict[str, Any]:
    if isinstance(recorded.fact, UnknownFact):
        raise BadArchive(f"{recorded.fact.name} was written by a newer program; export with that one")
    payload, _ = to_payload(recorded.fact)
    return {
        "kind": recorded.stream.kind,
        "id": recorded.stream.id,
        "version": recorded.version,
        "type": recorded.fact.stored_name,
        "owner": recorded.owner,
        "actor": recorded.actor,
        "at": recorded.at.isoformat(),
        "payload": opened(recorded.stream.instance, type(recorded.fact), json.loads(json.dumps(payload))),
        "origin": [
            recorded.origin.ip,
            recorded.origin.user_agent,
            recorded.origin.request_id,
            recorded.origin.on_behalf_of,
        ],
    }
