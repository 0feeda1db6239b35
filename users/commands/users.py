"""Creating and removing users, their states, what is kept under keys."""

from collections.abc import Mapping

from iam.kernel.change import Receipt, Unit, change, transact
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from iam.outbox.delivery import forget
from orgs.domain.org import Org
from users.commands import naming, strength
from users.commands.codes import EMAIL, INVITE, PASSWORD, PHONE, forget_codes
from users.commands.people import hashed_password
from users.domain.profile import Profile
from users.domain.user import User

NO_METADATA: Mapping[str, bytes] = {}


def add_human(
    ctx: Context,
    *,
    org_id: str,
    profile: Profile,
    email: str,
    user_name: str = "",
    user_id: str = "",
    email_verified: bool = False,
    phone: str = "",
    phone_verified: bool = False,
    password: str = "",
    password_hash: str = "",
    change_required: bool = False,
    metadata: Mapping[str, bytes] = NO_METADATA,
) -> Receipt:
    """Create a person; raises InvalidInput for a password that is too simple or a hash that is not understood."""
    ctx.require("user.write", org_id)
    id = user_id or ctx.ports.new_id()
    names = strength.Names((user_name, email, *vars(profile).values()), org_id)
    hashed = hashed_password(ctx, org_id, password, password_hash, names) if password or password_hash else ""

    def work(unit: Unit) -> None:
        unit.load(Org, org_id).must_be_active()
        rules = naming.rules_of(unit, org_id)
        unit.change(
            User,
            id,
            lambda user: user.add_human(
                user_name=user_name,
                profile=profile,
                email=email,
                email_verified=email_verified,
                phone=phone,
                phone_verified=phone_verified,
                password_hash=hashed,
                change_required=change_required,
                rules=rules,
            ),
            needs="user.write",
            owner=org_id,
        )
        naming.must_be_free(unit, id, user_name or email, org_id)
        if metadata:
            unit.change(User, id, lambda user: user.set_metadata(metadata))

    if user_id:
        naming.must_be_no_name(ctx, user_id)
    naming.must_lead_to_nobody(ctx, user_name or email, id)
    return transact(ctx, work).receipts[id]


def add_machine(
    ctx: Context,
    *,
    org_id: str,
    name: str,
    user_name: str = "",
    user_id: str = "",
    description: str = "",
    access_token_type: int = 0,
    metadata: Mapping[str, bytes] = NO_METADATA,
) -> Receipt:
    """Create a service user. Token types: 0 opaque, 1 JWT."""
    ctx.require("user.write", org_id)
    id = user_id or ctx.ports.new_id()

    def work(unit: Unit) -> None:
        unit.load(Org, org_id).must_be_active()
        rules = naming.rules_of(unit, org_id)
        unit.change(
            User,
            id,
            lambda user: user.add_machine(
                user_name=user_name,
                name=name,
                description=description,
                access_token_type=access_token_type,
                rules=rules,
            ),
            needs="user.write",
            owner=org_id,
        )
        naming.must_be_free(unit, id, user_name or id, org_id)
        if metadata:
            unit.change(User, id, lambda user: user.set_metadata(metadata))

    if user_id:
        naming.must_be_no_name(ctx, user_id)
    naming.must_lead_to_nobody(ctx, user_name or id, id)
    return transact(ctx, work).receipts[id]


def change_machine(
    ctx: Context,
    *,
    user_id: str,
    name: str | None = None,
    description: str | None = None,
    access_token_type: int | None = None,
) -> Receipt:
    """Change a service user; None leaves as it is."""
    return _change(
        ctx,
        user_id,
        lambda user: user.change_machine(name=name, description=description, access_token_type=access_token_type),
    )


def deactivate_user(ctx: Context, *, user_id: str) -> Receipt:
    """Stop a user from signing in."""
    return _change(ctx, user_id, User.deactivate)


def reactivate_user(ctx: Context, *, user_id: str) -> Receipt:
    """Let a user sign in again."""
    return _change(ctx, user_id, User.reactivate)


def lock_user(ctx: Context, *, user_id: str) -> Receipt:
    """Stop a user's sign-ins until unlocked."""
    return _change(ctx, user_id, User.lock)


def unlock_user(ctx: Context, *, user_id: str) -> Receipt:
    """Let a locked user sign in again."""
    return _change(ctx, user_id, User.unlock)


def remove_user(ctx: Context, *, user_id: str) -> Receipt:
    """Delete a user with tokens, sessions, authorizations and memberships."""
    return change(ctx, User, user_id, User.remove, needs="user.delete")


def remove_own_user(ctx: Context) -> Receipt:
    """Delete oneself."""
    ctx.authenticated()
    return change(ctx, User, ctx.actor, User.remove, needs="user.self.delete")


def erase_user(ctx: Context, *, user_id: str) -> Receipt:
    """Delete a user and destroy the key of the personal data: nothing of it can be read any more (DESIGN §5)."""

    def decide(user: User) -> list:  # type: ignore[type-arg]
        return [] if user.state.name == "DELETED" else user.remove()

    receipt = change(ctx, User, user_id, decide, needs="user.delete")
    ctx.store.erase_subjects(ctx.instance, [user_id])  # type: ignore[attr-defined]
    forget(ctx.instance, user_id)
    forget_codes(ctx, user_id, EMAIL, PHONE, PASSWORD, INVITE)
    return receipt


def set_user_metadata(ctx: Context, *, user_id: str, values: Mapping[str, bytes]) -> Receipt:
    """Keep values under keys, one at least."""
    if not values:
        raise InvalidInput("api.field_missing", field="metadata")
    return _change(ctx, user_id, lambda user: user.set_metadata(values))


def remove_user_metadata(ctx: Context, *, user_id: str, keys: tuple[str, ...]) -> Receipt:
    """Forget keys, one at least."""
    if not keys:
        raise InvalidInput("api.field_missing", field="keys")
    return _change(ctx, user_id, lambda user: user.remove_metadata(keys))


def _change(ctx: Context, user_id: str, decide):  # type: ignore[no-untyped-def]
    return change(ctx, User, user_id, decide, needs="user.write")
