"""zitadel.instance.v2.InstanceService."""

from typing import Any

from iam.api.gen import instance_v2
from iam.api.lists import matches, page_of, paged, stamp
from iam.api.methods import Service
from iam.instance import commands, queries
from iam.instance.models import InstanceDomainRow, InstanceRow, TrustedDomainRow
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput

instances = Service("zitadel.instance.v2.InstanceService")
RUNNING = 2
VERSION = "v4.13.0"
"""What clients decide by: the release of the reference whose API this is; our own is in `iam/usage`."""
SORTS = {1: "instance_id", 2: "name", 3: "created_at"}
DOMAIN_SORTS = {1: "domain", 2: "is_primary", 3: "is_generated", 4: "created_at"}
TRUSTED_SORTS = {1: "domain", 2: "created_at"}


def _instance(row: InstanceRow, domains: list[InstanceDomainRow]) -> Any:
    return instance_v2.Instance(
        id=row.id,
        name=row.name,
        state=RUNNING,
        version=VERSION,
        creation_date=stamp(row.created_at),
        change_date=stamp(row.changed_at),
        custom_domains=[_domain(one) for one in domains],
    )


def _domain(row: InstanceDomainRow) -> Any:
    return instance_v2.CustomDomain(
        instance_id=row.instance_id,
        domain=row.domain,
        primary=row.is_primary,
        generated=row.is_generated,
        creation_date=stamp(row.created_at),
    )


@instances.method
def GetInstance(ctx: Context, request: Any) -> Any:
    """This instance; any for operators of the system."""
    row = queries.get_some_instance(ctx, instance_id=request.instance_id)
    domains = queries.domains_of(ctx, instance_id=row.id).order_by("domain")
    return instance_v2.GetInstanceResponse(instance=_instance(row, list(domains)))


@instances.method
def ListInstances(ctx: Context, request: Any) -> Any:
    """Every instance of the server."""
    rows = queries.find_instances(ctx)
    for one in request.filters:
        match one.WhichOneof("filter"):
            case "in_ids_filter":
                rows = rows.filter(instance_id__in=list(one.in_ids_filter.ids))
            case "custom_domains_filter":
                asked = InstanceDomainRow.objects.filter(domain__in=list(one.custom_domains_filter.domains))
                rows = rows.filter(instance_id__in=asked.values("instance_id"))
            case _:
                raise InvalidInput("api.query_unsupported", field="filters")
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=SORTS, key="instance_id")
    domains = InstanceDomainRow.objects.filter(instance_id__in=[row.id for row in found]).order_by("domain")
    shown = [_instance(row, [one for one in domains if one.instance_id == row.id]) for row in found]
    return instance_v2.ListInstancesResponse(instances=shown, pagination=page_of(request, total))


@instances.method
def UpdateInstance(ctx: Context, request: Any) -> Any:
    """Rename an instance."""
    receipt = commands.rename_some_instance(ctx, instance_id=request.instance_id, name=request.instance_name)
    return instance_v2.UpdateInstanceResponse(change_date=stamp(receipt.changed_at))


@instances.method
def DeleteInstance(ctx: Context, request: Any) -> Any:
    """Delete an instance."""
    receipt = commands.remove_instance(ctx, instance_id=request.instance_id)
    return instance_v2.DeleteInstanceResponse(deletion_date=stamp(receipt.changed_at))


@instances.method
def AddCustomDomain(ctx: Context, request: Any) -> Any:
    """Let another host lead to an instance."""
    receipt = commands.add_custom_domain(ctx, instance_id=request.instance_id, domain=request.custom_domain)
    return instance_v2.AddCustomDomainResponse(creation_date=stamp(receipt.changed_at))


@instances.method
def RemoveCustomDomain(ctx: Context, request: Any) -> Any:
    """Take a host away."""
    receipt = commands.remove_custom_domain(ctx, instance_id=request.instance_id, domain=request.custom_domain)
    return instance_v2.RemoveCustomDomainResponse(deletion_date=stamp(receipt.changed_at))


@instances.method
def ListCustomDomains(ctx: Context, request: Any) -> Any:
    """The hosts of an instance."""
    rows = queries.domains_of(ctx, instance_id=request.instance_id)
    for one in request.filters:
        match one.WhichOneof("filter"):
            case "domain_filter":
                rows = rows.filter(matches("domain", one.domain_filter.domain, one.domain_filter.method))
            case "generated_filter":
                rows = rows.filter(is_generated=one.generated_filter)
            case "primary_filter":
                rows = rows.filter(is_primary=one.primary_filter)
            case _:
                raise InvalidInput("api.query_unsupported", field="filters")
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=DOMAIN_SORTS, key="domain")
    shown = [_domain(row) for row in found]
    return instance_v2.ListCustomDomainsResponse(domains=shown, pagination=page_of(request, total))


@instances.method
def AddTrustedDomain(ctx: Context, request: Any) -> Any:
    """Let links be made with a host."""
    receipt = commands.trust_domain(ctx, instance_id=request.instance_id, domain=request.trusted_domain)
    return instance_v2.AddTrustedDomainResponse(creation_date=stamp(receipt.changed_at))


@instances.method
def RemoveTrustedDomain(ctx: Context, request: Any) -> Any:
    """Trust a host no more."""
    receipt = commands.distrust_domain(ctx, instance_id=request.instance_id, domain=request.trusted_domain)
    return instance_v2.RemoveTrustedDomainResponse(deletion_date=stamp(receipt.changed_at))


@instances.method
def ListTrustedDomains(ctx: Context, request: Any) -> Any:
    """The hosts that links may be made with."""
    rows = queries.trusted_domains_of(ctx, instance_id=request.instance_id)
    for one in request.filters:
        rows = rows.filter(matches("domain", one.domain_filter.domain, one.domain_filter.method))
    found, total = paged(rows, request.pagination, sort=request.sorting_column, columns=TRUSTED_SORTS, key="domain")
    shown = [_trusted(row) for row in found]
    return instance_v2.ListTrustedDomainsResponse(trusted_domain=shown, pagination=page_of(request, total))


def _trusted(row: TrustedDomainRow) -> Any:
    return instance_v2.TrustedDomain(
        instance_id=row.instance_id, domain=row.domain, creation_date=stamp(row.created_at)
    )
