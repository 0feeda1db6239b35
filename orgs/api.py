"""Methods of zitadel.org.v2.OrganizationService."""

from typing import Any

from iam.api.gen import object_v2, org_v2
from iam.api.lists import matches, paged, row_details, stamp
from iam.api.methods import Service
from iam.instance.settings import settings_of
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from orgs import commands, queries
from orgs.models import OrgDomainRow

orgs = Service("zitadel.org.v2.OrganizationService")
SORTS = {1: "name", 2: "created_at"}


@orgs.method
def ListOrganizations(ctx: Context, request: Any) -> Any:
    """The organizations that the caller may see."""
    rows = queries.list_orgs(ctx)
    for query in request.queries:
        rows = narrowed(ctx, rows, query)
    found, total = paged(rows, request.query, sort=request.sorting_column, columns=SORTS, oldest_first=True)
    result = [
        org_v2.Organization(
            id=row.id,
            name=row.name,
            state=row.state,
            primary_domain=row.primary_domain,
            details=row_details(object_v2.Details, row, row.id),
        )
        for row in found
    ]
    answer = org_v2.ListOrganizationsResponse(result=result, sorting_column=request.sorting_column)
    answer.details.total_result = total
    answer.details.timestamp.FromDatetime(ctx.now())
    return answer


def narrowed(ctx: Context, rows: Any, query: Any) -> Any:
    """The organizations that a query of v2 or v1 lets through; raises InvalidInput."""
    match query.WhichOneof("query"):
        case "name_query":
            return rows.filter(matches("name", query.name_query.name, query.name_query.method))
        case "domain_query":
            asked = matches("domain", query.domain_query.domain, query.domain_query.method)
            ids = OrgDomainRow.objects.filter(asked, instance_id=ctx.instance, is_verified=True).values("org_id")
            return rows.filter(id__in=ids)
        case "state_query":
            return rows.filter(state=query.state_query.state)
        case "id_query":
            return rows.filter(id=query.id_query.id)
        case "default_query":
            return rows.filter(id=settings_of(ctx.instance).default_org_id)
    raise InvalidInput("api.query_unsupported", field="queries")


@orgs.method
def UpdateOrganization(ctx: Context, request: Any) -> Any:
    """Rename an organization."""
    receipt = commands.rename_org(ctx, org_id=request.organization_id, name=request.name)
    return org_v2.UpdateOrganizationResponse(change_date=stamp(receipt.changed_at))


@orgs.method
def DeactivateOrganization(ctx: Context, request: Any) -> Any:
    """Stop an organization's users from signing in."""
    receipt = commands.deactivate_org(ctx, org_id=request.organization_id)
    return org_v2.DeactivateOrganizationResponse(change_date=stamp(receipt.changed_at))


@orgs.method
def ActivateOrganization(ctx: Context, request: Any) -> Any:
    """Let an organization's users sign in again."""
    receipt = commands.reactivate_org(ctx, org_id=request.organization_id)
    return org_v2.ActivateOrganizationResponse(change_date=stamp(receipt.changed_at))


@orgs.method
def DeleteOrganization(ctx: Context, request: Any) -> Any:
    """Delete an organization with everything it owns."""
    receipt = commands.remove_org(ctx, org_id=request.organization_id)
    return org_v2.DeleteOrganizationResponse(deletion_date=stamp(receipt.changed_at))


@orgs.method
def AddOrganizationDomain(ctx: Context, request: Any) -> Any:
    """Add a domain."""
    receipt = commands.add_org_domain(ctx, org_id=request.organization_id, domain=request.domain)
    return org_v2.AddOrganizationDomainResponse(creation_date=stamp(receipt.changed_at))


@orgs.method
def GenerateOrganizationDomainValidation(ctx: Context, request: Any) -> Any:
    """Say what to publish to prove a domain."""
    asked = commands.ask_domain_proof(ctx, org_id=request.organization_id, domain=request.domain, kind=request.type)
    return org_v2.GenerateOrganizationDomainValidationResponse(token=asked.code, url=asked.where)


@orgs.method
def VerifyOrganizationDomain(ctx: Context, request: Any) -> Any:
    """Look for the proof of a domain."""
    receipt = commands.verify_org_domain(ctx, org_id=request.organization_id, domain=request.domain)
    return org_v2.VerifyOrganizationDomainResponse(change_date=stamp(receipt.changed_at))


@orgs.method
def DeleteOrganizationDomain(ctx: Context, request: Any) -> Any:
    """Remove a domain."""
    receipt = commands.remove_org_domain(ctx, org_id=request.organization_id, domain=request.domain)
    return org_v2.DeleteOrganizationDomainResponse(deletion_date=stamp(receipt.changed_at))


@orgs.method
def SetOrganizationMetadata(ctx: Context, request: Any) -> Any:
    """Keep values under keys."""
    values = {entry.key: entry.value for entry in request.metadata}
    receipt = commands.set_org_metadata(ctx, org_id=request.organization_id, values=values)
    return org_v2.SetOrganizationMetadataResponse(set_date=stamp(receipt.changed_at))


@orgs.method
def DeleteOrganizationMetadata(ctx: Context, request: Any) -> Any:
    """Forget keys."""
    receipt = commands.remove_org_metadata(ctx, org_id=request.organization_id, keys=tuple(request.keys))
    return org_v2.DeleteOrganizationMetadataResponse(deletion_date=stamp(receipt.changed_at))
