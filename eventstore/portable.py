"""Reading what is taken elsewhere: the facts of an instance or of one owner, and the persons who were erased."""

from collections.abc import Iterator

from django.db.models import Q

from eventstore.database import DatabaseStore
from eventstore.models import EventRow, PersonKey
from eventstore.reading import CHUNK, facts_after
from eventstore.store import Recorded


def facts_of_instance(store: DatabaseStore, instance: str) -> Iterator[Recorded]:
    """Every fact of an instance, in order."""
    return facts_after(store, 0, instance=instance)


def facts_of_owner(store: DatabaseStore, instance: str, owner: str) -> Iterator[Recorded]:
    """Every fact whose stream belongs to one organization, in order."""
    mine = Q(instance_id=instance, owner=owner)
    position = 0
    while found := store.open(EventRow.objects.filter(mine, position__gt=position).order_by("position")[:CHUNK]):
        yield from found
        position = found[-1].position


def erased_persons(instance: str, among: set[str] | None) -> list[str]:
    """Persons whose keys were destroyed; of everybody, or of some."""
    rows = PersonKey.objects.filter(instance_id=instance, wrapped="")
    ids = rows.order_by("id").values_list("id", flat=True)
    return [id for id in ids if among is None or id in among]
