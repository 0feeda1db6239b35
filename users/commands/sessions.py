"""Every change of a session, and the checks that it records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from eventstore.events import Event
from iam.access.tokens import TokenKind, digest, mint
from iam.instance.settings import settings_of
from iam.kernel.change import Receipt, Unit, change, transact
from iam.kernel.context import Context
from iam.kernel.errors import FailedPrecondition, NotFound, ResourceExhausted, WrongCredentials
from iam.observe import meter
from users import attempts, lockouts
from users.domain.events import PasswordCheckFailed, PasswordCheckSucceeded, PasswordHashUpdated
from users.domain.session import Agent, Session
from users.domain.states import UserState
from users.domain.user import User
from users.owners import is_last_owner

LONGEST_AGENT = 500
NOBODY = ""
"""The id of whoever is not found: no user has it, so checking its password takes as long as a wrong one."""


@dataclass(frozen=True)
class OpenSession:
    """A session with the token that proves it, shown this once."""

    receipt: Receipt
    id: str
    token: str


@dataclass(frozen=True)
class Entries:
    """What to write into a session: whose it is, that the password was right just now, values, when it ends."""

    user_id: str = ""
    password_ok: bool = False
    metadata: Mapping[str, bytes] = field(default_factory=dict)
    lifetime: timedelta | None = None


def create_session(ctx: Context, *, user_agent: str = "", ip: str = "", fingerprint_id: str = "") -> str:
    """Open a session in which nothing is proved yet; answers its id."""
    id, agent = ctx.ports.new_id(), Agent(fingerprint_id, ip, user_agent[:LONGEST_AGENT])
    change(ctx, Session, id, lambda one: one.add(agent), needs="", owner=ctx.instance)
    return id


def write_session(ctx: Context, entries: Entries, *, session_id: str = "", agent: Agent | None = None) -> OpenSession:
    """Write into a session, or into a new one of `agent`, all or nothing; it gets a new token (checklist L02)."""
    id, token_id = session_id or ctx.ports.new_id(), ctx.ports.new_id()
    token = mint(TokenKind.SESSION, names=id)
    owner = must_sign_in(ctx, entries.user_id).owner if entries.user_id else ""

    def work(unit: Unit) -> None:
        def decide(decision: Callable[[Session], list[Event]]) -> None:
            unit.change(Session, id, decision, owner=ctx.instance)

        if agent is not None:
            decide(lambda one: one.add(agent))
        if entries.user_id:
            decide(lambda one: one.check_user(entries.user_id, owner, ctx.now()))
        if entries.password_ok:
            decide(lambda one: one.check_password(ctx.now()))
        if entries.metadata:
            decide(lambda one: one.set_metadata(entries.metadata))
        if (lifetime := entries.lifetime) is not None:
            decide(lambda one: one.set_lifetime(lifetime))
        decide(lambda one: one.set_token(token_id, digest(token)))

    return OpenSession(transact(ctx, work).receipts[id], id, token)


def must_sign_in(ctx: Context, user_id: str) -> User:
    """A user who may sign in; raises NotFound."""
    user = _user(ctx, user_id)
    if user.state is not UserState.ACTIVE:
        raise NotFound("user.not_found")
    return user


def check_user(ctx: Context, *, session_id: str, user_id: str) -> Receipt:
    """Say whose session it is; raises NotFound unless the user may sign in."""
    user = must_sign_in(ctx, user_id)
    return change(ctx, Session, session_id, lambda one: one.check_user(user_id, user.owner, ctx.now()), needs="")


def check_password(ctx: Context, *, session_id: str, user_id: str, password: str) -> Receipt:
    """Check the password of a session's user and note it; raises InvalidInput when it is wrong."""
    must_know_password(ctx, user_id=user_id, password=password)
    return record_password_check(ctx, session_id=session_id)


def record_password_check(ctx: Context, *, session_id: str) -> Receipt:
    """Note in a session that `must_know_password` or `change_own_password` succeeded just now."""
    return change(ctx, Session, session_id, lambda one: one.check_password(ctx.now()), needs="")


