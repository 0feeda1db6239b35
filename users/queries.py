"""Questions about users and sessions."""

import hmac
import math
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Max, Q, QuerySet

from eventstore.store import Recorded
from iam.access.tokens import digest
from iam.instance.domain.kinds import ORGANIZATION
from iam.instance.domain.values import Organization
from iam.instance.settings import settings_of
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, NotFound
from users.login_names import find_user_by_login, find_user_named
from users.models import MachineKeyRow, PatRow, SessionRow, UserMetadataRow, UserRow

MOST_CHANGES = 200
DAY = timedelta(days=1)
MOST_KEYS = 50


def get_user(ctx: Context, *, user_id: str) -> UserRow:
    """One user, oneself without any role; raises NotFound, also for a foreign one."""
    row = UserRow.objects.filter(instance_id=ctx.instance, id=user_id).first()
    ctx.require_self_or("user.read", user_id, row.org_id if row else "")
    if row is None:
        raise NotFound("user.not_found")
    return row


def get_user_by_login(ctx: Context, *, login_name: str) -> UserRow:
    """The user of a login name, with the right to look over organizations; raises NotFound, also for a foreign one."""
    row = find_user_by_login(ctx.instance, login_name)
    ctx.require("user.global.read", row.org_id if row else "")
    if row is None:
        raise NotFound("user.not_found")
    return row


def org_of_user(instance: str, user_id: str) -> str:
    """The organization of a user; empty when there is no such user."""
    rows = UserRow.objects.filter(instance_id=instance, id=user_id)
    return rows.values_list("org_id", flat=True).first() or ""


def is_user_unique(ctx: Context, *, user_name: str, email: str) -> bool:
    """Whether nobody has the user name (in the instance, or in the organization where names are unique within it), and
    nobody of the organization the address."""
    ctx.require("user.read", ctx.org_id)
    if not user_name and not email:
        raise InvalidInput("api.field_missing", field="userName")
    rows = UserRow.objects.filter(instance_id=ctx.instance)
    there = rows.filter(org_id=ctx.org_id) if are_scoped(ctx.instance, ctx.org_id) else rows
    is_taken = bool(user_name) and there.filter(user_name__iexact=user_name.strip()).exists()
    is_known = bool(email) and rows.filter(org_id=ctx.org_id, email__iexact=email.strip()).exists()
    return not is_taken and not is_known


def are_scoped(instance: str, org_id: str) -> bool:
    """Whether user names are unique within an organization only."""
    found = settings_of(instance, org_id)
    own: Organization = found.resolve(ORGANIZATION).values
    return found.domain.user_login_must_be_domain or own.organization_scoped_usernames


def list_user_changes(ctx: Context, *, user_id: str, after: int, limit: int, asc: bool) -> list[Recorded]:
    """The facts of a user, the newest first unless `asc`; `after` is the version where the page before ended."""
    get_user(ctx, user_id=user_id)
    facts = [one for one in ctx.store.read(ctx.stream("user", user_id)) if _is_beyond(one.version, after, asc=asc)]
    return (facts if asc else facts[::-1])[: min(limit or MOST_CHANGES, MOST_CHANGES)]


def _is_beyond(version: int, after: int, *, asc: bool) -> bool:
    return not after or (version > after if asc else version < after)


def list_users(ctx: Context) -> "QuerySet[UserRow]":
    """The users that the caller may see; always including oneself."""
    reach = ctx.reach("user.read")
    rows = UserRow.objects.filter(instance_id=ctx.instance)
    return rows if reach.everywhere else rows.filter(Q(org_id__in=reach.orgs) | Q(id=ctx.actor))


def ids_of_login_name(ctx: Context, name: str) -> list[str]:
    """The user that a login name leads to by a user name, if the caller may see it."""
    row = find_user_named(ctx.instance, name)
    return list(list_users(ctx).filter(id=row.id).values_list("id", flat=True)) if row else []


