"""Keeps the tables of instances."""

from typing import Any

from eventstore.events import Event
from eventstore.store import Recorded
from iam.instance.domain import events as facts
from iam.instance.models import InstanceDomainRow, InstanceRow, TrustedDomainRow
from projections.projection import Projection, on


class Instances(Projection):
    """One row per instance, one per host."""

    name = "instances"
    tables = (InstanceRow, InstanceDomainRow, TrustedDomainRow)

    @on(facts.InstanceAdded)
    def added(self, at: Recorded, fact: facts.InstanceAdded) -> None:
        """A new tenant."""
        InstanceRow.objects.create(
            instance_id=at.stream.instance, name=fact.name, created_at=at.at, changed_at=at.at, version=at.version
        )

    @on(facts.InstanceChanged)
    def changed(self, at: Recorded, fact: facts.InstanceChanged) -> None:
        """Another name."""
        _update(at, name=fact.name)

    @on(facts.InstanceRemoved)
    def removed(self, at: Recorded, _: Event) -> None:
        """Gone."""
        InstanceRow.objects.filter(instance_id=at.stream.instance).delete()
        for table in (InstanceDomainRow, TrustedDomainRow):
            table.objects.filter(instance_id=at.stream.instance).delete()

    @on(facts.InstanceDomainAdded)
    def domain_added(self, at: Recorded, fact: facts.InstanceDomainAdded) -> None:
        """A host leads here."""
        InstanceDomainRow.objects.create(
            instance_id=at.stream.instance, domain=fact.domain, is_generated=fact.generated, created_at=at.at
        )

    @on(facts.InstancePrimaryDomainSet)
    def primary_set(self, at: Recorded, fact: facts.InstancePrimaryDomainSet) -> None:
        """The host for links."""
        rows = InstanceDomainRow.objects.filter(instance_id=at.stream.instance)
        rows.update(is_primary=False)
        rows.filter(domain=fact.domain).update(is_primary=True)
        _update(at, primary_domain=fact.domain)

    @on(facts.InstanceDomainRemoved)
    def domain_removed(self, at: Recorded, fact: facts.InstanceDomainRemoved) -> None:
        """A host leads here no more."""
        InstanceDomainRow.objects.filter(instance_id=at.stream.instance, domain=fact.domain).delete()

    @on(facts.DefaultOrgSet)
    def default_org(self, at: Recorded, fact: facts.DefaultOrgSet) -> None:
        """The default organization."""
        _update(at, default_org_id=fact.org_id)

    @on(facts.IamProjectSet)
    def iam_project(self, at: Recorded, fact: facts.IamProjectSet) -> None:
        """The product's own project."""
        _update(at, iam_project_id=fact.project_id)

    @on(facts.ConsoleSet)
    def console(self, at: Recorded, fact: facts.ConsoleSet) -> None:
        """The console's application."""
        _update(at, console_client_id=fact.client_id, console_app_id=fact.app_id)

    @on(facts.DefaultLanguageSet)
    def language(self, at: Recorded, fact: facts.DefaultLanguageSet) -> None:
        """The default language."""
        _update(at, default_language=fact.language)

    @on(facts.TrustedDomainAdded)
    def trusted(self, at: Recorded, fact: facts.TrustedDomainAdded) -> None:
        """Links may be made with it."""
        TrustedDomainRow.objects.create(instance_id=at.stream.instance, domain=fact.domain, created_at=at.at)

    @on(facts.TrustedDomainRemoved)
    def distrusted(self, at: Recorded, fact: facts.TrustedDomainRemoved) -> None:
        """No longer."""
        TrustedDomainRow.objects.filter(instance_id=at.stream.instance, domain=fact.domain).delete()


def _update(at: Recorded, **columns: Any) -> None:
    rows = InstanceRow.objects.filter(instance_id=at.stream.instance)
    rows.update(changed_at=at.at, version=at.version, **columns)
