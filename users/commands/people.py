"""Changes of a user: what a request changes together is changed together or not at all."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eventstore.events import Event
from iam.instance.settings import settings_of
from iam.kernel.change import Receipt, Unit, together, transact
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from users.commands import codes, naming, strength
from users.commands.codes import EMAIL, PASSWORD, PHONE, forget_codes
from users.commands.sessions import must_know_password
from users.domain.profile import Profile
from users.domain.user import User
from users.models import UserRow
from users.ranks import must_not_outrank

NEEDS = "user.write"


@dataclass(frozen=True)
class Address:
    """An e-mail address, or a phone number (an empty one takes it away)."""

    value: str
    verified: bool = False
    must_differ: bool = False
    """Whether it is refused when all is as it was to be."""

    @property
    def terms(self) -> dict[str, bool]:
        """How it is set."""
        return {"verified": self.verified, "must_differ": self.must_differ}


@dataclass(frozen=True)
class NewPassword:
    """A password in clear or hashed, with what allows to set it: the one before, a code, or else the right to.

    `device`: the digest of the browser that sends it, as far as it is known.
    """

    password: str = ""
    password_hash: str = ""
    change_required: bool = False
    current: str = ""
    code: str = ""
    device: str = ""


@dataclass(frozen=True)
class Changes:
    """What to change of a user; what is None or empty stays as it is. `profile`, `machine`: fields by name."""

    user_name: str = ""
    profile: Mapping[str, Any] = field(default_factory=dict)
    email: Address | None = None
    phone: Address | None = None
    password: NewPassword | None = None
    machine: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def is_free(self) -> bool:
        """Whether a code is all that it takes: the password alone, proved by a code."""
        return self.password is not None and bool(self.password.code) and self == Changes(password=self.password)


@dataclass(frozen=True)
class _Step:
    """One decision, and who may take it besides those with the right to: the user (`own`), whoever has a code, which
    `take` uses up."""

    decide: Callable[[User], Iterable[Event]]
    own: bool = True
    by_code: bool = False
    take: Callable[[], None] = lambda: None


def update_user(ctx: Context, *, user_id: str, changes: Changes, also: Callable[[], None] = lambda: None) -> Receipt:
    """Change a user: name, profile, addresses, password, metadata. One's own without any role.

    Only an administrator may call an address verified or set a password without a proof. `also` runs in the same
    transaction; when it refuses, nothing is changed, but a guess at a password or a code has counted.
    """
    is_own = bool(user_id) and ctx.caller.user_id == user_id
    if not changes.is_free:
        _must_reach(ctx, user_id, is_own=is_own)
    if changes.user_name:
        naming.must_lead_to_nobody(ctx, changes.user_name, user_id)
    steps = tuple(_steps(ctx, user_id, changes))

    def work(unit: Unit) -> None:
        unit.load(User, user_id)
        if changes.user_name:
            naming.rename(unit, user_id, changes.user_name, needs="" if is_own else NEEDS)
        for step in steps:
            unit.change(User, user_id, step.decide, needs="" if step.by_code or (is_own and step.own) else NEEDS)

    with together(ctx):
        for step in steps:
            step.take()
        receipt = transact(ctx, work).receipts[user_id]
        if changes.email is not None:
            forget_codes(ctx, user_id, EMAIL, PASSWORD)  # they went to the address before
            codes.void_invitation(ctx, user_id)
        if changes.phone is not None:
            forget_codes(ctx, user_id, PHONE)
        also()
    return receipt


def _must_reach(ctx: Context, user_id: str, *, is_own: bool) -> None:
    """Before anything is looked at that costs or counts, a password above all."""
    user = Unit(ctx).load(User, user_id)
    if not is_own:
        ctx.require(NEEDS, user.owner)
    user.must_exist()


def _steps(ctx: Context, user_id: str, changes: Changes) -> Iterator[_Step]:
    if changes.profile:
        yield _Step(lambda user: user.change_profile(replace(user.profile, **changes.profile)))
    if changes.machine:
        yield _Step(lambda user: user.change_machine(**changes.machine), own=False)
    if (email := changes.email) is not None:
        must_not_outrank(ctx, user_id)
        yield _Step(lambda user: user.change_email(email.value, **email.terms), own=not email.verified)
    if (phone := changes.phone) is not None:
        must_not_outrank(ctx, user_id)
        yield _Step(lambda user: user.change_phone(phone.value, **phone.terms), own=not phone.verified)
    if changes.metadata:
        yield _Step(lambda user: user.set_metadata(changes.metadata), own=False)
    if changes.password is not None:
        yield _password(ctx, user_id, changes.password)


def _password(ctx: Context, user_id: str, new: NewPassword) -> _Step:
    """The proof comes first: who has none learns nothing of the rules and costs no hash. A code is used up only with the
    password that it sets, so that one that is too simple does not cost it."""
    take, proves_email = (lambda: None), False
    if new.code:
        proof = codes.prove_password_code(ctx, user_id=user_id, code=new.code, device=new.device)
        take, proves_email = (lambda: codes.take(ctx, proof)), proof.is_of_email
    elif new.current:
        must_know_password(ctx, user_id=user_id, password=new.current, device=new.device)
    else:
        must_not_outrank(ctx, user_id)
    names = strength.names_of(ctx, user_id)
    hashed = hashed_password(ctx, _org_of(ctx, user_id), new.password, new.password_hash, names)

    def decide(user: User) -> list[Event]:
        address = user.prove_email() if proves_email else []
        return [*address, *user.set_password(hashed, change_required=new.change_required)]

    return _Step(decide, own=bool(new.current), by_code=bool(new.code), take=take)


def rename_user(ctx: Context, *, user_id: str, user_name: str) -> Receipt:
    """Give a user another user name."""
    return update_user(ctx, user_id=user_id, changes=Changes(user_name=user_name))


def change_profile(ctx: Context, *, user_id: str, profile: Profile) -> Receipt:
    """Set a person's profile."""
    return update_user(ctx, user_id=user_id, changes=Changes(profile=profile.as_fact()))


