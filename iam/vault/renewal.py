"""New data keys while serving. What is sealed from now on is sealed under them; persons' keys are wrapped anew.

The log does not change, so a data key that once sealed a secret in a fact (a signing key's private part) stays: it opens
what it sealed, and no more. Every process notices a new data key within `envelope.KEPT_SECONDS`.
"""

from eventstore.rewrapping import rewrap_persons
from iam.vault import wiring
from iam.vault.envelope import PERSONS, key_id
from iam.vault.models import DataKey


def renew(instance: str) -> tuple[int, int]:
    """New data keys for every purpose of an instance; answers how many, and how many persons' keys were wrapped anew."""
    envelope = wiring.envelope()
    purposes = sorted(set(DataKey.objects.filter(instance_id=instance).values_list("purpose", flat=True)))
    for purpose in purposes:
        envelope.renew(instance, purpose)
    return len(purposes), rewrap(instance)


def rewrap(instance: str) -> int:
    """Wrap persons' keys that lie under an older data key; answers how many. This is what goes on after a kill."""
    envelope = wiring.envelope()
    current = envelope.current(instance, PERSONS)

    def under_current(wrapped: str) -> str:
        return wrapped if key_id(wrapped) == current else envelope.wrap(instance, envelope.unwrap(instance, wrapped))

    return rewrap_persons(instance, under_current)