def must_know_password(
    ctx: Context, *, user_id: str, password: str, asked: str = "", typed: str = "", device: str = ""
) -> None:
    """Check a password; raises WrongCredentials, ResourceExhausted after too many wrong ones (`attempts`).

    `asked` is the name that was typed when there is no such user, `typed` always; `device` the digest of a browser on which
    the person has signed in before. One budget for the person, by whatever name; one for the name, whosever it is.

    Unknown, locked and inactive users take as long and look the same as a wrong password (checklist P01).
    A wrong one counts towards the lockout; a hash of an older scheme is replaced. When too many passwords wait to be
    hashed, nothing is done and nothing counted; raises ResourceExhausted as well.
    """
    with ctx.ports.passwords.place():
        accounts = [asked or user_id, *([f"name {attempts.bare(name)}"] if (name := typed or asked) else [])]
        _must_know_password(ctx, user_id, password, accounts, device)


def _must_know_password(ctx: Context, user_id: str, password: str, accounts: list[str], device: str) -> None:
    try:
        count = attempts.begin(ctx, *accounts, device=device)
    except ResourceExhausted:
        meter.add("gatehouse_sign_ins_total", outcome="refused")
        raise
    user = _user(ctx, user_id)
    settings = settings_of(ctx.instance, user.owner)
    is_person = user.type == "human" and settings.login.allow_username_password  # checklist L07: at every door
    may = is_person and user.state is UserState.ACTIVE
    is_locked = is_person and user.state is UserState.LOCKED
    checked = ctx.ports.passwords.verify(user.password_hash if may or is_locked else "", password)
    lockout = settings.lockout
    if may and lockout.max_password_attempts:
        is_locked = _is_locked_now(ctx, user, is_right=checked.ok, most=lockout.max_password_attempts)
    meter.add("gatehouse_sign_ins_total", outcome="ok" if checked.ok and not is_locked else "failed")
    if not checked.ok or is_locked:
        attempts.failed(ctx, device=device)
        if may:
            ctx.note(User.kind, user_id, PasswordCheckFailed(), owner=user.owner, actor=user_id)
        if checked.ok and lockout.show_lock_out_failures and lockout.max_password_attempts:
            raise FailedPrecondition("user.locked")  # told to whoever knows the password, to nobody else (P01)
        shown = count if lockout.show_lock_out_failures else 0
        raise WrongCredentials("password.invalid", field="password", failed_attempts=shown)
    attempts.succeeded(ctx, *accounts, device=device)
    ctx.note(User.kind, user_id, PasswordCheckSucceeded(), owner=user.owner, actor=user_id)
    if checked.better:
        change(ctx, User, user_id, lambda _: [PasswordHashUpdated(encoded_hash=checked.better)], needs="")


def _is_locked_now(ctx: Context, user: User, *, is_right: bool, most: int) -> bool:
    """Count a check towards the lockout; whether the user is locked by it, or by those who came before it meanwhile."""
    locks = not lockouts.begin_anew(ctx, user) if is_right else lockouts.is_last(ctx, user, most)
    if locks and not _lock(ctx, user):
        lockouts.forget(ctx, user)
        return False
    return locks


def _lock(ctx: Context, user: User) -> bool:
    """Lock somebody after too many wrong passwords; False for the last owner of an instance, for whom the pauses between
    attempts have to do (checklist E10)."""

    def work(unit: Unit) -> bool:
        if is_last_owner(unit, user.id):
            return False
        unit.change(User, user.id, User.lock_after_checks)
        return True

    locked: bool = transact(ctx, work).result
    return locked


def set_session_token(ctx: Context, *, session_id: str, lifetime: timedelta = timedelta(0)) -> OpenSession:
    """Give a session a new token; the one before counts no more (checklist L02)."""
    return write_session(ctx, Entries(lifetime=lifetime or None), session_id=session_id)


def terminate_session(ctx: Context, *, session_id: str) -> Receipt:
    """End a session: its tokens are refused from the next request on."""
    return change(ctx, Session, session_id, Session.terminate, needs="")


def _user(ctx: Context, user_id: str) -> User:
    return Unit(ctx).load(User, user_id)
