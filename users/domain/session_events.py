"""What can happen to a session (reference/events.tsv)."""

from datetime import datetime, timedelta

from eventstore.events import Event, Personal, event, key


@event("session.added")
class SessionAdded(Event):
    """A session was opened."""

    fingerprint_id: str = key("user_agent.fingerprint_id", default="")
    ip: Personal[str] = key("user_agent.ip", default="")
    description: Personal[str] = key("user_agent.description", default="")
    header: Personal[dict[str, list[str]]] = key("user_agent.header", default_factory=dict)


@event("session.user.checked")
class SessionUserChecked(Event):
    """Whose session it is."""

    user_id: str = key("userID", default="")
    user_resource_owner: str = ""
    checked_at: datetime | None = None


@event("session.password.checked")
class SessionPasswordChecked(Event):
    """The password was right."""

    checked_at: datetime | None = None


@event("session.token.set")
class SessionTokenSet(Event):
    """Another token; the one before counts no more."""

    token_id: str = key("tokenID", default="")
    digest: str = ""


@event("session.metadata.set")
class SessionMetadataSet(Event):
    """All values that the session carries from now on."""

    metadata: Personal[dict[str, bytes]] = key("metadata", default_factory=dict)


@event("session.lifetime.set")
class SessionLifetimeSet(Event):
    """When it ends by itself."""

    lifetime: timedelta = timedelta(0)


@event("session.terminated")
class SessionTerminated(Event):
    """It is over."""
