"""The instance: its hosts, its administrators, and what belongs to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from eventstore.aggregates import Aggregate, Claim
from eventstore.events import Event
from iam.access.members import MemberAdded, MemberChanged, MemberRemoved, Members
from iam.instance.domain.events import (
    ConsoleSet,
    DefaultLanguageSet,
    DefaultOrgSet,
    IamProjectSet,
    InstanceAdded,
    InstanceChanged,
    InstanceDomainAdded,
    InstanceDomainRemoved,
    InstanceMemberAdded,
    InstanceMemberCascadeRemoved,
    InstanceMemberChanged,
    InstanceMemberRemoved,
    InstancePrimaryDomainSet,
    InstanceRemoved,
    TrustedDomainAdded,
    TrustedDomainRemoved,
)
from iam.instance.domain.kinds import INSTANCE, SettingFact
from iam.instance.domain.settings import Settings
from iam.instance.domain.values import LANGUAGES
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from iam.kernel.hosts import host_name
from iam.kernel.levels import Level

HOST = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]"
)
WITH_PORT = re.compile(r":[0-9]*$")
LONGEST_NAME = 200
CHOICES: Mapping[type[Event], tuple[str, str]] = {
    InstanceChanged: ("name", "name"),
    InstancePrimaryDomainSet: ("primary", "domain"),
    DefaultOrgSet: ("default_org", "org_id"),
    IamProjectSet: ("project_id", "project_id"),
    ConsoleSet: ("console_app", "app_id"),
    DefaultLanguageSet: ("language", "language"),
}
"""Facts that say one value anew: which one of the instance, and where the fact says it."""


@dataclass(frozen=True)
class Instance(Aggregate):
    """A tenant. Its stream's owner is itself."""

    kind: ClassVar[str] = "instance"
    name: str = ""
    domains: frozenset[str] = frozenset()
    primary: str = ""
    generated: frozenset[str] = frozenset()
    default_org: str = ""
    project_id: str = ""
    """The product's own project."""
    console_app: str = ""
    """The application in it by which everybody signs in to the console."""
    language: str = ""
    exists: bool = False
    removed: bool = False
    trusted: frozenset[str] = frozenset()
    settings: Settings = field(default_factory=lambda: Settings(INSTANCE))
    members: Members = field(default_factory=lambda: Members(Level.INSTANCE))

    def add(self, *, name: str, domains: tuple[str, ...], language: str) -> list[Event]:
        """Set the tenant up; the first domain becomes the primary one."""
        if self.exists:
            raise AlreadyExists("instance.already_exists")
        added = [
            InstanceDomainAdded(domain=_host(domain), generated=number == 0) for number, domain in enumerate(domains)
        ]
        return [
            InstanceAdded(name=_name(name)),
            *added,
            InstancePrimaryDomainSet(domain=_host(domains[0])),
            DefaultLanguageSet(language=_language(language)),
        ]

    def rename(self, name: str) -> list[Event]:
        """Give it another name; nothing happens when it has it already."""
        self._must_exist()
        return [] if name == self.name else [InstanceChanged(name=_name(name))]

    def add_domain(self, domain: str) -> list[Event]:
        """Let another host lead here."""
        self._must_exist()
        if _host(domain) in self.domains:
            raise AlreadyExists("instance.domain_already_exists", field="domain")
        return [InstanceDomainAdded(domain=_host(domain))]

    def remove_domain(self, domain: str) -> list[Event]:
        """Take a host away; not the primary, not the generated one."""
        self._must_exist()
        host = _stored(domain)
        if host not in self.domains:
            raise NotFound("instance.domain_not_found")
        if host == self.primary or host in self.generated:
            raise FailedPrecondition("instance.domain_in_use", field="domain")
        return [InstanceDomainRemoved(domain=host)]

    def move_host(self, domain: str) -> list[Event]:
        """Have this host as its own and primary one, and none of those it was set up with before."""
        self._must_exist()
        host = _host(domain)
        if host == self.primary and self.generated == {host}:
            return []
        added = [] if host in self.domains else [InstanceDomainAdded(domain=host, generated=True)]
        primary = [] if host == self.primary else [InstancePrimaryDomainSet(domain=host)]
        return [*added, *primary, *(InstanceDomainRemoved(domain=old) for old in sorted(self.generated - {host}))]

    def set_primary(self, domain: str) -> list[Event]:
        """Choose the host that links are made with."""
        self._must_exist()
        if domain.lower() not in self.domains:
            raise NotFound("instance.domain_not_found")
        return [] if domain.lower() == self.primary else [InstancePrimaryDomainSet(domain=domain.lower())]

    def trust_domain(self, domain: str) -> list[Event]:
        """Let links be made with a host that does not lead here itself (a login page of one's own)."""
        self._must_exist()
        if _host(domain) in self.trusted:
            raise AlreadyExists("instance.domain_already_exists", field="domain")
        return [TrustedDomainAdded(domain=_host(domain))]

    def distrust_domain(self, domain: str) -> list[Event]:
        """Trust a host no more."""
        self._must_exist()
        if _stored(domain) not in self.trusted:
            raise NotFound("instance.domain_not_found")
        return [TrustedDomainRemoved(domain=_stored(domain))]

    def set_language(self, language: str) -> list[Event]:
        """Choose the language of pages and mails."""
        self._must_exist()
        return [] if language == self.language else [DefaultLanguageSet(language=_language(language))]

    def remove(self) -> list[Event]:
        """Delete the tenant with everything in it; nothing happens when it is deleted already."""
        if self.removed:
            return []
        self._must_exist()
        return [InstanceRemoved()]

    def set_default_org(self, org_id: str) -> list[Event]:
        """Choose the organization of whoever names none."""
        self._must_exist()
        return [DefaultOrgSet(org_id=org_id)] if org_id != self.default_org else []

    def add_member(self, user_id: str, roles: tuple[str, ...]) -> list[Event]:
        """Make a user administrator."""
        self._must_exist()
        return [InstanceMemberAdded(user_id=user_id, roles=self.members.check_add(user_id, roles))]

    def change_member(self, user_id: str, roles: tuple[str, ...]) -> list[Event]:
        """Give an administrator other roles; somebody stays owner."""
        wanted = self.members.check_change(user_id, roles)
        if wanted and "IAM_OWNER" not in wanted:
            self._keep_an_owner(user_id)
        return [InstanceMemberChanged(user_id=user_id, roles=wanted)] if wanted else []

    def remove_member(self, user_id: str) -> list[Event]:
        """Take an administrator's rights; somebody stays owner. Nothing happens to who has none."""
        self._keep_an_owner(user_id)
        return [InstanceMemberRemoved(user_id=user_id)] if self.members.has(user_id) else []

    def lose_member(self, user_id: str) -> list[Event]:
        """An administrator is removed as a user; somebody stays owner."""
        self._keep_an_owner(user_id)
        return [InstanceMemberCascadeRemoved(user_id=user_id)] if self.members.has(user_id) else []

    def _keep_an_owner(self, leaving: str) -> None:
        others = [id for id, roles in self.members.roles.items() if id != leaving and "IAM_OWNER" in roles]
        if "IAM_OWNER" in self.members.roles.get(leaving, ()) and not others:
            raise FailedPrecondition("member.last_owner")

    def must_exist(self) -> Self:
        """Raises NotFound."""
        self._must_exist()
        return self

    def _must_exist(self) -> None:
        if not self.exists:
            raise NotFound("instance.not_found")

    def apply(self, fact: Event) -> Self:
        """The instance after a fact."""
        match fact:
            case InstanceAdded(name=name):
                return replace(self, name=name, exists=True, removed=False)
            case InstanceDomainAdded(domain=domain, generated=generated):
                made = self.generated | {domain} if generated else self.generated
                return replace(self, domains=self.domains | {domain}, generated=made)
            case InstanceDomainRemoved(domain=domain):
                return replace(self, domains=self.domains - {domain}, generated=self.generated - {domain})
            case fact if type(fact) in CHOICES:
                name, said = CHOICES[type(fact)]
                return replace(self, **{name: getattr(fact, said)})
            case MemberAdded() | MemberChanged() | MemberRemoved():
                return replace(self, members=self.members.apply(fact))
            case InstanceRemoved():
                return replace(self, exists=False, removed=True)
            case TrustedDomainAdded(domain=domain):
                return replace(self, trusted=self.trusted | {domain})
            case TrustedDomainRemoved(domain=domain):
                return replace(self, trusted=self.trusted - {domain})
            case SettingFact():
                return replace(self, settings=self.settings.apply(fact))
        return self

    def claims(self) -> frozenset[Claim]:
        """Hosts, unique on the whole server, and one claim per administrator."""
        if not self.exists:
            return frozenset()
        hosts = {
            Claim("instance_domain", one, "instance.domain_already_exists", everywhere=True) for one in self.domains
        }
        return frozenset(hosts) | self.members.claims(self.id)


def _stored(domain: str) -> str:
    """A host as it was added, maybe with a port, as was possible once: it can still be removed."""
    name, port = WITH_PORT.sub("", domain.strip()), WITH_PORT.search(domain.strip())
    return _host(name) + (port.group() if port else "")


def _host(domain: str) -> str:
    """The name of a host; with a port it is none: the configuration alone says the port."""
    try:
        host = host_name(domain.strip())
    except ValueError:
        host = ""
    if not HOST.fullmatch(host) or WITH_PORT.search(domain.strip()):
        raise InvalidInput("instance.domain_invalid", field="domain", reason=domain[:100])
    return host


def _name(name: str) -> str:
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise InvalidInput("instance.name_invalid", field="name")
    return name.strip()


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise InvalidInput("instance.language_unknown", field="defaultLanguage", reason=language[:20])
    return language
