"""The older API (v1): how users and what belongs to them are shown, shared by management and self-service."""

from typing import Any

from iam.api.gen import authn_v1, change_v1, metadata_v1, user_v1, v1
from iam.api.lists import details, matches, paged, row_details, stamp
from iam.kernel.change import Receipt
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, NotFound
from users import queries
from users.commands.credentials import NEVER
from users.domain.profile import UNDETERMINED, Profile
from users.domain.states import UserState
from users.models import UserRow

INITIAL = 6  # zitadel.user.v1.UserState; the others have the same numbers as in v2
JSON_KEY = 1  # zitadel.authn.v1.KeyType


def within(ctx: Context, user_id: str) -> str:
    """The id, unless the request names an organization that is not the user's; then raises NotFound.

    A call of the older API acts in one organization (header `x-zitadel-orgid`); without the header rights decide.
    """
    if ctx.asked_org and queries.org_of_user(ctx.instance, user_id) not in ("", ctx.asked_org):
        raise NotFound("user.not_found")
    return user_id


def got(ctx: Context, user_id: str) -> UserRow:
    """One user of the organization that the request acts in; raises NotFound."""
    return queries.get_user(ctx, user_id=within(ctx, user_id))


def got_person(ctx: Context, user_id: str) -> UserRow:
    """One person; raises NotFound for a service user, too."""
    row = got(ctx, user_id)
    if row.kind != "human":
        raise NotFound("user.not_found")
    return row


def done(response: Any, receipt: Receipt, **more: Any) -> Any:
    """The answer to a change."""
    return response(details=details(v1.ObjectDetails, receipt), **more)


def of_row(row: UserRow) -> Any:
    """`v1.ObjectDetails` of a user."""
    return row_details(v1.ObjectDetails, row, row.org_id)


def part_details(row: Any, owner: str) -> Any:
    """`v1.ObjectDetails` of a token, a key or a value of a user."""
    made = v1.ObjectDetails(sequence=row.version, resource_owner=owner, creation_date=stamp(row.created_at))
    made.change_date.CopyFrom(stamp(getattr(row, "changed_at", row.created_at)))
    return made


def listed(ctx: Context, total: int) -> Any:
    """`v1.ListDetails`: how long the list is in all, and that it is as fresh as the request."""
    return v1.ListDetails(total_result=total, view_timestamp=stamp(ctx.now()))


def profile_of(sent: Any) -> Profile:
    """The profile in a message that has its fields."""
    return Profile(**{name: getattr(sent, name) for name in Profile.__dataclass_fields__})


def shown(row: UserRow) -> Any:
    """A user; secrets never (checklist T11)."""
    user = user_v1.User(
        id=row.id,
        state=INITIAL if row.state == UserState.INITIAL else row.state,
        user_name=row.user_name,
        login_names=[row.preferred_login_name],
        preferred_login_name=row.preferred_login_name,
        details=of_row(row),
    )
    if row.kind == "machine":
        user.machine.name, user.machine.description = row.name, row.description
        user.machine.has_secret, user.machine.access_token_type = bool(row.secret_hash), row.access_token_type
        return user
    user.human.profile.CopyFrom(shown_profile(row))
    user.human.email.CopyFrom(shown_email(row))
    user.human.phone.CopyFrom(shown_phone(row))
    if row.password_changed_at:
        user.human.password_changed.FromDatetime(row.password_changed_at)
    return user


def shown_profile(row: UserRow) -> Any:
    """What is known of a person."""
    known = {name: getattr(row, name) for name in Profile.__dataclass_fields__}
    return user_v1.Profile(**{**known, "preferred_language": row.preferred_language or UNDETERMINED})


def shown_email(row: UserRow) -> Any:
    """The address."""
    return user_v1.Email(email=row.email, is_email_verified=row.email_verified)


def shown_phone(row: UserRow) -> Any:
    """The number."""
    return user_v1.Phone(phone=row.phone, is_phone_verified=row.phone_verified)


def shown_key(row: Any) -> Any:
    """A key of a service user."""
    ends = stamp(row.expires_at or NEVER)
    return authn_v1.Key(id=row.id, details=part_details(row, row.org_id), type=JSON_KEY, expiration_date=ends)


def shown_pat(row: Any) -> Any:
    """A personal access token without its text."""
    ends = stamp(row.expires_at or NEVER)
    return user_v1.PersonalAccessToken(
        id=row.id, details=part_details(row, row.org_id), expiration_date=ends, scopes=row.scopes
    )


def shown_metadata(row: Any, owner: str) -> Any:
    """A value under its key."""
    return metadata_v1.Metadata(details=part_details(row, owner), key=row.key, value=bytes(row.value))


def metadata_page(ctx: Context, user: UserRow, request: Any) -> dict[str, Any]:
    """The values of a user as a v1 list."""
    rows = queries.list_metadata(ctx, user_id=user.id)
    for query in request.queries:
        if query.WhichOneof("query") != "key_query":
            raise InvalidInput("api.query_unsupported", field="queries")
        rows = rows.filter(matches("key", query.key_query.key, query.key_query.method))
    found, total = paged(rows, request.query, columns={}, key="key")
    return {"details": listed(ctx, total), "result": [shown_metadata(row, user.org_id) for row in found]}


def changes(ctx: Context, user_id: str, query: Any) -> list[Any]:
    """What happened to a user, as `zitadel.change.v1.Change`; the payloads stay out of it."""
    told = queries.list_user_changes(ctx, user_id=user_id, after=query.sequence, limit=query.limit, asc=query.asc)
    people = queries.users_by_id(ctx.instance, list({one.actor for one in told}))
    return [_change(one, people.get(one.actor)) for one in told]


def _change(recorded: Any, editor: UserRow | None) -> Any:
    name = recorded.fact.stored_name
    words = name.replace(".", " ").capitalize()
    return change_v1.Change(
        change_date=stamp(recorded.at),
        event_type=v1.LocalizedMessage(key=f"EventTypes.{name}", localized_message=words),
        sequence=recorded.version,
        editor_id=recorded.actor,
        editor_display_name=editor.shown_name if editor else "",
        editor_preferred_login_name=editor.preferred_login_name if editor else "",
        resource_owner_id=recorded.owner,
    )
