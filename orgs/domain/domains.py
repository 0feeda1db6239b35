"""The domains of an organization: their shape, how they are proved, what facts make of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from eventstore.events import Event
from iam.kernel.errors import InvalidInput
from orgs.domain import events as facts

V = TypeVar("V")
DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class ProofKind(IntEnum):
    """Where the proof of a domain is looked for, with the numbers of the API."""

    FILE = 1
    RECORD = 2


@dataclass(frozen=True)
class Proof:
    """What must be found for a domain to be verified; the code is sealed."""

    kind: int
    code: str


def domains_after(domains: Mapping[str, bool], fact: Event) -> Mapping[str, bool]:
    """Domain → verified, after a fact."""
    match fact:
        case facts.OrgDomainAdded(domain=domain):
            return {**domains, domain: False}
        case facts.OrgDomainVerified(domain=domain):
            return {**domains, domain: True}
        case facts.OrgDomainRemoved(domain=domain):
            return without(domains, domain)
    return domains


def proofs_after(proofs: Mapping[str, Proof], fact: Event) -> Mapping[str, Proof]:
    """Domain → what was asked for last, after a fact."""
    match fact:
        case facts.OrgDomainVerificationAdded(domain=domain, validation_type=kind, validation_code=code):
            return {**proofs, domain: Proof(kind, code)}
        case facts.OrgDomainRemoved(domain=domain):
            return without(proofs, domain)
    return proofs


def without(things: Mapping[str, V], key: str) -> Mapping[str, V]:
    """The things without one."""
    return {one: held for one, held in things.items() if one != key}


def generated_domain(name: str, instance_domain: str) -> str:
    """The domain that every organization has: its name as a label under the instance's domain."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-") or "org"
    return f"{label}.{instance_domain.split(':', maxsplit=1)[0]}"


def checked_domain(domain: str) -> str:
    """A host name in lower case; raises InvalidInput."""
    if not DOMAIN.fullmatch(domain.strip().lower()):
        raise InvalidInput("org.domain_invalid", field="domain", reason=domain[:100])
    return domain.strip().lower()
