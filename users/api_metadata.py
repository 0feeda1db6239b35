"""zitadel.user.v2.UserService: what is kept under keys."""

from typing import Any

from iam.api.gen import metadata_v2, user_v2
from iam.api.lists import matches, page_of, paged, stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from users import commands, queries

users = Service("zitadel.user.v2.UserService")


@users.method
def SetUserMetadata(ctx: Context, request: Any) -> Any:
    """Keep values under keys."""
    values = {entry.key: entry.value for entry in request.metadata}
    receipt = commands.set_user_metadata(ctx, user_id=request.user_id, values=values)
    return user_v2.SetUserMetadataResponse(set_date=stamp(receipt.changed_at))


@users.method
def DeleteUserMetadata(ctx: Context, request: Any) -> Any:
    """Forget keys."""
    receipt = commands.remove_user_metadata(ctx, user_id=request.user_id, keys=tuple(request.keys))
    return user_v2.DeleteUserMetadataResponse(deletion_date=stamp(receipt.changed_at))


@users.method
def ListUserMetadata(ctx: Context, request: Any) -> Any:
    """The metadata of a user."""
    rows = queries.list_metadata(ctx, user_id=request.user_id)
    for one in request.filters:
        if one.WhichOneof("filter") != "key_filter":
            raise InvalidInput("api.query_unsupported", field="filters")
        rows = rows.filter(matches("key", one.key_filter.key, one.key_filter.method))
    found, total = paged(rows, request.pagination, columns={}, key=("created_at", "key"))
    result = [
        metadata_v2.Metadata(
            key=row.key, value=bytes(row.value), creation_date=stamp(row.created_at), change_date=stamp(row.changed_at)
        )
        for row in found
    ]
    return user_v2.ListUserMetadataResponse(metadata=result, pagination=page_of(request, total))
