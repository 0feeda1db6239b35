"""zitadel.management.v1.ManagementService: what is kept under keys of a user."""

from typing import Any

from iam.api.gen import management_v1 as management
from iam.api.methods import Service
from iam.kernel.context import Context
from users import commands, queries
from users.api_v1_shown import done, got, metadata_page, shown_metadata, within

older = Service("zitadel.management.v1.ManagementService")


@older.method
def SetUserMetadata(ctx: Context, request: Any) -> Any:
    """Keep a value under a key."""
    values = {request.key: request.value}
    receipt = commands.set_user_metadata(ctx, user_id=within(ctx, request.id), values=values)
    return done(management.SetUserMetadataResponse, receipt, id=request.id)


@older.method
def BulkSetUserMetadata(ctx: Context, request: Any) -> Any:
    """Keep values under keys."""
    values = {entry.key: entry.value for entry in request.metadata}
    receipt = commands.set_user_metadata(ctx, user_id=within(ctx, request.id), values=values)
    return done(management.BulkSetUserMetadataResponse, receipt)


@older.method
def GetUserMetadata(ctx: Context, request: Any) -> Any:
    """The value under a key."""
    user = got(ctx, request.id)
    row = queries.get_metadata(ctx, user_id=user.id, key=request.key)
    return management.GetUserMetadataResponse(metadata=shown_metadata(row, user.org_id))


@older.method
def ListUserMetadata(ctx: Context, request: Any) -> Any:
    """The values under keys."""
    return management.ListUserMetadataResponse(**metadata_page(ctx, got(ctx, request.id), request))


@older.method
def RemoveUserMetadata(ctx: Context, request: Any) -> Any:
    """Forget a key."""
    receipt = commands.remove_user_metadata(ctx, user_id=within(ctx, request.id), keys=(request.key,))
    return done(management.RemoveUserMetadataResponse, receipt)


@older.method
def BulkRemoveUserMetadata(ctx: Context, request: Any) -> Any:
    """Forget keys."""
    receipt = commands.remove_user_metadata(ctx, user_id=within(ctx, request.id), keys=tuple(request.keys))
    return done(management.BulkRemoveUserMetadataResponse, receipt)
