"""Keeps the table of sessions."""

from base64 import b64encode
from typing import Any

from eventstore.events import Event
from eventstore.store import Recorded
from projections.projection import Projection, on, update_row
from users.domain import session_events as facts
from users.models import SessionRow


class Sessions(Projection):
    """One row per session."""

    name = "sessions"
    tables = (SessionRow,)

    @on(facts.SessionAdded)
    def added(self, at: Recorded, fact: facts.SessionAdded) -> None:
        """A session."""
        SessionRow.objects.create(
            instance_id=at.stream.instance,
            id=at.stream.id,
            user_agent=(fact.description or "")[:500],
            ip=fact.ip or "",
            fingerprint_id=fact.fingerprint_id or "",
            header=fact.header or {},
            creator_id=at.actor,
            created_at=at.at,
            changed_at=at.at,
            version=at.version,
        )

    @on(facts.SessionUserChecked)
    def user_checked(self, at: Recorded, fact: facts.SessionUserChecked) -> None:
        """Whose it is."""
        _session(at, user_id=fact.user_id, org_id=fact.user_resource_owner, user_checked_at=fact.checked_at)

    @on(facts.SessionPasswordChecked)
    def password_checked(self, at: Recorded, fact: facts.SessionPasswordChecked) -> None:
        """The password was right."""
        _session(at, password_checked_at=fact.checked_at)

    @on(facts.SessionTokenSet)
    def token_set(self, at: Recorded, fact: facts.SessionTokenSet) -> None:
        """Another token."""
        _session(at, token_digest=fact.digest)

    @on(facts.SessionMetadataSet)
    def metadata_set(self, at: Recorded, fact: facts.SessionMetadataSet) -> None:
        """What it carries."""
        _session(at, metadata={key: b64encode(value).decode() for key, value in (fact.metadata or {}).items()})

    @on(facts.SessionLifetimeSet)
    def lifetime_set(self, at: Recorded, fact: facts.SessionLifetimeSet) -> None:
        """It ends by itself."""
        _session(at, expires_at=at.at + fact.lifetime)

    @on(facts.SessionTerminated)
    def terminated(self, at: Recorded, _: Event) -> None:
        """It is over."""
        _session(at, terminated=True, token_digest="")


def _session(at: Recorded, **columns: Any) -> None:
    update_row(SessionRow, at, at.stream.id, **columns)