def must_change_password(user: UserRow, now: datetime) -> bool:
    """Whether an administrator asked for it, or the password is older than the organization allows."""
    if user.password_change_required:
        return True
    most = settings_of(user.instance_id, user.org_id).password_age.max_age_days
    return bool(most) and now - (user.password_changed_at or user.created_at) >= timedelta(days=most)


def days_to_change_password(user: UserRow, now: datetime) -> int | None:
    """The days, begun ones counted, until the password must be changed, when the person is to be told; else None."""
    age = settings_of(user.instance_id, user.org_id).password_age
    if not age.max_age_days or not age.expire_warn_days:
        return None
    left = (user.password_changed_at or user.created_at) + timedelta(days=age.max_age_days) - now
    return math.ceil(left / DAY) if timedelta(0) < left <= timedelta(days=age.expire_warn_days) else None


def list_pats(ctx: Context, *, user_id: str) -> "QuerySet[PatRow]":
    """The tokens of a user, without their texts."""
    get_user(ctx, user_id=user_id)
    return PatRow.objects.filter(instance_id=ctx.instance, user_id=user_id)


def list_keys(ctx: Context, *, user_id: str) -> "QuerySet[MachineKeyRow]":
    """The public keys of a user."""
    get_user(ctx, user_id=user_id)
    return MachineKeyRow.objects.filter(instance_id=ctx.instance, user_id=user_id)


def list_metadata(ctx: Context, *, user_id: str) -> "QuerySet[UserMetadataRow]":
    """The metadata of a user."""
    get_user(ctx, user_id=user_id)
    return UserMetadataRow.objects.filter(instance_id=ctx.instance, user_id=user_id)


def get_pat(ctx: Context, *, user_id: str, pat_id: str) -> PatRow:
    """One token of a user; raises NotFound."""
    row = list_pats(ctx, user_id=user_id).filter(id=pat_id).first()
    if row is None:
        raise NotFound("user.pat_not_found")
    return row


def get_key(ctx: Context, *, user_id: str, key_id: str) -> MachineKeyRow:
    """One public key of a user; raises NotFound."""
    row = list_keys(ctx, user_id=user_id).filter(id=key_id).first()
    if row is None:
        raise NotFound("user.key_not_found")
    return row


def get_metadata(ctx: Context, *, user_id: str, key: str) -> UserMetadataRow:
    """The value under a key; raises NotFound."""
    row = list_metadata(ctx, user_id=user_id).filter(key=key).first()
    if row is None:
        raise NotFound("user.metadata_not_found")
    return row


def last_sign_in(ctx: Context) -> datetime | None:
    """When the caller's password was checked last."""
    rows = SessionRow.objects.filter(instance_id=ctx.instance, user_id=ctx.actor)
    found: datetime | None = rows.aggregate(last=Max("password_checked_at"))["last"]
    return found


def list_all_pats(ctx: Context) -> "QuerySet[PatRow]":
    """The tokens of every user that the caller may see, without their texts."""
    return PatRow.objects.filter(_reached(ctx), instance_id=ctx.instance)


def list_all_keys(ctx: Context) -> "QuerySet[MachineKeyRow]":
    """The public keys of every user that the caller may see."""
    return MachineKeyRow.objects.filter(_reached(ctx), instance_id=ctx.instance)


def _reached(ctx: Context) -> Q:
    """Belongings of oneself, and of the users that the caller may see."""
    reach = ctx.reach("user.read")
    return Q() if reach.everywhere else Q(org_id__in=reach.orgs) | Q(user_id=ctx.actor)


def with_metadata(ctx: Context, wanted: Q) -> Q:
    """The users (a condition on their rows) of whom some value kept under a key is as wanted."""
    rows = UserMetadataRow.objects.filter(wanted, instance_id=ctx.instance)
    return Q(id__in=rows.values("user_id"))


