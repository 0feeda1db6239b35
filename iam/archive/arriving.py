"""From an archive into the log, all or nothing.

Facts are pushed as they were (order, version, actor, time), through the store that writes everything: read tables follow
in the same transaction, personal fields are sealed under new keys of the persons, secrets under the target's data keys.
Unique values are taken at the end from the final states, so an archive that collides with what is there changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TextIO

from django.db import transaction

from eventstore.aggregates import Aggregate, Claim, Vacant, empty
from eventstore.events import Event, UnknownEventError, event_class, from_payload, new_ids
from eventstore.store import IMPORTED, Conflict, Origin, Stream, Taken, Write
from iam.archive.file import BadArchive, Manifest, read
from iam.archive.leaving import INSTANCE
from iam.archive.secrets import sealed
from iam.instance.models import InstanceRow
from iam.kernel.errors import InvalidInput
from iam.kernel.ids import must_be_well_formed
from iam.vault import wiring
from orgs.domain.org import Org
from projects.domain.grants import UserGrant
from projects.models import ProjectRow
from users.commands import naming
from users.domain.names import KIND, TAKEN
from users.domain.user import User
from users.models import UserRow
from users.queries import are_scoped

AT_ONCE = 200
OF_ORGANIZATION = ("org", "project", "user", "usergrant")
"""The kinds of what an organization owns."""
WITH_INNER, INNER = ("project", "user"), ("app_id", "client_id", "grant_id", "key_id", "token_id")
"""The kinds of streams inside of which things begin, and how their facts name those."""


@dataclass
class Arrival:
    """What has been taken in so far."""

    manifest: Manifest
    instance: str
    states: dict[Stream, Aggregate] = field(default_factory=dict)
    digests: dict[Stream, bytes] = field(default_factory=dict)
    versions: dict[Stream, int] = field(default_factory=dict)
    inner: dict[Stream, frozenset[str]] = field(default_factory=dict)
    """The ids of what has begun inside each stream."""


def arrive(source: TextIO, archive_key: bytes, *, instance: str = "") -> Manifest:
    """Take an archive in; an organization into `instance`, or into the only one. Raises BadArchive; nothing stays then."""
    manifest, records = read(source, archive_key)
    arrival = Arrival(manifest, _target(manifest, instance))
    try:
        with transaction.atomic():
            for number, record in enumerate(records):
                if number == 0:
                    _erase(arrival, record["erased"])
                else:
                    _take(arrival, record)
            _must_authorize_for_own(arrival)
            _claim(arrival)
    except Conflict as there:
        raise BadArchive(f"{manifest.scope} {manifest.subject} holds something that is here already") from there
    except Taken as taken:
        claim = taken.claim
        raise BadArchive(f"{claim.kind} {claim.value!r} is taken here: {claim.code}") from taken
    except InvalidInput as refused:
        raise BadArchive(f"{refused.reason or 'something'!r} is the id of nothing: {refused.code}") from refused
    finally:
        wiring.store().persons.forget(arrival.instance, [stream.id for stream in arrival.versions])
    return manifest


def _target(manifest: Manifest, instance: str) -> str:
    """Where the facts go: an instance keeps its id, an organization goes into an instance that is there."""
    known = list(InstanceRow.objects.values_list("instance_id", flat=True)[:3])
    if manifest.scope == INSTANCE:
        if manifest.instance in known or InstanceRow.objects.filter(instance_id=manifest.instance).exists():
            raise BadArchive(f"instance {manifest.instance} is here already")
        return manifest.instance
    if instance:
        if not InstanceRow.objects.filter(instance_id=instance).exists():
            raise BadArchive(f"there is no instance {instance}")
        return instance
    if len(known) != 1:
        raise BadArchive("name the instance that takes the organization: --instance ID")
    return known[0]


def _erase(arrival: Arrival, persons: list[str]) -> None:
    """Whoever was erased there is erased here; not who lives here, nor the instance itself."""
    living = UserRow.objects.filter(instance_id=arrival.instance, id__in=persons).values_list("id", flat=True)
    if here := [*living[:1], *({arrival.instance} & set(persons))]:
        raise BadArchive(f"{here[0]} was erased there and lives here")
    wiring.store().erase_subjects(arrival.instance, persons)


def _must_belong(arrival: Arrival, record: dict[str, Any]) -> None:
    """The archive of an organization holds what the organization owns, and nothing of the instance that takes it."""
    subject = arrival.manifest.subject
    is_own = record["owner"] == subject and record["kind"] in OF_ORGANIZATION
    if arrival.manifest.scope != INSTANCE and not (is_own and (record["kind"] != Org.kind or record["id"] == subject)):
        raise BadArchive(f"{record['kind']} {record['id']} does not belong to {subject}")


def _take(arrival: Arrival, record: dict[str, Any]) -> None:
    _must_belong(arrival, record)
    stream = Stream(arrival.instance, record["kind"], _moved(arrival, record["id"]))
    expected = arrival.versions.get(stream, 0)
    if record["version"] != expected + 1:
        raise BadArchive(f"{stream.kind} {stream.id}: version {expected + 1} is missing")
    fact = _fact(arrival, record)
    owner = _moved(arrival, record["owner"])
    before = arrival.states.get(stream) or empty(_kinds()[stream.kind], stream.id, owner)
    _must_be_inside(arrival, stream, fact)
    ids, begins = new_ids(fact), before.has_own_id and not expected
    for id in ids | ({stream.id} if begins else set()):
        must_be_well_formed(id)
    write = Write(
        stream=stream,
        expected=expected,
        facts=(fact,),
        owner=owner,
        actor=record["actor"],
        at=datetime.fromisoformat(record["at"]),
        after=arrival.digests.get(stream, b""),
        origin=_origin(arrival, record["origin"]),
        begins=begins,
        ids=ids,
    )
    arrival.digests[stream] = wiring.store().push([write])[0].digest
    arrival.versions[stream] = record["version"]
    arrival.states[stream] = replace(before, owner=owner).apply(fact)


def _must_be_inside(arrival: Arrival, stream: Stream, fact: Event) -> None:
    """What a fact of a project or user says of something inside of it is said of nothing of another one."""
    inside = arrival.inner[stream] = arrival.inner.get(stream, frozenset()) | new_ids(fact)
    meant = {getattr(fact, name, "") for name in INNER if stream.kind in WITH_INNER}
    for id in meant - inside - {""}:
        raise BadArchive(f"{fact.stored_name} of {stream.kind} {stream.id} is about {id}, which is not in there")


def _fact(arrival: Arrival, record: dict[str, Any]) -> Event:
    try:
        kind = event_class(record["type"])
    except UnknownEventError:
        raise BadArchive(f"{record['type']} is not known to this program; import with a newer one") from None
    return from_payload(kind, sealed(arrival.instance, kind, record["payload"]))


def _moved(arrival: Arrival, id: str) -> str:
    """The id of the instance becomes the target's; every other id stays."""
    return arrival.instance if id == arrival.manifest.instance else id


