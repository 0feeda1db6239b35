"""A session: who has proved what, in one browser or one client of the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar, Self

from eventstore.aggregates import Aggregate
from eventstore.events import Event
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from users.domain import session_events as facts

LONGEST = timedelta(days=3650)
LONGEST_KEY, MOST_METADATA = 200, 64 * 1024


@dataclass(frozen=True)
class Agent:
    """In which browser or program a session was opened, as its client says."""

    fingerprint_id: str = ""
    ip: str = ""
    description: str = ""
    header: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Session(Aggregate):
    """Checks with their times; owned by the instance."""

    kind: ClassVar[str] = "session"
    exists: bool = False
    terminated: bool = False
    user_id: str = ""
    user_org: str = ""
    password_checked_at: datetime | None = None
    token_id: str = ""
    metadata: Mapping[str, bytes] = field(default_factory=dict)

    def add(self, agent: Agent) -> list[Event]:
        """Open it."""
        if self.exists:
            raise AlreadyExists("session.already_exists")
        header = {name: list(values) for name, values in agent.header.items()}
        return [
            facts.SessionAdded(
                fingerprint_id=agent.fingerprint_id, ip=agent.ip, description=agent.description, header=header
            )
        ]

    def check_user(self, user_id: str, org_id: str, now: datetime) -> list[Event]:
        """Say whose it is; it cannot change hands."""
        self.must_live()
        if self.user_id and self.user_id != user_id:
            raise InvalidInput("session.user_changed", field="checks")
        return [facts.SessionUserChecked(user_id=user_id, user_resource_owner=org_id, checked_at=now)]

    def check_password(self, now: datetime) -> list[Event]:
        """Note that the password was right."""
        self.must_live()
        if not self.user_id:
            raise FailedPrecondition("session.user_missing")
        return [facts.SessionPasswordChecked(checked_at=now)]

    def set_token(self, token_id: str, digest: str) -> list[Event]:
        """Give it a new token; the one before counts no more."""
        self.must_live()
        return [facts.SessionTokenSet(token_id=token_id, digest=digest)]

    def set_lifetime(self, lifetime: timedelta) -> list[Event]:
        """Let it end by itself."""
        self.must_live()
        if not timedelta(0) < lifetime <= LONGEST:
            raise InvalidInput("session.lifetime_invalid", field="lifetime")
        return [facts.SessionLifetimeSet(lifetime=lifetime)]

    def set_metadata(self, values: Mapping[str, bytes]) -> list[Event]:
        """Keep values under keys; an empty value forgets its key."""
        self.must_live()
        kept = {key: value for key, value in {**self.metadata, **values}.items() if value}
        if any(not 1 <= len(key) <= LONGEST_KEY for key in kept) or _size(kept) > MOST_METADATA:
            raise InvalidInput("session.metadata_too_large", field="metadata", reason=f"at most {MOST_METADATA} bytes")
        return [] if kept == self.metadata else [facts.SessionMetadataSet(metadata=kept)]

    def terminate(self) -> list[Event]:
        """End it; ending twice says nothing."""
        if not self.exists:
            raise NotFound("session.not_found")
        return [] if self.terminated else [facts.SessionTerminated()]

    def must_live(self) -> None:
        """Raises NotFound for a session that never was or is over."""
        if not self.exists or self.terminated:
            raise NotFound("session.not_found")

    def apply(self, fact: Event) -> Self:
        """The session after a fact."""
        match fact:
            case facts.SessionAdded():
                return replace(self, exists=True)
            case facts.SessionUserChecked(user_id=user_id, user_resource_owner=org):
                return replace(self, user_id=user_id, user_org=org)
            case facts.SessionPasswordChecked(checked_at=at):
                return replace(self, password_checked_at=at)
            case facts.SessionTokenSet(token_id=id):
                return replace(self, token_id=id)
            case facts.SessionMetadataSet(metadata=metadata):
                return replace(self, metadata=metadata)
            case facts.SessionTerminated():
                return replace(self, terminated=True)
        return self


def _size(metadata: Mapping[str, bytes]) -> int:
    return sum(len(key.encode()) + len(value) for key, value in metadata.items())