def with_metadata_key(ctx: Context, matching: Callable[[str], bool], wanted: Q) -> Q:
    """The users of whom some key fulfils a condition, given both ways. There are few keys, and many users who hold each:
    the different ones are looked at, if they are not more than MOST_KEYS."""
    keys = _different_keys(ctx.instance)
    return with_metadata(ctx, wanted if len(keys) > MOST_KEYS else Q(key__in=[key for key in keys if matching(key)]))


def _different_keys(instance: str) -> list[str]:
    """The keys under which anything is kept, from one to the next in their index; MOST_KEYS and one more at most."""
    keys, rows = [], UserMetadataRow.objects.filter(instance_id=instance).order_by("key").values_list("key", flat=True)
    key = rows.first()
    while key is not None and len(keys) <= MOST_KEYS:
        keys.append(key)
        key = rows.filter(key__gt=key).first()
    return keys


def list_sessions(ctx: Context, *, user_id: str) -> "QuerySet[SessionRow]":
    """The live sessions of a user."""
    get_user(ctx, user_id=user_id)
    return living_sessions(ctx).filter(user_id=user_id)


def list_all_sessions(ctx: Context) -> "QuerySet[SessionRow]":
    """The sessions that the caller may see, also those whose time is over; always one's own and those that one made."""
    rows = kept_sessions(ctx)
    if ctx.reach("session.read").everywhere:
        return rows
    return rows.filter(Q(user_id=ctx.actor) | Q(creator_id=ctx.actor))


def own_agent(ctx: Context) -> str:
    """The user agent that the caller's own session names; raises InvalidInput without one."""
    rows = SessionRow.objects.filter(instance_id=ctx.instance, id=ctx.caller.session_id)
    if agent := rows.values_list("fingerprint_id", flat=True).first() if ctx.caller.session_id else "":
        return agent
    raise InvalidInput("user.agent_missing", field="fingerprintId")


def living_sessions(ctx: Context) -> "QuerySet[SessionRow]":
    """Every session of the instance that is not over. The caller decides who may see which."""
    return kept_sessions(ctx).filter(Q(expires_at=None) | Q(expires_at__gt=ctx.now()))


def kept_sessions(ctx: Context) -> "QuerySet[SessionRow]":
    """Every session of the instance that nobody ended; its time may be over. The caller decides who may see which."""
    return all_sessions(ctx).filter(terminated=False)


def all_sessions(ctx: Context) -> "QuerySet[SessionRow]":
    """Every session of the instance, those that were ended, too. The caller decides who may see which."""
    return SessionRow.objects.filter(instance_id=ctx.instance)


def find_sessions(instance: str, tokens: dict[str, str], now: object) -> list[SessionRow]:
    """The live sessions that a browser can prove: id → digest of its token. One statement."""
    alive = Q(expires_at=None) | Q(expires_at__gt=now)
    rows = SessionRow.objects.filter(alive, instance_id=instance, id__in=list(tokens), terminated=False)
    return [row for row in rows if row.token_digest and row.token_digest == tokens[row.id]]


def proved_session(ctx: Context, session_id: str, token: str) -> SessionRow | None:
    """A living session, if this is its token."""
    return next(iter(find_sessions(ctx.instance, {session_id: digest(token)}, ctx.now())), None)


def is_token_of(session: SessionRow, token: str) -> bool:
    """Whether this is the session's token, living or not."""
    return bool(session.token_digest) and hmac.compare_digest(session.token_digest, digest(token))


def users_by_id(instance: str, ids: list[str]) -> dict[str, UserRow]:
    """Users by their ids."""
    return {row.id: row for row in UserRow.objects.filter(instance_id=instance, id__in=ids)}


def metadata_of(instance: str, user_id: str) -> dict[str, bytes]:
    """The metadata of a user as a mapping, for claims."""
    rows = UserMetadataRow.objects.filter(instance_id=instance, user_id=user_id)
    return {row.key: bytes(row.value) for row in rows}
