"""A user: a person or a service. States, names, credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Self

from eventstore.aggregates import Aggregate, Claim
from eventstore.events import Event
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from iam.kernel.texts import is_deceptive
from users.domain import events as facts
from users.domain.applied import applied
from users.domain.names import LONGEST_NAME, checked_user_name, claims_of_name
from users.domain.profile import Profile, checked_email, checked_phone
from users.domain.states import UserState


@dataclass(frozen=True)
class NameRules:
    """What the settings of an organization say of the names of its users, at the moment when one is given."""

    organization_scoped: bool | None = None
    """Unique in the organization, not in the instance; None where nobody asked."""
    with_domain: bool | None = None
    """No login name without a domain of the organization."""


NOT_ASKED = NameRules()


@dataclass(frozen=True)
class User(Aggregate):
    """One user."""

    kind: ClassVar[str] = "user"
    type: str = ""  # human, machine
    state: UserState = UserState.ABSENT
    user_name: str = ""
    organization_scoped: bool = False
    """How the name was unique when it was given."""
    email: str = ""
    email_verified: bool = False
    phone: str = ""
    phone_verified: bool = False
    profile: Profile = field(default_factory=Profile)
    name: str = ""
    description: str = ""
    access_token_type: int = 0
    password_hash: str = ""
    change_required: bool = False
    failed_checks: int = 0
    """As old logs say; today they are counted in rows (users/lockouts.py)."""
    fresh_starts: int = 0
    """How often the count of failed checks has begun anew by a fact."""
    pats: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    has_secret: bool = False
    metadata: Mapping[str, bytes] = field(default_factory=dict)

    def add_human(
        self,
        *,
        user_name: str,
        profile: Profile,
        email: str,
        email_verified: bool = False,
        phone: str = "",
        phone_verified: bool = False,
        password_hash: str = "",
        change_required: bool = False,
        rules: NameRules = NOT_ASKED,
    ) -> list[Event]:
        """Create a person."""
        self._must_be_new()
        address, number = checked_email(email), checked_phone(phone) if phone else ""
        added = facts.HumanAdded(
            user_name=checked_user_name(user_name or address),
            **profile.checked().as_fact(),
            email=address,
            phone=number,
            encoded_hash=password_hash,
            change_required=change_required,
            **vars(rules),
        )
        verified: list[Event] = [facts.EmailVerified()] if email_verified else []
        return [added, *verified, *([facts.PhoneVerified()] if number and phone_verified else [])]

    def add_machine(
        self, *, user_name: str, name: str, description: str, access_token_type: int, rules: NameRules = NOT_ASKED
    ) -> list[Event]:
        """Create a service user. Token types: 0 opaque, 1 JWT."""
        self._must_be_new()
        _check_name(name)
        return [
            facts.MachineAdded(
                user_name=checked_user_name(user_name or self.id),
                name=name.strip(),
                description=description,
                access_token_type=access_token_type,
                **vars(rules),
            )
        ]

    def change_machine(
        self, *, name: str | None = None, description: str | None = None, access_token_type: int | None = None
    ) -> list[Event]:
        """Change a service user; None leaves as it is."""
        self.must_be("machine")
        if name is not None:
            _check_name(name)
        asked = {"name": name, "description": description, "access_token_type": access_token_type}
        changed = {key: value for key, value in asked.items() if value is not None and value != getattr(self, key)}
        return [facts.MachineChanged(**changed)] if changed else []  # type: ignore[arg-type]

    def rename(self, user_name: str, rules: NameRules = NOT_ASKED) -> list[Event]:
        """Give another user name."""
        self.must_exist()
        wanted = checked_user_name(user_name)
        return [] if wanted == self.user_name else [facts.UsernameChanged(user_name=wanted, **vars(rules))]

    def change_profile(self, profile: Profile) -> list[Event]:
        """Set the profile as a whole; says only what changed."""
        self.must_be("human")
        changed = profile.checked().difference(self.profile)
        return [facts.ProfileChanged(**changed)] if changed else []

    def change_email(self, email: str, *, verified: bool, must_differ: bool = False) -> list[Event]:
        """Set the address; raises FailedPrecondition when it `must_differ` and nothing does."""
        self.must_be("human")
        address = checked_email(email)
        changed: list[Event] = [] if address == self.email else [facts.EmailChanged(email=address)]
        changed += [facts.EmailVerified()] if verified and (changed or not self.email_verified) else []
        if must_differ and not changed:
            raise FailedPrecondition("user.email_not_changed", field="email")
        return changed

    def prove_email(self) -> list[Event]:
        """The address is the person's; says nothing twice."""
        self.must_be("human")
        return [] if self.email_verified else [facts.EmailVerified()]

    def change_phone(self, phone: str, *, verified: bool, must_differ: bool = False) -> list[Event]:
        """Set the number, or take it away with an empty one, which nobody can call verified.

        Raises FailedPrecondition when it `must_differ` and nothing does.
        """
        self.must_be("human")
        if not phone and verified:
            raise InvalidInput("api.field_missing", field="phone")
        changed = self._new_phone(phone, verified=verified)
        if must_differ and not changed:
            raise FailedPrecondition("user.phone_not_changed" if phone else "user.phone_not_found", field="phone")
        return changed

    def _new_phone(self, phone: str, *, verified: bool) -> list[Event]:
        if not phone:
            return [facts.PhoneRemoved()] if self.phone else []
        number = checked_phone(phone)
        changed: list[Event] = [] if number == self.phone else [facts.PhoneChanged(phone=number)]
        return changed + ([facts.PhoneVerified()] if verified and (changed or not self.phone_verified) else [])

    def set_password(self, password_hash: str, *, change_required: bool) -> list[Event]:
        """Set a password that was hashed already."""
        self.must_be("human")
        return [facts.PasswordChanged(encoded_hash=password_hash, change_required=change_required)]

    def lock_after_checks(self) -> list[Event]:
        """As many passwords were wrong as lock a user; says nothing of one who cannot sign in anyway."""
        return [facts.UserLocked()] if self.state is UserState.ACTIVE else []

    def skip_mfa_init(self) -> list[Event]:
        """Put off setting up a second factor."""
        self.must_be("human")
        return [facts.MfaInitSkipped()]

    def deactivate(self) -> list[Event]:
        """Stop the user from signing in."""
        self.must_exist()
        if self.state is UserState.INACTIVE:
            raise FailedPrecondition("user.already_inactive")
        return [facts.UserDeactivated()]

    def reactivate(self) -> list[Event]:
        """Let the user sign in again."""
        self.must_exist()
        if self.state is not UserState.INACTIVE:
            raise FailedPrecondition("user.not_inactive")
        return [facts.UserReactivated()]

    def lock(self) -> list[Event]:
        """Stop sign-ins until unlocked."""
        self.must_exist()
        if self.state is not UserState.ACTIVE:
            raise FailedPrecondition("user.should_be_active_or_initial")
        return [facts.UserLocked()]

    def unlock(self) -> list[Event]:
        """Let the user sign in again."""
        self.must_exist()
        if self.state is not UserState.LOCKED:
            raise FailedPrecondition("user.not_locked")
        return [facts.UserUnlocked()]

    def remove(self) -> list[Event]:
        """Delete the user; the id stays taken, the name becomes free."""
        self.must_exist()
        return [facts.UserRemoved()]

    def add_pat(self, *, id: str, digest: str, expires_at: datetime | None, scopes: tuple[str, ...]) -> list[Event]:
        """Give a service user a token."""
        self.must_be("machine")
        return [facts.PatAdded(token_id=id, digest=digest, expiration=expires_at, scopes=scopes)]

    def remove_pat(self, id: str) -> list[Event]:
        """Take a token."""
        self.must_exist()
        if id not in self.pats:
            raise NotFound("user.pat_not_found")
        return [facts.PatRemoved(token_id=id)]

    def add_key(self, *, id: str, public_key: bytes, expires_at: datetime | None) -> list[Event]:
        """Give a service user a public key."""
        self.must_be("machine")
        return [facts.KeyAdded(key_id=id, public_key=public_key, expiration_date=expires_at)]

    def remove_key(self, id: str) -> list[Event]:
        """Take a key."""
        self.must_exist()
        if id not in self.keys:
            raise NotFound("user.key_not_found")
        return [facts.KeyRemoved(key_id=id)]

    def set_secret(self, hashed: str, *, previous_until: datetime | None = None) -> list[Event]:
        """Give a service user a client secret. The one before counts until a moment, or no more."""
        self.must_be("machine")
        return [facts.SecretSet(hashed_secret=hashed, previous_until=previous_until if self.has_secret else None)]

    def remove_secret(self) -> list[Event]:
        """Take the client secret."""
        self.must_be("machine")
        if not self.has_secret:
            raise FailedPrecondition("user.secret_not_found")
        return [facts.SecretRemoved()]

    def set_metadata(self, values: Mapping[str, bytes]) -> list[Event]:
        """Keep values under keys; raises FailedPrecondition for none."""
        self.must_exist()
        if not values:
            raise FailedPrecondition("user.metadata_empty", field="metadata")
        return [
            facts.MetadataSet(key=one, value=value) for one, value in values.items() if self.metadata.get(one) != value
        ]

    def remove_metadata(self, keys: tuple[str, ...]) -> list[Event]:
        """Forget keys."""
        self.must_exist()
        for one in keys:
            if one not in self.metadata:
                raise NotFound("user.metadata_not_found", field="keys", reason=one[:100])
        return [facts.MetadataRemoved(key=one) for one in keys]

    def must_exist(self) -> None:
        """Raises NotFound."""
        if self.state in (UserState.ABSENT, UserState.DELETED):
            raise NotFound("user.not_found")

    def must_be(self, type: str) -> None:
        """Raises NotFound, FailedPrecondition for the other kind of user."""
        self.must_exist()
        if self.type != type:
            raise FailedPrecondition(f"user.not_{type}")

    def _must_be_new(self) -> None:
        if self.state is not UserState.ABSENT:
            raise AlreadyExists("user.id_already_exists", field="userId")

    def apply(self, fact: Event) -> Self:
        """The user after a fact."""
        changed = applied(self, fact)
        return replace(self, **changed) if changed else self

    def claims(self) -> frozenset[Claim]:
        """The user name, once per instance or per organization, and what it looks like."""
        if self.state in (UserState.ABSENT, UserState.DELETED):
            return frozenset()
        return claims_of_name(self.user_name, self.owner, organization_scoped=self.organization_scoped)


def _check_name(name: str) -> None:
    if not 1 <= len(name.strip()) <= LONGEST_NAME or is_deceptive(name):
        raise InvalidInput("user.name_invalid", field="name")
