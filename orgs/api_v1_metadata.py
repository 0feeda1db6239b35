"""Metadata of the organization that a request of the older management service acts in."""

from typing import Any

from iam.api.gen import management_v1 as management
from iam.api.gen import metadata_v1, v1
from iam.api.lists import details, list_details, matches, paged
from iam.api.methods import Service
from iam.kernel.context import Context
from orgs import commands, queries
from orgs.api_v1 import inner_details
from orgs.models import OrgMetadataRow

own = Service("zitadel.management.v1.ManagementService")


def _shown(row: OrgMetadataRow) -> Any:
    return metadata_v1.Metadata(key=row.key, value=bytes(row.value), details=inner_details(row, row.changed_at))


def _set(ctx: Context, values: dict[str, bytes]) -> Any:
    return details(v1.ObjectDetails, commands.set_org_metadata(ctx, org_id=ctx.org_id, values=values))


def _remove(ctx: Context, *keys: str) -> Any:
    return details(v1.ObjectDetails, commands.remove_org_metadata(ctx, org_id=ctx.org_id, keys=keys))


@own.method
def SetOrgMetadata(ctx: Context, request: Any) -> Any:
    """Keep a value under a key."""
    return management.SetOrgMetadataResponse(details=_set(ctx, {request.key: request.value}))


@own.method
def BulkSetOrgMetadata(ctx: Context, request: Any) -> Any:
    """Keep several values."""
    values = {entry.key: entry.value for entry in request.metadata}
    return management.BulkSetOrgMetadataResponse(details=_set(ctx, values))


@own.method
def GetOrgMetadata(ctx: Context, request: Any) -> Any:
    """One value."""
    row = queries.get_metadata(ctx, org_id=ctx.org_id, key=request.key)
    return management.GetOrgMetadataResponse(metadata=_shown(row))


@own.method
def ListOrgMetadata(ctx: Context, request: Any) -> Any:
    """The values."""
    rows = queries.list_metadata(ctx, org_id=ctx.org_id)
    for one in request.queries:
        rows = rows.filter(matches("key", one.key_query.key, one.key_query.method))
    found, total = paged(rows, request.query, columns={}, key="key")
    return management.ListOrgMetadataResponse(details=list_details(ctx, total), result=[_shown(row) for row in found])


@own.method
def RemoveOrgMetadata(ctx: Context, request: Any) -> Any:
    """Forget a key."""
    return management.RemoveOrgMetadataResponse(details=_remove(ctx, request.key))


@own.method
def BulkRemoveOrgMetadata(ctx: Context, request: Any) -> Any:
    """Forget several keys."""
    return management.BulkRemoveOrgMetadataResponse(details=_remove(ctx, *request.keys))
