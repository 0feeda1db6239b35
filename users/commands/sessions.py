"""Every change of a session, and the checks that it records."""

from dataclasses import dataclass
from datetime import timedelta

from iam.access.tokens import TokenKind, digest, mint
from iam.instance.settings import settings_of
from iam.kernel.change import Receipt, Unit, change
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput, NotFound, ResourceExhausted
from iam.observe import meter
from users import attempts
from users.domain.events import PasswordCheckFailed, PasswordCheckSucceeded, PasswordHashUpdated
from users.domain.session import Session
from users.domain.states import UserState
from users.domain.user import User


@dataclass(frozen=True)
class OpenSession:
    """A session with the token that proves it, shown this once."""

    receipt: Receipt
    id: str
    token: str


def create_session(ctx: Context, *, user_agent: str = "", ip: str = "", fingerprint_id: str = "") -> str:
    """Open a session in which nothing is proved yet; answers its id."""
    id = ctx.ports.new_id()
    change(
        ctx,
        Session,
        id,
        lambda one: one.add(fingerprint_id=fingerprint_id, ip=ip, description=user_agent[:500]),
        needs="",
        owner=ctx.instance,
    )
    return id


def check_user(ctx: Context, *, session_id: str, user_id: str) -> Receipt:
    """Say whose session it is; raises NotFound unless the user may sign in."""
    user = _user(ctx, user_id)
    if user.state is not UserState.ACTIVE:
        raise NotFound("user.not_found")
    return change(ctx, Session, session_id, lambda one: one.check_user(user_id, user.owner, ctx.now()), needs="")


def check_password(ctx: Context, *, session_id: str, user_id: str, password: str) -> Receipt:
    """Check the password of a session's user and note it; raises InvalidInput when it is wrong."""
    must_know_password(ctx, user_id=user_id, password=password)
    return record_password_check(ctx, session_id=session_id)


def record_password_check(ctx: Context, *, session_id: str) -> Receipt:
    """Note in a session that `must_know_password` or `change_own_password` succeeded just now."""
    return change(ctx, Session, session_id, lambda one: one.check_password(ctx.now()), needs="")


def must_know_password(ctx: Context, *, user_id: str, password: str, asked: str = "") -> None:
    """Check a password; raises InvalidInput, ResourceExhausted after too many wrong ones (`attempts`).

    `asked` is the name that was typed when there is no such user.

    Unknown, locked and inactive users take as long and look the same as a wrong password (checklist P01).
    A wrong one counts towards the lockout; a hash of an older scheme is replaced.
    """
    account = asked or user_id
    try:
        attempts.begin(ctx, account)
    except ResourceExhausted:
        meter.add("gatehouse_sign_ins_total", outcome="refused")
        raise
    user = _user(ctx, user_id)
    may = user.state is UserState.ACTIVE and user.type == "human"
    checked = ctx.ports.passwords.verify(user.password_hash if may else "", password)
    meter.add("gatehouse_sign_ins_total", outcome="ok" if checked.ok else "failed")
    if not checked.ok:
        attempts.failed(ctx)
        if may:
            _failed(ctx, user_id)
        raise InvalidInput("password.invalid", field="password")
    attempts.succeeded(ctx, account)
    ctx.note(User.kind, user_id, PasswordCheckSucceeded(), owner=user.owner, actor=user_id)
    if checked.better:
        change(ctx, User, user_id, lambda _: [PasswordHashUpdated(encoded_hash=checked.better)], needs="")
    if user.failed_checks:
        change(ctx, User, user_id, lambda _: [PasswordCheckSucceeded()], needs="")


def _failed(ctx: Context, user_id: str) -> None:
    most = settings_of(ctx.instance).lockout.max_password_attempts
    if most:  # counted as facts only where they decide something; otherwise a use
        change(ctx, User, user_id, lambda user: user.fail_check(most), needs="")
    else:
        ctx.note(User.kind, user_id, PasswordCheckFailed(), actor=user_id)


def set_session_token(ctx: Context, *, session_id: str, lifetime: timedelta = timedelta(0)) -> OpenSession:
    """Give a session a new token; the one before counts no more (checklist L02)."""
    token, id = mint(TokenKind.SESSION), ctx.ports.new_id()
    receipt = change(
        ctx,
        Session,
        session_id,
        lambda one: [*one.set_token(id, digest(token)), *one.set_lifetime(lifetime)],
        needs="",
    )
    return OpenSession(receipt, session_id, token)


def terminate_session(ctx: Context, *, session_id: str) -> Receipt:
    """End a session: its tokens are refused from the next request on."""
    return change(ctx, Session, session_id, Session.terminate, needs="")


def _user(ctx: Context, user_id: str) -> User:
    return Unit(ctx).load(User, user_id)
