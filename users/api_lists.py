"""Lists of zitadel.user.v2.UserService, and how a user is shown."""

from typing import Any

from django.db.models import Q, QuerySet

from iam.api.gen import object_v2, user_v2
from iam.api.lists import matches, page_of, paged, row_details, stamp
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from users import queries
from users.models import UserRow

users = Service("zitadel.user.v2.UserService")
SORTS = {
    1: "user_name",
    2: "first_name",
    3: "last_name",
    4: "nick_name",
    5: "display_name",
    6: "email",
    7: "state",
    8: "kind",
    9: "created_at",
}
TEXTS = {
    "user_name_query": ("user_name", "user_name"),
    "first_name_query": ("first_name", "first_name"),
    "last_name_query": ("last_name", "last_name"),
    "nick_name_query": ("nick_name", "nick_name"),
    "display_name_query": ("display_name", "display_name"),
    "email_query": ("email_address", "email"),
    "phone_query": ("number", "phone"),
}
KINDS = {1: "human", 2: "machine"}
DEEPEST = 10


@users.method
def ListUsers(ctx: Context, request: Any) -> Any:
    """The users that the caller may see, filtered and sorted."""
    rows = queries.list_users(ctx)
    for query in request.queries:
        rows = rows.filter(condition(query, DEEPEST))
    found, total = paged(rows, request.query, sort=request.sorting_column, columns=SORTS)
    answer = user_v2.ListUsersResponse(sorting_column=request.sorting_column, result=[shown(row) for row in found])
    answer.details.total_result = total
    answer.details.timestamp.FromDatetime(ctx.now())
    return answer


def condition(query: Any, depth: int) -> Q:
    """A query of the API as a condition; raises InvalidInput for what is not supported."""
    name = query.WhichOneof("query")
    if not name or not depth:
        raise InvalidInput("api.query_unsupported", field="queries")
    asked = getattr(query, name)
    if name in TEXTS:
        field, column = TEXTS[name]
        return matches(column, getattr(asked, field), asked.method)
    match name:
        case "or_query":
            return _any([condition(one, depth - 1) for one in asked.queries])
        case "and_query":
            return Q(*[condition(one, depth - 1) for one in asked.queries])
        case "not_query":
            return ~condition(asked.query, depth - 1)
        case "state_query":
            return Q(state=asked.state)
        case "type_query":
            return Q(kind=KINDS.get(asked.type, ""))
        case "login_name_query":
            return matches("preferred_login_name", asked.login_name, asked.method)
        case "in_user_ids_query":
            return Q(id__in=list(asked.user_ids))
        case "in_user_emails_query":
            return Q(email__in=list(asked.user_emails))
        case "organization_id_query":
            return Q(org_id=asked.organization_id)
    raise InvalidInput("api.query_unsupported", field=name)


def _any(parts: list[Q]) -> Q:
    wanted = Q(pk__in=[])
    for part in parts:
        wanted |= part
    return wanted


def shown(row: UserRow) -> Any:
    """A user as the API shows it; secrets never (checklist T11)."""
    user = user_v2.User(
        user_id=row.id,
        state=row.state,
        username=row.user_name,
        login_names=sorted({row.preferred_login_name}),
        preferred_login_name=row.preferred_login_name,
        details=row_details(object_v2.Details, row, row.org_id),
    )
    if row.kind == "machine":
        user.machine.name, user.machine.description = row.name, row.description
        user.machine.has_secret, user.machine.access_token_type = bool(row.secret_hash), row.access_token_type
        return user
    human = user.human
    human.user_id, human.state, human.username = row.id, row.state, row.user_name
    human.login_names.extend(user.login_names)
    human.preferred_login_name = row.preferred_login_name
    human.profile.given_name, human.profile.family_name = row.first_name, row.last_name
    human.profile.nick_name, human.profile.display_name = row.nick_name, row.display_name
    human.profile.preferred_language, human.profile.gender = row.preferred_language, row.gender
    human.email.email, human.email.is_verified = row.email, row.email_verified
    if row.phone:
        human.phone.phone, human.phone.is_verified = row.phone, row.phone_verified
    human.password_change_required = row.password_change_required
    if row.password_changed_at:
        human.password_changed.FromDatetime(row.password_changed_at)
    return user


@users.method
def ListPersonalAccessTokens(ctx: Context, request: Any) -> Any:
    """Tokens of the users that the caller may see, without their texts."""
    from users.models import PatRow

    found, total = paged(_of_users(ctx, PatRow.objects.all(), request), request.pagination, columns={})
    result = [user_v2.PersonalAccessToken(**_common(row)) for row in found]
    return user_v2.ListPersonalAccessTokensResponse(result=result, pagination=page_of(request, total))


@users.method
def ListKeys(ctx: Context, request: Any) -> Any:
    """Keys of the users that the caller may see."""
    from users.models import MachineKeyRow

    found, total = paged(_of_users(ctx, MachineKeyRow.objects.all(), request), request.pagination, columns={})
    result = [user_v2.Key(**_common(row)) for row in found]
    return user_v2.ListKeysResponse(result=result, pagination=page_of(request, total))


def _of_users(ctx: Context, rows: "QuerySet[Any]", request: Any) -> "QuerySet[Any]":
    reach = ctx.reach("user.read")
    rows = rows.filter(instance_id=ctx.instance)
    rows = rows if reach.everywhere else rows.filter(Q(org_id__in=reach.orgs) | Q(user_id=ctx.actor))
    for one in request.filters:
        name = one.WhichOneof("filter")
        if name not in ("user_id_filter", "organization_id_filter", "token_id_filter", "key_id_filter"):
            raise InvalidInput("api.query_unsupported", field=name or "filters")
        column = {"user_id_filter": "user_id", "organization_id_filter": "org_id"}.get(name, "id")
        rows = rows.filter(**{column: getattr(one, name).id})
    return rows


def _common(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "user_id": row.user_id,
        "organization_id": row.org_id,
        "creation_date": stamp(row.created_at),
        "change_date": stamp(row.created_at),
        "expiration_date": stamp(row.expires_at),
    }


@users.method
def ListUserMetadata(ctx: Context, request: Any) -> Any:
    """The metadata of a user."""
    from iam.api.gen import metadata_v2

    rows = queries.list_metadata(ctx, user_id=request.user_id).order_by("key")
    result = [
        metadata_v2.Metadata(
            key=row.key, value=bytes(row.value), creation_date=stamp(row.created_at), change_date=stamp(row.changed_at)
        )
        for row in rows
    ]
    return user_v2.ListUserMetadataResponse(metadata=result, pagination=page_of(request, len(result)))
