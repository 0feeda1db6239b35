"""zitadel.system.v1.SystemService: every instance of the server and its hosts, for operators of the system."""

from dataclasses import replace
from typing import Any

from iam.api.gen import instance_v1, v1
from iam.api.gen import system_v1 as system
from iam.api.lists import list_details, matches, paged, row_details
from iam.api.methods import Service
from iam.instance import commands, queries
from iam.instance.api_instance import DOMAIN_SORTS, RUNNING, SORTS, VERSION
from iam.instance.api_older import shown_domain
from iam.instance.models import InstanceDomainRow, InstanceRow
from iam.instance.policy_messages import changed
from iam.instance.setting_commands import set_features
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput

operators = Service("zitadel.system.v1.SystemService")
FEATURES = {1: "login_default_org"}
"""zitadel.feature.v1.InstanceFeature → the name of the feature."""


def _shown(kind: Any, row: InstanceRow, domains: list[InstanceDomainRow]) -> Any:
    return kind(
        id=row.id,
        name=row.name,
        state=RUNNING,
        version=VERSION,
        details=row_details(v1.ObjectDetails, row, row.id),
        domains=[shown_domain(one) for one in domains],
    )


@operators.method
def ListInstances(ctx: Context, request: Any) -> Any:
    """Every instance of the server."""
    rows = queries.find_instances(ctx)
    for one in request.queries:
        match one.WhichOneof("query"):
            case "id_query":
                rows = rows.filter(instance_id__in=list(one.id_query.ids))
            case "domain_query":
                asked = InstanceDomainRow.objects.filter(domain__in=list(one.domain_query.domains))
                rows = rows.filter(instance_id__in=asked.values("instance_id"))
            case _:
                raise InvalidInput("api.query_unsupported", field="queries")
    found, total = paged(rows, request.query, sort=request.sorting_column, columns=SORTS, key="instance_id")
    domains = InstanceDomainRow.objects.filter(instance_id__in=[row.id for row in found]).order_by("domain")
    result = [_shown(instance_v1.Instance, row, [one for one in domains if one.instance_id == row.id]) for row in found]
    details = list_details(ctx, total)
    return system.ListInstancesResponse(details=details, sorting_column=request.sorting_column, result=result)


@operators.method
def GetInstance(ctx: Context, request: Any) -> Any:
    """One instance with its hosts."""
    ctx.require("system.instance.read")
    row = queries.get_some_instance(ctx, instance_id=request.instance_id)
    domains = list(queries.domains_of(ctx, instance_id=row.id).order_by("domain"))
    return system.GetInstanceResponse(instance=_shown(instance_v1.InstanceDetail, row, domains))


@operators.method
def UpdateInstance(ctx: Context, request: Any) -> Any:
    """Rename an instance."""
    ctx.require("system.instance.write")
    receipt = commands.rename_some_instance(ctx, instance_id=request.instance_id, name=request.instance_name)
    return changed(system.UpdateInstanceResponse, receipt)


@operators.method
def RemoveInstance(ctx: Context, request: Any) -> Any:
    """Delete an instance: its hosts lead nowhere any more."""
    return changed(system.RemoveInstanceResponse, commands.remove_instance(ctx, instance_id=request.instance_id))


@operators.method
def ExistsDomain(ctx: Context, request: Any) -> Any:
    """Whether a host leads to any instance."""
    return system.ExistsDomainResponse(exists=queries.is_host(ctx, domain=request.domain))


@operators.method
def ListDomains(ctx: Context, request: Any) -> Any:
    """The hosts of an instance."""
    rows = queries.hosts_of(ctx, instance_id=request.instance_id)
    for one in request.queries:
        match one.WhichOneof("query"):
            case "domain_query":
                rows = rows.filter(matches("domain", one.domain_query.domain, one.domain_query.method))
            case "generated_query":
                rows = rows.filter(is_generated=one.generated_query.generated)
            case "primary_query":
                rows = rows.filter(is_primary=one.primary_query.primary)
            case _:
                raise InvalidInput("api.query_unsupported", field="queries")
    found, total = paged(rows, request.query, sort=request.sorting_column, columns=DOMAIN_SORTS, key="domain")
    return system.ListDomainsResponse(
        details=list_details(ctx, total),
        sorting_column=request.sorting_column,
        result=[shown_domain(row) for row in found],
    )


@operators.method
def AddDomain(ctx: Context, request: Any) -> Any:
    """Let another host lead to an instance."""
    receipt = commands.add_custom_domain(ctx, instance_id=request.instance_id, domain=request.domain)
    return changed(system.AddDomainResponse, receipt)


@operators.method
def RemoveDomain(ctx: Context, request: Any) -> Any:
    """Take a host away."""
    receipt = commands.remove_custom_domain(
        ctx, instance_id=request.instance_id, domain=request.domain, needs="system.domain.delete"
    )
    return changed(system.RemoveDomainResponse, receipt)


@operators.method
def SetPrimaryDomain(ctx: Context, request: Any) -> Any:
    """Choose the host that an instance's links are made with."""
    receipt = commands.set_primary_of(ctx, instance_id=request.instance_id, domain=request.domain)
    return changed(system.SetPrimaryDomainResponse, receipt)


@operators.method
def SetInstanceFeature(ctx: Context, request: Any) -> Any:
    """Switch a feature of an instance."""
    where = replace(ctx, instance=queries.get_some_instance(ctx, instance_id=request.instance_id).id)
    values = {FEATURES[request.feature_id]: request.bool}
    receipt = set_features(where, level="instance", values=values, needs="system.feature.write")
    return changed(system.SetInstanceFeatureResponse, receipt)
