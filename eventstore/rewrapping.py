"""Persons' keys under another data key, a batch at a time while others read and write."""

from collections.abc import Callable

from eventstore.models import PersonKey

BATCH = 200
Rewrap = Callable[[str], str]
"""A wrapped key under the current data key; the same text when it is already."""


def rewrap_persons(instance: str, rewrap: Rewrap) -> int:
    """Wrap every person's key anew; answers how many changed. Killed anywhere, it goes on where it stopped.

    A key is replaced only if it is still the one that was read: who is erased meanwhile stays erased.
    """
    changed, last = 0, ""
    rows = PersonKey.objects.filter(instance_id=instance).exclude(wrapped="").order_by("id")
    while found := list(rows.filter(id__gt=last).values_list("id", "wrapped")[:BATCH]):
        for id, wrapped in found:
            if (wanted := rewrap(wrapped)) != wrapped:
                mine = PersonKey.objects.filter(instance_id=instance, id=id, wrapped=wrapped)
                changed += mine.update(wrapped=wanted)
        last = found[-1][0]
    return changed
