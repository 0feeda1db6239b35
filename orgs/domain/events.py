"""What can happen to an organization (reference/events.tsv)."""

from eventstore.events import Event, Sealed, event
from iam.access.members import LevelRemoved, MemberAdded, MemberChanged, MemberRemoved
from iam.kernel.levels import Level


@event("org.added")
class OrgAdded(Event):
    """A new owner of users and projects."""

    name: str = ""


@event("org.changed")
class OrgChanged(Event):
    """It was renamed."""

    name: str = ""


@event("org.deactivated")
class OrgDeactivated(Event):
    """Its users may not sign in; nothing is deleted."""


@event("org.reactivated")
class OrgReactivated(Event):
    """Its users may sign in again."""


@event("org.removed")
class OrgRemoved(LevelRemoved):
    """It is gone with its users, projects and grants."""

    level = Level.ORG


@event("org.domain.added")
class OrgDomainAdded(Event):
    """A domain was named; nobody has checked it."""

    domain: str = ""


@event("org.domain.verification.added")
class OrgDomainVerificationAdded(Event):
    """How the domain is to be proved: 1 by a file over https, 2 by a DNS record. The code is sealed."""

    domain: str = ""
    validation_type: int = 0
    validation_code: Sealed[str] = ""


@event("org.domain.verification.failed")
class OrgDomainVerificationFailed(Event):
    """The proof was looked for and not found."""

    domain: str = ""


@event("org.domain.verified")
class OrgDomainVerified(Event):
    """The domain belongs to the organization."""

    domain: str = ""


@event("org.domain.primary.set")
class OrgPrimaryDomainSet(Event):
    """Login names end with it."""

    domain: str = ""


@event("org.domain.removed")
class OrgDomainRemoved(Event):
    """The domain is free again."""

    domain: str = ""


@event("org.member.added")
class OrgMemberAdded(MemberAdded):
    """An administrator of the organization."""

    level = Level.ORG


@event("org.member.changed")
class OrgMemberChanged(MemberChanged):
    """Other roles."""

    level = Level.ORG


@event("org.member.removed")
class OrgMemberRemoved(MemberRemoved):
    """No longer administrator."""

    level = Level.ORG


@event("org.member.cascade.removed")
class OrgMemberCascadeRemoved(MemberRemoved):
    """Gone with the user."""

    level = Level.ORG


@event("org.metadata.set")
class OrgMetadataSet(Event):
    """A value under a key."""

    key: str = ""
    value: bytes = b""


@event("org.metadata.removed")
class OrgMetadataRemoved(Event):
    """The key is gone."""

    key: str = ""
