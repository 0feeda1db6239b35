"""Rules of organizations."""

from eventstore.testing import given
from iam.kernel.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound
from orgs.domain.domains import generated_domain
from orgs.domain.events import (
    OrgAdded,
    OrgDeactivated,
    OrgDomainAdded,
    OrgDomainRemoved,
    OrgDomainVerified,
    OrgPrimaryDomainSet,
    OrgReactivated,
    OrgRemoved,
)
from orgs.domain.org import Org

DOMAIN = "acme.localhost"
ADDED = (
    OrgAdded(name="Acme"),
    OrgDomainAdded(domain=DOMAIN),
    OrgDomainVerified(domain=DOMAIN),
    OrgPrimaryDomainSet(domain=DOMAIN),
)


def test_an_organization_starts_with_a_generated_primary_domain():
    given(Org).when(lambda org: org.add(name="Acme", generated_domain=DOMAIN)).then(*ADDED)


def test_a_name_is_needed():
    given(Org).when(lambda org: org.add(name=" ", generated_domain=DOMAIN)).refuses(InvalidInput, "org.name_invalid")


def test_the_generated_domain_is_the_name_as_a_label():
    assert generated_domain("Acme & Söhne", "auth.example.com:8080") == "acme-söhne.auth.example.com"


def test_deactivating_and_reactivating():
    given(Org, *ADDED).when(Org.deactivate).then(OrgDeactivated())
    given(Org, *ADDED, OrgDeactivated()).when(Org.deactivate).refuses(FailedPrecondition, "org.already_inactive")
    given(Org, *ADDED, OrgDeactivated()).when(Org.reactivate).then(OrgReactivated())
    given(Org, *ADDED).when(Org.reactivate).refuses(FailedPrecondition, "org.already_active")


def test_the_default_organization_stays():
    given(Org, *ADDED).when(lambda org: org.remove(is_default=True)).refuses(FailedPrecondition, "org.default_stays")
    given(Org, *ADDED).when(lambda org: org.remove(is_default=False)).then(OrgRemoved())


def test_a_removed_organization_is_not_found():
    given(Org, *ADDED, OrgRemoved()).when(Org.deactivate).refuses(NotFound, "org.not_found")


def test_a_domain_is_added_once():
    given(Org, *ADDED).when(lambda org: org.add_domain(DOMAIN)).refuses(AlreadyExists, "org.domain_already_exists")


def test_the_primary_domain_stays():
    given(Org, *ADDED).when(lambda org: org.remove_domain(DOMAIN)).refuses(FailedPrecondition, "org.domain_primary")
    more = (*ADDED, OrgDomainAdded(domain="acme.com"), OrgDomainVerified(domain="acme.com"))
    given(Org, *more).when(lambda org: org.remove_domain("acme.com")).then(OrgDomainRemoved(domain="acme.com"))
