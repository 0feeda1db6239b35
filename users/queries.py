"""Questions about users and sessions."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from iam.access.tokens import digest
from iam.instance.settings import settings_of
from iam.kernel.context import Context
from iam.kernel.errors import NotFound
from orgs.queries import find_org_of_domain
from users.models import MachineKeyRow, PatRow, SessionRow, UserMetadataRow, UserRow


def get_user(ctx: Context, *, user_id: str) -> UserRow:
    """One user, oneself without any role; raises NotFound, also for a foreign one."""
    row = UserRow.objects.filter(instance_id=ctx.instance, id=user_id).first()
    ctx.require_self_or("user.read", user_id, row.org_id if row else "")
    if row is None:
        raise NotFound("user.not_found")
    return row


def list_users(ctx: Context) -> "QuerySet[UserRow]":
    """The users that the caller may see; always including oneself."""
    reach = ctx.reach("user.read")
    rows = UserRow.objects.filter(instance_id=ctx.instance)
    return rows if reach.everywhere else rows.filter(Q(org_id__in=reach.orgs) | Q(id=ctx.actor))


def find_user_by_login(instance: str, login_name: str, *, org_id: str = "") -> UserRow | None:
    """The user of a login name: the user name, with or without a domain of the organization, or a verified address.

    An ambiguous address finds nobody. With `org_id` only users of that organization.
    """
    name = login_name.strip()
    if not name:
        return None
    wanted = Q(user_name__iexact=name) | Q(preferred_login_name__iexact=name)
    local, _, domain = name.rpartition("@")
    if local and (owner := find_org_of_domain(instance, domain)):
        wanted |= Q(user_name__iexact=local, org_id=owner)
    rows = UserRow.objects.filter(instance_id=instance)
    rows = rows.filter(org_id=org_id) if org_id else rows
    if (found := rows.filter(wanted).first()) and _may_be_called(found, name):
        return found
    by_address = list(rows.filter(email__iexact=name, email_verified=True)[:2]) if local else []
    by_address = [row for row in by_address if not settings_of(instance, row.org_id).login.disable_login_with_email]
    return by_address[0] if len(by_address) == 1 else None


def _may_be_called(user: UserRow, name: str) -> bool:
    """A user name alone is no login name where the organization asks for its domain."""
    bare = name.casefold() == user.user_name.casefold() != user.preferred_login_name.casefold()
    return not bare or not settings_of(user.instance_id, user.org_id).domain.user_login_must_be_domain


def must_change_password(user: UserRow, now: datetime) -> bool:
    """Whether an administrator asked for it, or the password is older than the organization allows."""
    if user.password_change_required:
        return True
    most = settings_of(user.instance_id, user.org_id).password_age.max_age_days
    return bool(most) and now - (user.password_changed_at or user.created_at) >= timedelta(days=most)


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


def list_sessions(ctx: Context, *, user_id: str) -> "QuerySet[SessionRow]":
    """The live sessions of a user."""
    get_user(ctx, user_id=user_id)
    return living_sessions(ctx).filter(user_id=user_id)


def living_sessions(ctx: Context) -> "QuerySet[SessionRow]":
    """Every session of the instance that is not over. The caller decides who may see which."""
    alive = Q(expires_at=None) | Q(expires_at__gt=ctx.now())
    return SessionRow.objects.filter(alive, instance_id=ctx.instance, terminated=False)


def find_sessions(instance: str, tokens: dict[str, str], now: object) -> list[SessionRow]:
    """The live sessions that a browser can prove: id → digest of its token. One statement."""
    alive = Q(expires_at=None) | Q(expires_at__gt=now)
    rows = SessionRow.objects.filter(alive, instance_id=instance, id__in=list(tokens), terminated=False)
    return [row for row in rows if row.token_digest and row.token_digest == tokens[row.id]]


def proved_session(ctx: Context, session_id: str, token: str) -> SessionRow | None:
    """A living session, if this is its token."""
    return next(iter(find_sessions(ctx.instance, {session_id: digest(token)}, ctx.now())), None)


def users_by_id(instance: str, ids: list[str]) -> dict[str, UserRow]:
    """Users by their ids."""
    return {row.id: row for row in UserRow.objects.filter(instance_id=instance, id__in=ids)}


def metadata_of(instance: str, user_id: str) -> dict[str, bytes]:
    """The metadata of a user as a mapping, for claims."""
    rows = UserMetadataRow.objects.filter(instance_id=instance, user_id=user_id)
    return {row.key: bytes(row.value) for row in rows}
