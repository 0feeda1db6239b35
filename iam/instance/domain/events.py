"""What can happen to an instance (reference/events.tsv)."""

from eventstore.events import Event, event, key
from iam.access.members import LevelRemoved, MemberAdded, MemberChanged, MemberRemoved
from iam.kernel.levels import Level


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


@event("instance.trusted_domains.added")
class TrustedDomainAdded(Event):
    """Links may be made with this host."""

    domain: str = ""


@event("instance.trusted_domains.removed")
class TrustedDomainRemoved(Event):
    """No longer."""

    domain: str = ""
