"""Facts of signing keys, and activities of tokens (events.tsv)."""

from datetime import datetime, timedelta
from typing import Any

from eventstore.events import Activity, Event, Sealed, event, key


@event("web_key.added")
class WebKeyAdded(Event):
    """A signing key was made; its private part is sealed under the instance's data key."""

    private_key: Sealed[str] = ""
    public_key: str = ""
    config: dict[str, Any] = key("config", default_factory=dict)
    config_type: int = 0


@event("web_key.activated")
class WebKeyActivated(Event):
    """From now on this key signs."""


@event("web_key.deactivated")
class WebKeyDeactivated(Event):
    """The key signs no more; it stays published until all it signed is dead."""


@event("web_key.removed")
class WebKeyRemoved(Event):
    """The key is no longer published."""


@event("oidc_session.added")
class OIDCSessionAdded(Event):
    """Activity: an application was let in on behalf of a user."""

    user_id: str = key("userID", default="")
    user_resource_owner: str = ""
    session_id: str = key("sessionID", default="")
    client_id: str = key("clientID", default="")
    audience: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()


@event("oidc_session.access_token.added")
class AccessTokenAdded(Activity):
    """Activity: an access token was issued."""

    id: str = ""
    scope: tuple[str, ...] = ()
    lifetime: timedelta = timedelta()
    reason: int = 0


@event("oidc_session.access_token.revoked")
class AccessTokenRevoked(Event):
    """Activity: an access token was revoked."""


@event("oidc_session.refresh_token.renewed")
class RefreshTokenRenewed(Event):
    """Activity: a refresh token was exchanged for the next one."""

    id: str = ""
    idle_lifetime: timedelta = timedelta()


@event("oidc_session.refresh_token.revoked")
class RefreshTokenRevoked(Event):
    """Activity: a family of refresh tokens was ended, by its owner or because one of it was used twice."""


@event("user.token.added")
class UserTokenAdded(Event):
    """Activity: a service user was given an access token."""

    token_id: str = ""
    application_id: str = ""
    audience: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    expiration: str = ""
    reason: int = 0


@event("oidc_session.refused")
class TokenRefused(Activity):
    """Activity of our own: a code or refresh token was presented again, or by somebody else."""

    client_id: str = key("clientID", default="")
    reason: str = ""


@event("device.authorization.approved")
class DeviceAuthorizationApproved(Activity):
    """Activity: somebody let a device in. `user_auth_methods` in the numbers of the reference: 4 is a password."""

    user_id: str = key("UserID", default="")
    user_org_id: str = key("UserOrgID", default="")
    user_auth_methods: tuple[int, ...] = key("UserAuthMethods", default=())
    auth_time: datetime | None = key("AuthTime", default=None)
    session_id: str = key("SessionID", default="")


@event("device.authorization.canceled")
class DeviceAuthorizationCanceled(Activity):
    """Activity: a device was turned away, by the person or by the rules of the application's project."""

    reason: str = key("Reason", default="")


@event("device.authorization.done")
class DeviceAuthorizationDone(Activity):
    """Activity: the device fetched its tokens."""
