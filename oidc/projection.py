"""Keeps the table of signing keys."""

from typing import Any

from eventstore.events import Event
from eventstore.store import Recorded
from oidc.domain.events import WebKeyActivated, WebKeyAdded, WebKeyDeactivated, WebKeyRemoved
from oidc.domain.web_key import KeyConfig, KeyState
from oidc.models import WebKeyRow
from projections.projection import Projection, on, update_row


class WebKeys(Projection):
    """One row per published key."""

    name = "web_keys"
    tables = (WebKeyRow,)

    @on(WebKeyAdded)
    def added(self, at: Recorded, fact: WebKeyAdded) -> None:
        """A new key."""
        WebKeyRow.objects.create(
            instance_id=at.stream.instance,
            id=at.stream.id,
            state=KeyState.INITIAL,
            algorithm=KeyConfig(**fact.config).algorithm if fact.config else "RS256",
            config=fact.config,
            public_key=fact.public_key,
            private_key=fact.private_key,
            created_at=at.at,
            changed_at=at.at,
            version=at.version,
        )

    @on(WebKeyActivated)
    def activated(self, at: Recorded, _: WebKeyActivated) -> None:
        """The key signs."""
        _update(at, state=KeyState.ACTIVE, deactivated_at=None)

    @on(WebKeyDeactivated)
    def deactivated(self, at: Recorded, _: WebKeyDeactivated) -> None:
        """The key signs no more."""
        _update(at, state=KeyState.INACTIVE, deactivated_at=at.at)

    @on(WebKeyRemoved)
    def removed(self, at: Recorded, _: Event) -> None:
        """The key is gone."""
        WebKeyRow.objects.filter(instance_id=at.stream.instance, id=at.stream.id).delete()


def _update(at: Recorded, **columns: Any) -> None:
    update_row(WebKeyRow, at, at.stream.id, **columns)
