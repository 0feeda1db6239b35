"""An organization: name, state, domains, administrators."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import ClassVar, Self

from eventstore.aggregates import Aggregate, Claim
from eventstore.events import Event
from iam.access.members import MemberAdded, MemberChanged, MemberRemoved, Members
from iam.access.roles import Level
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from orgs.domain import events as facts

LONGEST_NAME = 200
DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class OrgState(IntEnum):
    """States with their numbers in the API."""

    ABSENT = 0
    ACTIVE = 1
    INACTIVE = 2
    REMOVED = 3


@dataclass(frozen=True)
class Org(Aggregate):
    """One organization; it owns itself."""

    kind: ClassVar[str] = "org"
    name: str = ""
    state: OrgState = OrgState.ABSENT
    domains: Mapping[str, bool] = field(default_factory=dict)
    """Domain → verified."""
    primary: str = ""
    metadata: Mapping[str, bytes] = field(default_factory=dict)
    members: Members = field(default_factory=lambda: Members(Level.ORG))

    def add(self, *, name: str, generated_domain: str) -> list[Event]:
        """Create it with a generated, verified, primary domain."""
        if self.state is not OrgState.ABSENT:
            raise AlreadyExists("org.id_already_exists", field="organizationId")
        return [facts.OrgAdded(name=checked_name(name)), *_generated(generated_domain)]

    def rename(self, name: str, *, old_domain: str, new_domain: str) -> list[Event]:
        """Give it another name; the generated domain moves with it."""
        self.must_exist()
        wanted = checked_name(name)
        if wanted == self.name:
            raise FailedPrecondition("org.not_changed", field="name")
        renamed: list[Event] = [facts.OrgChanged(name=wanted)]
        if old_domain in self.domains and new_domain != old_domain:
            renamed += [facts.OrgDomainAdded(domain=new_domain), facts.OrgDomainVerified(domain=new_domain)]
            if self.primary == old_domain:
                renamed.append(facts.OrgPrimaryDomainSet(domain=new_domain))
            renamed.append(facts.OrgDomainRemoved(domain=old_domain))
        return renamed

    def deactivate(self) -> list[Event]:
        """Stop its users from signing in."""
        self.must_exist()
        if self.state is OrgState.INACTIVE:
            raise FailedPrecondition("org.already_inactive")
        return [facts.OrgDeactivated()]

    def reactivate(self) -> list[Event]:
        """Let its users sign in again."""
        self.must_exist()
        if self.state is OrgState.ACTIVE:
            raise FailedPrecondition("org.already_active")
        return [facts.OrgReactivated()]

    def remove(self, *, is_default: bool) -> list[Event]:
        """Delete it; the default organization stays."""
        self.must_exist()
        if is_default:
            raise FailedPrecondition("org.default_stays")
        return [facts.OrgRemoved()]

    def add_domain(self, domain: str, *, needs_proof: bool = False) -> list[Event]:
        """Name a domain; on this server an administrator's word verifies it unless the policy asks for proof."""
        self.must_exist()
        wanted = checked_domain(domain)
        if wanted in self.domains:
            raise AlreadyExists("org.domain_already_exists", field="domain")
        verified = [] if needs_proof else [facts.OrgDomainVerified(domain=wanted)]
        return [facts.OrgDomainAdded(domain=wanted), *verified]

    def set_primary_domain(self, domain: str) -> list[Event]:
        """Let login names end with a verified domain."""
        self._must_have(domain)
        if not self.domains[domain]:
            raise FailedPrecondition("org.domain_not_verified", field="domain")
        return [] if self.primary == domain else [facts.OrgPrimaryDomainSet(domain=domain)]

    def remove_domain(self, domain: str) -> list[Event]:
        """Give a domain up; not the primary one."""
        self._must_have(domain)
        if domain == self.primary:
            raise FailedPrecondition("org.domain_primary", field="domain")
        return [facts.OrgDomainRemoved(domain=domain)]

    def set_metadata(self, values: Mapping[str, bytes]) -> list[Event]:
        """Keep values under keys; unchanged ones say nothing."""
        self.must_exist()
        return [
            facts.OrgMetadataSet(key=key, value=value)
            for key, value in values.items()
            if self.metadata.get(key) != value
        ]

    def remove_metadata(self, keys: tuple[str, ...]) -> list[Event]:
        """Forget keys."""
        self.must_exist()
        for key in keys:
            if key not in self.metadata:
                raise NotFound("org.metadata_not_found", field="keys", reason=key[:100])
        return [facts.OrgMetadataRemoved(key=key) for key in keys]

    def add_member(self, user_id: str, roles: tuple[str, ...]) -> list[Event]:
        """Make a user administrator."""
        self.must_exist()
        return [facts.OrgMemberAdded(user_id=user_id, roles=self.members.check_add(user_id, roles))]

    def change_member(self, user_id: str, roles: tuple[str, ...]) -> list[Event]:
        """Give an administrator other roles."""
        return [facts.OrgMemberChanged(user_id=user_id, roles=self.members.check_change(user_id, roles))]

    def remove_member(self, user_id: str) -> list[Event]:
        """Take an administrator's rights."""
        self.members.roles_of(user_id)
        return [facts.OrgMemberRemoved(user_id=user_id)]

    def must_exist(self) -> None:
        """Raises NotFound for an absent or removed organization."""
        if self.state in (OrgState.ABSENT, OrgState.REMOVED):
            raise NotFound("org.not_found")

    def must_be_active(self) -> None:
        """Raises NotFound, FailedPrecondition."""
        self.must_exist()
        if self.state is not OrgState.ACTIVE:
            raise FailedPrecondition("org.inactive")

    def _must_have(self, domain: str) -> None:
        self.must_exist()
        if domain not in self.domains:
            raise NotFound("org.domain_not_found", field="domain")

    def apply(self, fact: Event) -> Self:
        """The organization after a fact."""
        match fact:
            case facts.OrgAdded(name=name):
                return replace(self, name=name, state=OrgState.ACTIVE)
            case facts.OrgChanged(name=name):
                return replace(self, name=name)
            case facts.OrgDeactivated():
                return replace(self, state=OrgState.INACTIVE)
            case facts.OrgReactivated():
                return replace(self, state=OrgState.ACTIVE)
            case facts.OrgRemoved():
                return replace(self, state=OrgState.REMOVED)
            case facts.OrgDomainAdded(domain=domain):
                return replace(self, domains={**self.domains, domain: False})
            case facts.OrgDomainVerified(domain=domain):
                return replace(self, domains={**self.domains, domain: True})
            case facts.OrgPrimaryDomainSet(domain=domain):
                return replace(self, primary=domain)
            case facts.OrgDomainRemoved(domain=domain):
                return replace(self, domains={one: held for one, held in self.domains.items() if one != domain})
            case facts.OrgMetadataSet(key=key, value=value):
                return replace(self, metadata={**self.metadata, key: value})
            case facts.OrgMetadataRemoved(key=key):
                return replace(self, metadata={one: held for one, held in self.metadata.items() if one != key})
            case MemberAdded() | MemberChanged() | MemberRemoved():
                return replace(self, members=self.members.apply(fact))
        return self

    def claims(self) -> frozenset[Claim]:
        """Name, verified domains, administrators."""
        if self.state in (OrgState.ABSENT, OrgState.REMOVED):
            return frozenset()
        domains = {Claim("org_domain", one, "org.domain_already_exists") for one, held in self.domains.items() if held}
        return frozenset({Claim("org_name", self.name, "org.name_already_exists"), *domains}) | self.members.claims(
            self.id
        )


def generated_domain(name: str, instance_domain: str) -> str:
    """The domain that every organization has: its name as a label under the instance's domain."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-") or "org"
    return f"{label}.{instance_domain.split(':', maxsplit=1)[0]}"


def _generated(domain: str) -> list[Event]:
    return [
        facts.OrgDomainAdded(domain=domain),
        facts.OrgDomainVerified(domain=domain),
        facts.OrgPrimaryDomainSet(domain=domain),
    ]


def checked_name(name: str) -> str:
    """A name of 1 to 200 characters; raises InvalidInput."""
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise InvalidInput("org.name_invalid", field="name")
    return name.strip()


def checked_domain(domain: str) -> str:
    """A host name in lower case; raises InvalidInput."""
    if not DOMAIN.fullmatch(domain.strip().lower()):
        raise InvalidInput("org.domain_invalid", field="domain", reason=domain[:100])
    return domain.strip().lower()
