"""The domains of an organization: their shape, how they are proved, what facts make of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from eventstore.events import Event
from iam.kernel.errors import InvalidInput
from orgs.domain import events as facts
from orgs.domain.names import LONGEST_DOMAIN, find_domain, folded, label_of

V = TypeVar("V")
TAIL = 4
"""Digits of what follows the name in a generated domain where that is taken."""


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


def generated_domain(name: str, instance_domain: str, *, tail: str = "") -> str:
    """The domain that every organization has: its name as a label under the instance's domain, where that is taken
    with a tail."""
    base = instance_domain.split(":", maxsplit=1)[0]
    return f"{label_of(name, tail=tail, room=LONGEST_DOMAIN - 1 - len(base))}.{base}"


def generated_among(domains: Iterable[str], name: str, instance_domain: str) -> str:
    """Which of an organization's domains was generated for its name, with a tail or without; empty for none."""
    plain = {generated_domain(name, instance_domain), _generated_before(name, instance_domain)}
    for domain in domains:
        tail = domain.partition(".")[0].rpartition("-")[2]
        with_tail = len(tail) == TAIL and domain == generated_domain(name, instance_domain, tail=tail)
        if domain in plain or with_tail:
            return domain
    return ""


def _generated_before(name: str, instance_domain: str) -> str:
    """As it was done until names of other scripts got labels of their own."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-") or "org"
    return f"{label}.{instance_domain.split(':', maxsplit=1)[0]}"


def held_as(domains: Iterable[str], asked: str) -> str:
    """How the domain that is meant is spelled among these; empty when it is not there."""
    return next((one for one in domains if folded(one) == folded(asked.strip())), "")


def checked_domain(domain: str) -> str:
    """A host name in lower case, in any script; raises InvalidInput."""
    if not (name := find_domain(domain)):
        raise InvalidInput("org.domain_invalid", field="domain", reason=domain[:100])
    return name
