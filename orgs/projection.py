"""Keeps the tables of organizations."""

from typing import Any

from eventstore.events import Event
from eventstore.store import Recorded
from orgs.domain import events as facts
from orgs.domain.org import OrgState
from orgs.models import OrgDomainRow, OrgMetadataRow, OrgRow
from projections.projection import Projection, on, update_row


class Orgs(Projection):
    """One row per organization, domain and metadata key."""

    name = "orgs"
    tables = (OrgRow, OrgDomainRow, OrgMetadataRow)

    @on(facts.OrgAdded)
    def added(self, at: Recorded, fact: facts.OrgAdded) -> None:
        """A new organization."""
        OrgRow.objects.create(
            instance_id=at.stream.instance,
            id=at.stream.id,
            name=fact.name,
            created_at=at.at,
            changed_at=at.at,
            version=at.version,
        )

    @on(facts.OrgChanged)
    def changed(self, at: Recorded, fact: facts.OrgChanged) -> None:
        """Another name."""
        _update(at, name=fact.name)

    @on(facts.OrgDeactivated)
    def deactivated(self, at: Recorded, _: Event) -> None:
        """Stopped."""
        _update(at, state=OrgState.INACTIVE)

    @on(facts.OrgReactivated)
    def reactivated(self, at: Recorded, _: Event) -> None:
        """Going again."""
        _update(at, state=OrgState.ACTIVE)

    @on(facts.OrgRemoved)
    def removed(self, at: Recorded, _: Event) -> None:
        """Gone."""
        OrgRow.objects.filter(instance_id=at.stream.instance, id=at.stream.id).delete()
        for table in (OrgDomainRow, OrgMetadataRow):
            table.objects.filter(instance_id=at.stream.instance, org_id=at.stream.id).delete()

    @on(facts.OrgDomainAdded)
    def domain_added(self, at: Recorded, fact: facts.OrgDomainAdded) -> None:
        """A domain, not verified yet."""
        OrgDomainRow.objects.create(
            instance_id=at.stream.instance, org_id=at.stream.id, domain=fact.domain, created_at=at.at
        )
        _update(at)

    @on(facts.OrgDomainVerificationAdded)
    def proof_asked(self, at: Recorded, fact: facts.OrgDomainVerificationAdded) -> None:
        """How the domain is to be proved."""
        _domains(at).filter(domain=fact.domain).update(validation_type=fact.validation_type)
        _update(at)

    @on(facts.OrgDomainVerified)
    def domain_verified(self, at: Recorded, fact: facts.OrgDomainVerified) -> None:
        """The domain is theirs."""
        _domains(at).filter(domain=fact.domain).update(is_verified=True, verified_position=at.position)
        _update(at)

    @on(facts.OrgPrimaryDomainSet)
    def primary_set(self, at: Recorded, fact: facts.OrgPrimaryDomainSet) -> None:
        """The domain of login names."""
        _domains(at).update(is_primary=False)
        _domains(at).filter(domain=fact.domain).update(is_primary=True)
        _update(at, primary_domain=fact.domain)

    @on(facts.OrgDomainRemoved)
    def domain_removed(self, at: Recorded, fact: facts.OrgDomainRemoved) -> None:
        """The domain is free."""
        _domains(at).filter(domain=fact.domain).delete()
        _update(at)

    @on(facts.OrgMetadataSet)
    def metadata_set(self, at: Recorded, fact: facts.OrgMetadataSet) -> None:
        """A value."""
        OrgMetadataRow.objects.update_or_create(
            instance_id=at.stream.instance,
            org_id=at.stream.id,
            key=fact.key,
            defaults={"value": fact.value, "changed_at": at.at},
            create_defaults={"value": fact.value, "changed_at": at.at, "created_at": at.at},
        )

    @on(facts.OrgMetadataRemoved)
    def metadata_removed(self, at: Recorded, fact: facts.OrgMetadataRemoved) -> None:
        """No value any more."""
        OrgMetadataRow.objects.filter(instance_id=at.stream.instance, org_id=at.stream.id, key=fact.key).delete()


def _domains(at: Recorded) -> Any:
    return OrgDomainRow.objects.filter(instance_id=at.stream.instance, org_id=at.stream.id)


def _update(at: Recorded, **columns: Any) -> None:
    update_row(OrgRow, at, at.stream.id, **columns)
