"""Questions about instances."""

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from eventstore.prepared import prepared
from iam.access.caller import finds_instance, trusts_hosts
from iam.access.hosts import checked
from iam.cache import epochs, kept
from iam.console.signin import knows_console_client
from iam.instance.models import InstanceDomainRow, InstanceRow, TrustedDomainRow
from iam.instance.settings import instance_of
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from iam.observe import requests


@prepared
def _hosts(asked: str, bare: str) -> "QuerySet[Any, Any]":
    rows = InstanceDomainRow.objects.filter(Q(domain=asked) | Q(domain=bare))
    return rows.values("domain", "instance_id")


@prepared
def _hosts_with_epochs(asked: str, bare: str) -> "QuerySet[Any, Any]":
    rows = InstanceDomainRow.objects.filter(Q(domain=asked) | Q(domain=bare))
    return rows.annotate(epochs=epochs.of_outer_instance()).values("domain", "instance_id", "epochs")


@finds_instance
def find_instance(host: str) -> str:
    """The instance of a host, whatever port is named; empty for an unknown host. One statement."""
    bare, stored = _spellings(host)
    hosts = _hosts_with_epochs if kept.is_on() else _hosts
    found = {row["domain"]: row for row in hosts.all(asked=stored, bare=bare)}
    row = found.get(bare) or found.get(stored)
    if row is None:
        return ""
    epochs.note(row["instance_id"], row.get("epochs"))
    requests.of_instance(row["instance_id"])
    return str(row["instance_id"])


def _spellings(host: str) -> tuple[str, str]:
    """The name of a host, and how it was stored when hosts could be added with the port of the configuration."""
    bare = checked(host)
    return bare, f"{bare}:{settings.CONFIG.ExternalPort}"


@trusts_hosts
def is_trusted(instance: str, host: str) -> bool:
    """Whether links may be made with a host: one of the instance, or one that it trusts."""
    trusted = TrustedDomainRow.objects.filter(instance_id=instance, domain__in=_spellings(host))
    return leads_to(instance, host) or trusted.exists()


def leads_to(instance: str, host: str) -> bool:
    """Whether a host is one of the instance."""
    return InstanceDomainRow.objects.filter(instance_id=instance, domain__in=_spellings(host)).exists()


@knows_console_client
def console_client(instance: str) -> str:
    """The console's client id."""
    return instance_of(instance).console_client_id


def get_instance(ctx: Context) -> InstanceRow:
    """This instance; raises NotFound, PermissionDenied."""
    ctx.require("iam.read", ctx.instance)
    row = InstanceRow.objects.filter(instance_id=ctx.instance).first()
    if row is None:
        raise NotFound("instance.not_found")
    return row


def list_domains(ctx: Context) -> "QuerySet[InstanceDomainRow]":
    """The hosts of this instance."""
    ctx.require("iam.read", ctx.instance)
    return InstanceDomainRow.objects.filter(instance_id=ctx.instance)


def find_instances(ctx: Context) -> "QuerySet[InstanceRow]":
    """Every instance of the server, for operators of the system."""
    ctx.require("system.instance.read")
    return InstanceRow.objects.all()


def get_some_instance(ctx: Context, *, instance_id: str) -> InstanceRow:
    """This instance, or any for operators of the system; raises NotFound, PermissionDenied."""
    if instance_id in ("", ctx.instance) and not ctx.rights.allow("system.instance.read"):
        return get_instance(ctx)
    row = find_instances(ctx).filter(instance_id=instance_id or ctx.instance).first()
    if row is None:
        raise NotFound("instance.not_found")
    return row


def domains_of(ctx: Context, *, instance_id: str) -> "QuerySet[InstanceDomainRow]":
    """The hosts of an instance."""
    return InstanceDomainRow.objects.filter(instance_id=get_some_instance(ctx, instance_id=instance_id).id)


def hosts_of(ctx: Context, *, instance_id: str) -> "QuerySet[InstanceDomainRow]":
    """The same for operators of the system; raises NotFound for no instance."""
    ctx.require("system.domain.read")
    must_be_instance(instance_id)
    return InstanceDomainRow.objects.filter(instance_id=instance_id)


def must_be_instance(instance_id: str) -> None:
    """Raises NotFound."""
    if not InstanceRow.objects.filter(instance_id=instance_id).exists():
        raise NotFound("instance.not_found")


def is_host(ctx: Context, *, domain: str) -> bool:
    """Whether a host leads to any instance, for operators of the system."""
    ctx.require("system.domain.read")
    return InstanceDomainRow.objects.filter(domain=domain.strip().lower()).exists()


def trusted_domains_of(ctx: Context, *, instance_id: str) -> "QuerySet[TrustedDomainRow]":
    """The hosts that links may be made with."""
    return TrustedDomainRow.objects.filter(instance_id=get_some_instance(ctx, instance_id=instance_id).id)


def own_host(instance: str) -> str:
    """The host that set-up gave the instance; empty when it has none."""
    rows = InstanceDomainRow.objects.filter(instance_id=instance, is_generated=True)
    return rows.values_list("domain", flat=True).first() or ""


def origin_of_instance(instance: str) -> str:
    """The public origin of an instance: its primary host with the scheme and port of the configuration."""
    host = InstanceRow.objects.values_list("primary_domain", flat=True).get(instance_id=instance)
    return settings.CONFIG.origin(host)
