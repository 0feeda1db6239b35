"""What can happen to an instance (reference/events.tsv)."""

from datetime import timedelta

from eventstore.events import Event, event, key
from iam.access.members import LevelRemoved, MemberAdded, MemberChanged, MemberRemoved
from iam.access.roles import Level


@event("instance.added")
class InstanceAdded(Event):
    """A tenant was set up."""

    name: str = ""


@event("instance.changed")
class InstanceChanged(Event):
    """It was renamed."""

    name: str = ""


@event("instance.removed")
class InstanceRemoved(LevelRemoved):
    """It is gone with everything in it."""

    level = Level.INSTANCE


@event("instance.domain.added")
class InstanceDomainAdded(Event):
    """A host leads to this instance."""

    domain: str = ""
    generated: bool = False


@event("instance.domain.primary.set")
class InstancePrimaryDomainSet(Event):
    """The host that links are made with."""

    domain: str = ""


@event("instance.domain.removed")
class InstanceDomainRemoved(Event):
    """A host leads here no more."""

    domain: str = ""


@event("instance.default.org.set")
class DefaultOrgSet(Event):
    """The organization of whoever names none."""

    org_id: str = ""


@event("instance.iam.project.set")
class IamProjectSet(Event):
    """The project of the product's own applications."""

    project_id: str = key("iamProjectId", default="")


@event("instance.iam.console.set")
class ConsoleSet(Event):
    """The console's application."""

    client_id: str = ""
    app_id: str = ""


@event("instance.default.language.set")
class DefaultLanguageSet(Event):
    """The language of pages and mails."""

    language: str = ""


@event("instance.member.added")
class InstanceMemberAdded(MemberAdded):
    """An administrator of the whole instance."""

    level = Level.INSTANCE


@event("instance.member.changed")
class InstanceMemberChanged(MemberChanged):
    """Other roles."""

    level = Level.INSTANCE


@event("instance.member.removed")
class InstanceMemberRemoved(MemberRemoved):
    """No longer administrator."""

    level = Level.INSTANCE


@event("instance.member.cascade.removed")
class InstanceMemberCascadeRemoved(MemberRemoved):
    """Gone with the user."""

    level = Level.INSTANCE


@event("instance.policy.password.complexity.changed")
class PasswordComplexityChanged(Event):
    """What a password must contain."""

    min_length: int | None = None
    has_lowercase: bool | None = None
    has_uppercase: bool | None = None
    has_number: bool | None = None
    has_symbol: bool | None = None


@event("instance.policy.lockout.changed")
class LockoutChanged(Event):
    """After how many failed checks a user is locked; 0 = never."""

    max_password_attempts: int | None = None
    show_lock_out_failures: bool | None = None


@event("instance.oidc.settings.changed")
class OidcSettingsChanged(Event):
    """Lifetimes of tokens."""

    access_token_lifetime: timedelta | None = None
    id_token_lifetime: timedelta | None = None
    refresh_token_idle_expiration: timedelta | None = None
    refresh_token_expiration: timedelta | None = None
