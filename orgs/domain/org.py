"""An organization: name, state, domains, administrators."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import ClassVar, Self

from eventstore.aggregates import Aggregate, Claim
from eventstore.events import Event
from iam.access.members import MemberAdded, MemberChanged, MemberRemoved, Members
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from iam.kernel.levels import Level
from iam.kernel.texts import is_deceptive
from orgs.domain import events as facts
from orgs.domain.domains import Proof, ProofKind, checked_domain, domains_after, held_as, proofs_after, without
from orgs.domain.names import folded

LONGEST_NAME = 200


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
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    """Domain → what was asked for last."""
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
        if old_domain in self.domains and new_domain not in self.domains:
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
        """Delete it; the default organization stays. Nothing happens to one that is deleted already."""
        if self.state is OrgState.REMOVED:
            return []
        self.must_exist()
        if is_default:
            raise FailedPrecondition("org.default_stays")
        return [facts.OrgRemoved()]

    def add_domain(self, domain: str, *, needs_proof: bool = False) -> list[Event]:
        """Name a domain; an administrator's word verifies it unless the policy asks for proof (checklist T12)."""
        self.must_exist()
        wanted = checked_domain(domain)
        if held_as(self.domains, wanted):
            raise AlreadyExists("org.domain_already_exists", field="domain")
        added = facts.OrgDomainAdded(domain=wanted)
        return [added] if needs_proof else [added, facts.OrgDomainVerified(domain=wanted)]

    def ask_proof(self, domain: str, *, kind: int, code: str) -> list[Event]:
        """Say what will be looked for; what was asked for before counts no more."""
        domain = self._must_be_unproved(domain)
        if kind not in tuple(ProofKind):
            raise InvalidInput("api.enum_unknown", field="type", reason=str(kind))
        if "." not in domain or domain.rpartition(".")[2].isdigit():
            raise InvalidInput("org.domain_not_public", field="domain", reason=domain[:100])
        return [facts.OrgDomainVerificationAdded(domain=domain, validation_type=int(kind), validation_code=code)]

    def proof_of(self, domain: str) -> Proof:
        """What to look for; raises NotFound, FailedPrecondition."""
        domain = self._must_be_unproved(domain)
        if domain not in self.proofs:
            raise FailedPrecondition("org.domain_proof_missing", field="domain")
        return self.proofs[domain]

    def prove(self, domain: str, *, looked_for: Proof, found: bool) -> list[Event]:
        """Verify the domain if what is asked for now was found."""
        if self.proof_of(domain) != looked_for:
            raise FailedPrecondition("org.domain_proof_missing", field="domain")
        domain = held_as(self.domains, domain)
        return [facts.OrgDomainVerified(domain=domain) if found else facts.OrgDomainVerificationFailed(domain=domain)]

    def set_primary_domain(self, asked: str) -> list[Event]:
        """Let login names end with a verified domain."""
        domain = self._must_have(asked)
        if not self.domains[domain]:
            raise FailedPrecondition("org.domain_not_verified", field="domain")
        return [] if self.primary == domain else [facts.OrgPrimaryDomainSet(domain=domain)]

    def remove_domain(self, asked: str) -> list[Event]:
        """Give a domain up; not the primary one."""
        domain = self._must_have(asked)
        if domain == self.primary:
            raise FailedPrecondition("org.domain_primary", field="domain")
        return [facts.OrgDomainRemoved(domain=domain)]

    def set_metadata(self, values: Mapping[str, bytes]) -> list[Event]:
        """Keep values under keys; unchanged ones say nothing. Raises FailedPrecondition for none."""
        self.must_exist()
        if not values:
            raise FailedPrecondition("org.metadata_empty", field="metadata")
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
        self.must_exist()
        wanted = self.members.check_change(user_id, roles)
        return [facts.OrgMemberChanged(user_id=user_id, roles=wanted)] if wanted else []

    def remove_member(self, user_id: str) -> list[Event]:
        """Take an administrator's rights; nothing happens to who has none."""
        self.must_exist()
        return [facts.OrgMemberRemoved(user_id=user_id)] if self.members.has(user_id) else []

    def must_exist(self) -> None:
        """Raises NotFound for an absent or removed organization."""
        if self.state in (OrgState.ABSENT, OrgState.REMOVED):
            raise NotFound("org.not_found")

    def must_be_active(self) -> None:
        """Raises NotFound, FailedPrecondition."""
        self.must_exist()
        if self.state is not OrgState.ACTIVE:
            raise FailedPrecondition("org.inactive")

    def _must_have(self, asked: str) -> str:
        self.must_exist()
        domain = held_as(self.domains, asked)
        if not domain:
            raise NotFound("org.domain_not_found", field="domain")
        return domain

    def _must_be_unproved(self, asked: str) -> str:
        domain = self._must_have(asked)
        if self.domains[domain]:
            raise FailedPrecondition("org.domain_already_verified", field="domain")
        return domain

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
                return replace(self, state=OrgState.REMOVED, members=Members(Level.ORG))
            case facts.OrgPrimaryDomainSet(domain=domain):
                return replace(self, primary=domain)
            case facts.OrgMetadataSet(key=key, value=value):
                return replace(self, metadata={**self.metadata, key: value})
            case facts.OrgMetadataRemoved(key=key):
                return replace(self, metadata=without(self.metadata, key))
            case MemberAdded() | MemberChanged() | MemberRemoved():
                return replace(self, members=self.members.apply(fact))
        return replace(self, domains=domains_after(self.domains, fact), proofs=proofs_after(self.proofs, fact))

    def claims(self) -> frozenset[Claim]:
        """Name, verified domains, administrators."""
        if self.state in (OrgState.ABSENT, OrgState.REMOVED):
            return frozenset()
        proved = [one for one, held in self.domains.items() if held]
        domains = {Claim("org_domain", folded(one), "org.domain_already_exists") for one in proved}
        return frozenset({Claim("org_name", self.name, "org.name_already_exists"), *domains}) | self.members.claims(
            self.id
        )


def _generated(domain: str) -> list[Event]:
    return [
        facts.OrgDomainAdded(domain=domain),
        facts.OrgDomainVerified(domain=domain),
        facts.OrgPrimaryDomainSet(domain=domain),
    ]


def checked_name(name: str) -> str:
    """A name of 1 to 200 characters; raises InvalidInput."""
    if not 1 <= len(name.strip()) <= LONGEST_NAME or is_deceptive(name):
        raise InvalidInput("org.name_invalid", field="name")
    return name.strip()
