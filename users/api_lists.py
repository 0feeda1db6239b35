"""Lists of zitadel.user.v2.UserService, and how a user is shown."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q

from iam.api.gen import object_v2, user_v2
from iam.api.lists import matches, meets, paged, row_details
from iam.api.methods import Service
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from users import queries
from users.domain.profile import UNDETERMINED
from users.domain.states import UserState
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
    "login_name_query": ("login_name", "preferred_login_name"),
}
OF_PEOPLE = {"first_name", "last_name", "nick_name", "display_name", "email", "phone"}
WITHOUT_ENDS = {"first_name", "last_name", "display_name"}
"""Texts whose ends no index knows."""
EQUALS, ENDS = (0, 1), (6, 7)  # TextQueryMethod
KINDS = {1: "human", 2: "machine"}
DEEPEST = 10
NOT_EQUALS = 1  # zitadel.filter.v2.ByteFilterMethod


@users.method
def ListUsers(ctx: Context, request: Any) -> Any:
    """The users that the caller may see, filtered and sorted."""
    rows = queries.list_users(ctx)
    for query in request.queries:
        rows = rows.filter(condition(ctx, query))
    found, total = paged(rows, request.query, sort=request.sorting_column, columns=SORTS)
    answer = user_v2.ListUsersResponse(sorting_column=request.sorting_column, result=[shown(row) for row in found])
    answer.details.total_result = total
    answer.details.timestamp.FromDatetime(ctx.now())
    return answer


def condition(ctx: Context, query: Any, depth: int = DEEPEST) -> Q:
    """A query of the API (v2 or v1) as a condition; raises InvalidInput for what is not supported."""
    name = query.WhichOneof("query")
    if not name or not depth:
        raise InvalidInput("api.query_unsupported", field="queries")
    asked = getattr(query, name)
    if name in TEXTS:
        field, column = TEXTS[name]
        wanted = _text(column, getattr(asked, field), asked.method)
        return wanted | _by_domain(ctx, asked) if name == "login_name_query" else wanted
    if name in PLAIN:
        return PLAIN[name](asked)
    match name:
        case "or_query":
            return _any([condition(ctx, one, depth - 1) for one in asked.queries])
        case "and_query":
            return Q(*[condition(ctx, one, depth - 1) for one in asked.queries])
        case "not_query":
            return ~condition(ctx, asked.query, depth - 1)
        case "metadata_key_filter":
            wanted = matches("key", asked.key, asked.method)
            return queries.with_metadata_key(ctx, meets(asked.key, asked.method), wanted)
        case "metadata_value_filter":
            return queries.with_metadata(ctx, _value(asked))
    raise InvalidInput("api.query_unsupported", field=name)


def _text(column: str, value: str, method: int) -> Q:
    """A condition on a text. Service users have none of a person's, and would be met first where lists begin with them:
    the index of an order knows the kind, not the text (decision 0005). An end that no index finds is looked for among
    those who have such a text: hardly anybody may have it."""
    wanted = matches(column, value, method)
    if column not in OF_PEOPLE:
        return wanted
    some = Q(**{f"{column}__gt": ""}) if value and method in ENDS and column in WITHOUT_ENDS else Q()
    return wanted & Q(kind="human") & some


def _by_domain(ctx: Context, asked: Any) -> Q:
    """Who is called so with a domain of the organization: a login of one's own looks for what people type."""
    if asked.method not in EQUALS or "@" not in asked.login_name:
        return Q(pk__in=[])
    return Q(id__in=queries.ids_of_login_name(ctx, asked.login_name))


def _state(asked: Any) -> int:
    """The state by its word: v1 numbers them differently."""
    word = asked.DESCRIPTOR.fields_by_name["state"].enum_type.values_by_number[asked.state].name
    return UserState.__members__.get(word.removeprefix("USER_STATE_"), UserState.ABSENT)


PLAIN: Mapping[str, Callable[[Any], Q]] = {
    "state_query": lambda asked: Q(state=_state(asked)),
    "type_query": lambda asked: Q(kind=KINDS.get(asked.type, "")),
    "in_user_ids_query": lambda asked: Q(id__in=list(asked.user_ids)),
    "in_user_emails_query": lambda asked: Q(email__in=list(asked.user_emails)),
    "organization_id_query": lambda asked: Q(org_id=asked.organization_id),
}


def _value(asked: Any) -> Q:
    """A condition on the value under a key, by its digest (an index holds no long values)."""
    equal = Q(value_digest=hashlib.sha256(asked.value).hexdigest())
    return ~equal if asked.method == NOT_EQUALS else equal


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
    human.profile.preferred_language, human.profile.gender = row.preferred_language or UNDETERMINED, row.gender
    human.email.email, human.email.is_verified = row.email, row.email_verified
    human.phone.SetInParent()  # clients read through it, also where there is no number
    human.phone.phone, human.phone.is_verified = row.phone, row.phone_verified
    human.password_change_required = row.password_change_required
    if row.password_changed_at:
        human.password_changed.FromDatetime(row.password_changed_at)
    if row.mfa_init_skipped_at:
        human.mfa_init_skipped.FromDatetime(row.mfa_init_skipped_at)
    return user