def change_email(
    ctx: Context, *, user_id: str, email: str, verified: bool = False, must_differ: bool = False
) -> Receipt:
    """Set a person's address; raises FailedPrecondition when it `must_differ` and nothing does."""
    return update_user(ctx, user_id=user_id, changes=Changes(email=Address(email, verified, must_differ)))


def change_phone(
    ctx: Context, *, user_id: str, phone: str, verified: bool = False, must_differ: bool = False
) -> Receipt:
    """Set a person's number, or take it away with an empty one; `must_differ` as for an address."""
    return update_user(ctx, user_id=user_id, changes=Changes(phone=Address(phone, verified, must_differ)))


def set_password(
    ctx: Context, *, user_id: str, password: str = "", password_hash: str = "", change_required: bool = False
) -> Receipt:
    """Set somebody's password as an administrator (checklist T06: not that of a higher administrator)."""
    new = NewPassword(password, password_hash, change_required)
    return update_user(ctx, user_id=user_id, changes=Changes(password=new))


def change_own_password(ctx: Context, *, user_id: str, current: str, password: str, device: str = "") -> Receipt:
    """Change a password with the one before (checklist P08); raises InvalidInput when that is wrong.

    `device`: the digest of a browser that the person has signed in with before.
    """
    new = NewPassword(password, current=current, device=device)
    return update_user(ctx, user_id=user_id, changes=Changes(password=new))


def set_password_by_code(ctx: Context, *, user_id: str, code: str, password: str, device: str = "") -> Receipt:
    """Set a password with a code; raises InvalidInput. A code that came by mail proves the address, too.

    `device`: the digest of the browser that sends it.
    """
    new = NewPassword(password, code=code, device=device)
    return update_user(ctx, user_id=user_id, changes=Changes(password=new))


def skip_mfa_init(ctx: Context, *, user_id: str) -> Receipt:
    """Note that a person put off setting up a second factor."""
    is_own = bool(user_id) and ctx.caller.user_id == user_id
    _must_reach(ctx, user_id, is_own=is_own)
    done = transact(ctx, lambda unit: unit.change(User, user_id, User.skip_mfa_init, needs="" if is_own else NEEDS))
    return done.receipts[user_id]


def _org_of(ctx: Context, user_id: str) -> str:
    rows = UserRow.objects.filter(instance_id=ctx.instance, id=user_id)
    return rows.values_list("org_id", flat=True).first() or ""


def hashed_password(ctx: Context, org_id: str, password: str, password_hash: str, names: strength.Names) -> str:
    """A new password as it is kept; raises InvalidInput for one that breaks the rules of the user's organization, is
    easy to guess, or a hash that is not understood."""
    if password_hash:
        if not ctx.ports.passwords.accepts(password_hash):
            raise InvalidInput("password.hash_not_supported", field="hashedPassword")
        return password_hash
    settings_of(ctx.instance, org_id).password_complexity.check(password)
    strength.check(ctx, password, names)
    return ctx.ports.passwords.hash(password)
