"""Keeps the tables of instances."""

from dataclasses import fields
from typing import Any

from eventstore.events import Event
from eventstore.store import Recorded
from iam.instance.domain import events as facts
from iam.instance.models import InstanceDomainRow, InstanceRow
from iam.instance.settings import SECTIONS
from projections.projection import Projection, on


class Instances(Projection):
    """One row per instance, one per host; changed settings as JSON beside them."""

    name = "instances"
    tables = (InstanceRow, InstanceDomainRow)

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
        InstanceDomainRow.objects.filter(instance_id=at.stream.instance).delete()

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

    @on(facts.PasswordComplexityChanged, facts.LockoutChanged, facts.OidcSettingsChanged)
    def setting(self, at: Recorded, fact: Event) -> None:
        """What differs from the defaults."""
        row = InstanceRow.objects.get(instance_id=at.stream.instance)
        section = row.settings.setdefault(SECTIONS[type(fact)], {})
        for part in fields(fact):  # type: ignore[arg-type]
            value = getattr(fact, part.name)
            if value is not None:
                section[part.name] = value.total_seconds() if hasattr(value, "total_seconds") else value
        _update(at, settings=row.settings)


def _update(at: Recorded, **columns: Any) -> None:
    rows = InstanceRow.objects.filter(instance_id=at.stream.instance)
    rows.update(changed_at=at.at, version=at.version, **columns)
