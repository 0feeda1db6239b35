"""zitadel.org.v2.OrganizationService: lists of what belongs to an organization."""

from typing import Any

from iam.api.gen import metadata_v2, org_v2
from iam.api.lists import matches, page_of, paged, stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from orgs import queries

orgs = Service("zitadel.org.v2.OrganizationService")
DOMAIN_SORTS = {1: "domain", 2: "created_at"}


@orgs.method
def ListOrganizationDomains(ctx: Context, request: Any) -> Any:
    """The domains of an organization."""
    rows = queries.list_domains(ctx, org_id=request.organization_id)
    for one in request.filters:
        rows = rows.filter(matches("domain", one.domain_filter.domain, one.domain_filter.method))
    found, total = paged(
        rows,
        request.pagination,
        sort=request.sorting_column,
        columns=DOMAIN_SORTS,
        key=("created_at", "domain"),
        oldest_first=True,
    )
    shown = [
        org_v2.Domain(
            organization_id=row.org_id,
            domain=row.domain,
            is_verified=row.is_verified,
            is_primary=row.is_primary,
            validation_type=row.validation_type,
        )
        for row in found
    ]
    return org_v2.ListOrganizationDomainsResponse(domains=shown, pagination=page_of(request, total))


@orgs.method
def ListOrganizationMetadata(ctx: Context, request: Any) -> Any:
    """The values kept under keys."""
    rows = queries.list_metadata(ctx, org_id=request.organization_id)
    for one in request.filters:
        rows = rows.filter(matches("key", one.key_filter.key, one.key_filter.method))
    found, total = paged(rows, request.pagination, columns={}, key="key")
    shown = [
        metadata_v2.Metadata(
            key=row.key,
            value=bytes(row.value),
            creation_date=stamp(row.created_at),
            change_date=stamp(row.changed_at),
        )
        for row in found
    ]
    return org_v2.ListOrganizationMetadataResponse(metadata=shown, pagination=page_of(request, total))
