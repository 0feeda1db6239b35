"""A session: who has proved what, in one browser or one client of the API."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Self

from eventstore.aggregates import Aggregate
from eventstore.events import Event
from iam.kernel.errors import AlreadyExists, FailedPrecondition, NotFound
from users.domain import events as facts


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

    def add(self, *, fingerprint_id: str = "", ip: str = "", description: str = "") -> list[Event]:
        """Open it."""
        if self.exists:
            raise AlreadyExists("session.already_exists")
        return [facts.SessionAdded(fingerprint_id=fingerprint_id, ip=ip, description=description)]

    def check_user(self, user_id: str, org_id: str, now: datetime) -> list[Event]:
        """Say whose it is; it cannot change hands."""
        self.must_live()
        if self.user_id and self.user_id != user_id:
            raise FailedPrecondition("session.user_changed")
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
        return [facts.SessionLifetimeSet(lifetime=lifetime)] if lifetime else []

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
            case facts.SessionTerminated():
                return replace(self, terminated=True)
        return self
