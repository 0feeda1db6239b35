"""zitadel.user.v2.UserService: what service users prove themselves with."""

from typing import Any

from django.db.models import Q, QuerySet

from iam.api.gen import user_v2
from iam.api.lists import at_time, moment, page_of, paged, stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from users import commands, queries

users = Service("zitadel.user.v2.UserService")
SORTS = {1: "created_at", 2: "id", 3: "user_id", 4: "org_id", 5: "expires_at"}


@users.method
def AddPersonalAccessToken(ctx: Context, request: Any) -> Any:
    """Give a service user a token, shown this once."""
    made = commands.add_pat(
        ctx, user_id=request.user_id, expires_at=moment(request, "expiration_date"), scopes=tuple(request.scopes)
    )
    return user_v2.AddPersonalAccessTokenResponse(
        creation_date=stamp(made.receipt.changed_at), token_id=made.id, token=made.secret
    )


@users.method
def RemovePersonalAccessToken(ctx: Context, request: Any) -> Any:
    """Take a token."""
    receipt = commands.remove_pat(ctx, user_id=request.user_id, pat_id=request.token_id)
    return user_v2.RemovePersonalAccessTokenResponse(deletion_date=stamp(receipt.changed_at))


@users.method
def AddKey(ctx: Context, request: Any) -> Any:
    """Give a service user a key; a new private half is shown this once as the key file of the clients."""
    made = commands.add_machine_key(
        ctx, user_id=request.user_id, public_key=request.public_key, expires_at=moment(request, "expiration_date")
    )
    content = commands.key_file(made, request.user_id).encode() if made.secret else b""
    return user_v2.AddKeyResponse(creation_date=stamp(made.receipt.changed_at), key_id=made.id, key_content=content)


@users.method
def RemoveKey(ctx: Context, request: Any) -> Any:
    """Take a key."""
    receipt = commands.remove_machine_key(ctx, user_id=request.user_id, key_id=request.key_id)
    return user_v2.RemoveKeyResponse(deletion_date=stamp(receipt.changed_at))


@users.method
def AddSecret(ctx: Context, request: Any) -> Any:
    """Give a service user a client secret, shown this once."""
    made = commands.set_machine_secret(ctx, user_id=request.user_id)
    return user_v2.AddSecretResponse(creation_date=stamp(made.receipt.changed_at), client_secret=made.secret)


@users.method
def RemoveSecret(ctx: Context, request: Any) -> Any:
    """Take the client secret."""
    receipt = commands.remove_machine_secret(ctx, user_id=request.user_id)
    return user_v2.RemoveSecretResponse(deletion_date=stamp(receipt.changed_at))


@users.method
def ListPersonalAccessTokens(ctx: Context, request: Any) -> Any:
    """Tokens of the users that the caller may see, without their texts."""
    found, total = _page(queries.list_all_pats(ctx), request)
    result = [user_v2.PersonalAccessToken(**_common(row)) for row in found]
    return user_v2.ListPersonalAccessTokensResponse(result=result, pagination=page_of(request, total))


@users.method
def ListKeys(ctx: Context, request: Any) -> Any:
    """Keys of the users that the caller may see."""
    found, total = _page(queries.list_all_keys(ctx), request)
    result = [user_v2.Key(**_common(row)) for row in found]
    return user_v2.ListKeysResponse(result=result, pagination=page_of(request, total))


def _page(rows: "QuerySet[Any]", request: Any) -> tuple[list[Any], int]:
    for one in request.filters:
        rows = rows.filter(_condition(one))
    return paged(rows, request.pagination, sort=request.sorting_column, columns=SORTS)


def _condition(one: Any) -> Q:
    """A filter of the API as a condition; raises InvalidInput."""
    name = one.WhichOneof("filter")
    match name:
        case "token_id_filter" | "key_id_filter":
            return Q(id=getattr(one, name).id)
        case "user_id_filter":
            return Q(user_id=one.user_id_filter.id)
        case "organization_id_filter":
            return Q(org_id=one.organization_id_filter.id)
        case "created_date_filter":
            return at_time("created_at", one.created_date_filter)
        case "expiration_date_filter":
            return at_time("expires_at", one.expiration_date_filter)
    raise InvalidInput("api.query_unsupported", field="filters")


def _common(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "user_id": row.user_id,
        "organization_id": row.org_id,
        "creation_date": stamp(row.created_at),
        "change_date": stamp(row.created_at),
        "expiration_date": stamp(row.expires_at),
    }
