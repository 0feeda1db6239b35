"""What can happen to a user and to a session (reference/events.tsv)."""

from datetime import datetime, timedelta

from eventstore.events import Activity, Event, NewId, Personal, event, key
from iam.access.members import HolderRemoved


@event("user.human.added", revision=2)
class HumanAdded(Event):
    """A person."""

    user_name: Personal[str] = ""
    first_name: Personal[str] = ""
    last_name: Personal[str] = ""
    nick_name: Personal[str] = ""
    display_name: Personal[str] = ""
    preferred_language: Personal[str] = ""
    gender: Personal[int] = 0
    email: Personal[str] = ""
    phone: Personal[str] = ""
    encoded_hash: Personal[str] = ""
    change_required: bool = False
    organization_scoped: bool | None = None
    with_domain: bool | None = None
    """What the settings said of names at that time; None in facts of older programs."""


@event("user.machine.added", revision=2)
class MachineAdded(Event):
    """A service user."""

    user_name: str = ""
    name: str = ""
    description: str = ""
    access_token_type: int = 0
    organization_scoped: bool | None = None
    with_domain: bool | None = None
    """What the settings said of names at that time; None in facts of older programs."""


@event("user.machine.changed", revision=2)
class MachineChanged(Event):
    """Its name, description or kind of token changed."""

    name: str | None = None
    description: str | None = None
    access_token_type: int | None = None


@event("user.username.changed", revision=2)
class UsernameChanged(Event):
    """Another user name."""

    user_name: Personal[str] = ""
    organization_scoped: bool | None = None
    with_domain: bool | None = None
    """What the settings said of names at that time; None in facts of older programs."""


@event("user.human.profile.changed", revision=2)
class ProfileChanged(Event):
    """Some of the profile changed."""

    first_name: Personal[str] | None = None
    last_name: Personal[str] | None = None
    nick_name: Personal[str] | None = None
    display_name: Personal[str] | None = None
    preferred_language: Personal[str] | None = None
    gender: Personal[int] | None = None


@event("user.human.email.changed", revision=2)
class EmailChanged(Event):
    """Another address, not verified."""

    email: Personal[str] = ""


@event("user.human.email.verified", revision=2)
class EmailVerified(Event):
    """The address is the person's."""


@event("user.human.email.verification.failed", revision=2)
class EmailVerificationFailed(Event):
    """A wrong code was given."""


@event("user.human.email.code.added", revision=2)
class EmailCodeAdded(Event):
    """A code was made to verify the address."""

    code: str = ""
    expiry: timedelta = timedelta(0)
    code_returned: bool = False


@event("user.human.phone.changed", revision=2)
class PhoneChanged(Event):
    """Another number, not verified."""

    phone: Personal[str] = ""


@event("user.human.phone.verified", revision=2)
class PhoneVerified(Event):
    """The number is the person's."""


@event("user.human.phone.removed", revision=2)
class PhoneRemoved(Event):
    """No number any more."""


@event("user.human.password.changed", revision=2)
class PasswordChanged(Event):
    """Another password."""

    encoded_hash: Personal[str] = ""
    change_required: bool = False


@event("user.human.password.hash.updated", revision=2)
class PasswordHashUpdated(Event):
    """The same password under a better hash."""

    encoded_hash: Personal[str] = ""


@event("user.human.password.code.added", revision=2)
class PasswordCodeAdded(Event):
    """A code was made to set a new password."""

    code: str = ""
    expiry: timedelta = timedelta(0)
    code_returned: bool = key("code_returned", default=False)


@event("user.human.password.check.succeeded", revision=2)
class PasswordCheckSucceeded(Activity):
    """The password was right."""


@event("user.human.password.check.failed", revision=2)
class PasswordCheckFailed(Activity):
    """The password was wrong."""


@event("user.human.mfa.init.skipped", revision=2)
class MfaInitSkipped(Event):
    """The person put off setting up a second factor."""


@event("user.machine.key.added", revision=2)
class KeyAdded(Event):
    """A public key of a service user."""

    key_id: NewId[str] = ""
    type: int = 1
    expiration_date: datetime | None = None
    public_key: bytes = b""


@event("user.machine.key.removed", revision=2)
class KeyRemoved(Event):
    """The key counts no more."""

    key_id: str = ""


@event("user.machine.secret.set", revision=2)
class SecretSet(Event):
    """A client secret, hashed; the one before counts until `previousUntil`, without that no more."""

    hashed_secret: str = ""
    previous_until: datetime | None = None


@event("user.machine.secret.removed", revision=2)
class SecretRemoved(Event):
    """No client secret any more."""


@event("user.pat.added", revision=2)
class PatAdded(Event):
    """A personal access token; its digest is kept, not the token."""

    token_id: NewId[str] = ""
    expiration: datetime | None = None
    scopes: tuple[str, ...] = ()
    digest: str = ""


@event("user.pat.removed", revision=2)
class PatRemoved(Event):
    """The token counts no more."""

    token_id: str = ""


@event("user.locked", revision=2)
class UserLocked(Event):
    """No sign-in until an administrator unlocks."""


@event("user.unlocked", revision=2)
class UserUnlocked(Event):
    """Sign-in is possible again."""


@event("user.deactivated", revision=2)
class UserDeactivated(Event):
    """The user may no longer sign in; nothing is deleted."""


@event("user.reactivated", revision=2)
class UserReactivated(Event):
    """The user may sign in again."""


@event("user.removed", revision=2)
class UserRemoved(HolderRemoved):
    """The user is gone; the name is free."""


@event("user.metadata.set", revision=2)
class MetadataSet(Event):
    """A value under a key."""

    key: str = ""
    value: Personal[bytes] = b""


@event("user.metadata.removed", revision=2)
class MetadataRemoved(Event):
    """The key is gone."""

    key: str = ""