def _origin(arrival: Arrival, told: list[str]) -> Origin:
    ip, user_agent, request_id, on_behalf_of = told
    return Origin(ip, user_agent, request_id, on_behalf_of or f"{IMPORTED}{arrival.manifest.id}")


def _must_authorize_for_own(arrival: Arrival) -> None:
    """Nobody of the archive holds roles of a project that is here already: nothing of it is lent to who comes just now."""
    given = {one.project_id for one in arrival.states.values() if isinstance(one, UserGrant)}
    others = given - {stream.id for stream in arrival.versions}
    there = ProjectRow.objects.filter(instance_id=arrival.instance, id__in=others)
    if id := there.values_list("id", flat=True).first():
        raise BadArchive(f"project {id} is here already, and roles of it are given in there")


def _claim(arrival: Arrival) -> None:
    """Take every unique value of whatever still exists; what a removed organization owned holds none."""
    gone = {id for (_, kind, id), state in _addressed(arrival.states) if kind == Org.kind and not state.claims()}
    scoped = {id: are_scoped(arrival.instance, id) for id in {one.owner for one in arrival.states.values()} - gone}
    held = ((stream, state, _claims_here(state, scoped)) for stream, state in arrival.states.items())
    writes = [
        Write(
            stream,
            arrival.versions[stream],
            (),
            state.owner,
            "",
            wiring.ports().now(),
            claims=claims,
            vacant=_vacant(stream, state),
        )
        for stream, state, claims in held
        if state.owner not in gone and claims
    ]
    for start in range(0, len(writes), AT_ONCE):
        wiring.store().push(writes[start : start + AT_ONCE])


def _vacant(stream: Stream, state: Aggregate) -> frozenset[Vacant]:
    """A name is no id of something else; raises Taken for one that was drawn. Login names need nothing: of several who
    have one it leads to whoever had it first (decision 0008)."""
    if not isinstance(state, User) or state.user_name == stream.id:
        return frozenset()
    if naming.is_drawn_id(wiring.store(), stream.instance, state.user_name):
        raise Taken(Claim(KIND, state.user_name, TAKEN))
    return naming.no_chosen_id(state.user_name, stream.id)


def _claims_here(state: Aggregate, scoped: Mapping[str, bool]) -> frozenset[Claim]:
    """The unique values of a state; user names are unique where the settings say so here and now."""
    if isinstance(state, User):
        state = replace(state, organization_scoped=scoped.get(state.owner, False))
    return state.claims()


def _addressed(states: dict[Stream, Aggregate]) -> Iterable[tuple[tuple[str, str, str], Aggregate]]:
    return (((stream.instance, stream.kind, stream.id), state) for stream, state in states.items())


def _kinds() -> dict[str, type[Aggregate]]:
    """The state of each kind of stream; of two that read the same one, that which holds its unique values."""
    found = sorted(Aggregate.__subclasses__(), key=lambda kind: "claims" in vars(kind))
    return {kind.kind: kind for kind in found}
