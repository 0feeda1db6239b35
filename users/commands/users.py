"""Every change of a user."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from iam.access.tokens import TokenKind, digest, mint
from iam.instance.settings import settings_of
from iam.kernel.change import Receipt, Unit, change, transact
from iam.kernel.context import Context
from iam.kernel.errors import AlreadyExists, InvalidInput
from iam.outbox.delivery import forget
from orgs.domain.org import Org
from orgs.queries import find_org_of_domain
from users.commands import strength
from users.commands.codes import EMAIL, INVITE, PASSWORD, PHONE, forget_codes
from users.domain.profile import Profile
from users.domain.user import User
from users.models import UserRow
from users.ranks import must_not_outrank

KEY_SIZE = 2048
LARGEST_KEY = 8192  # a larger one makes each check slow
LEAST_EXPONENT = 65537  # NIST SP 800-56B §6.4.1.1
SECRET_LENGTH = 64
LONGEST_KEY_LIFE = timedelta(days=365 * 200)


@dataclass(frozen=True)
class Made:
    """Something that was created inside a user, with its secret shown this once."""

    receipt: Receipt
    id: str
    secret: str


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
) -> Receipt:
    """Create a person; raises InvalidInput for a password that is too simple or a hash that is not understood."""
    id = user_id or ctx.ports.new_id()
    names = strength.Names((user_name, email, *vars(profile).values()), org_id)
    hashed = _hashed(ctx, org_id, password, password_hash, names)

    def work(unit: Unit) -> None:
        unit.load(Org, org_id).must_be_active()
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
            ),
            needs="user.write",
            owner=org_id,
        )

    ctx.require("user.write", org_id)
    _must_not_shadow(ctx, org_id, user_name or email, id)
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
) -> Receipt:
    """Create a service user. Token types: 0 opaque, 1 JWT."""
    id = user_id or ctx.ports.new_id()

    def work(unit: Unit) -> None:
        unit.load(Org, org_id).must_be_active()
        unit.change(
            User,
            id,
            lambda user: user.add_machine(
                user_name=user_name, name=name, description=description, access_token_type=access_token_type
            ),
            needs="user.write",
            owner=org_id,
        )

    ctx.require("user.write", org_id)
    _must_not_shadow(ctx, org_id, user_name, id)
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


def rename_user(ctx: Context, *, user_id: str, user_name: str) -> Receipt:
    """Give a user another user name."""
    _must_not_shadow(ctx, _org_of(ctx, user_id), user_name, user_id)
    return _change(ctx, user_id, lambda user: user.rename(user_name))


def change_profile(ctx: Context, *, user_id: str, profile: Profile) -> Receipt:
    """Set a person's profile; one's own without any role."""
    return _change_own(ctx, user_id, lambda user: user.change_profile(profile))


def change_email(ctx: Context, *, user_id: str, email: str, verified: bool = False) -> Receipt:
    """Set a person's address; only an administrator may call it verified."""
    must_not_outrank(ctx, user_id)
    decide = _change if verified else _change_own
    receipt = decide(ctx, user_id, lambda user: user.change_email(email, verified=verified))
    forget_codes(ctx, user_id, EMAIL, PASSWORD, INVITE)  # they went to the address before
    return receipt


def change_phone(ctx: Context, *, user_id: str, phone: str, verified: bool = False) -> Receipt:
    """Set a person's number, or take it away with an empty one."""
    must_not_outrank(ctx, user_id)
    decide = _change if verified else _change_own
    receipt = decide(ctx, user_id, lambda user: user.change_phone(phone, verified=verified))
    forget_codes(ctx, user_id, PHONE)
    return receipt


def set_password(
    ctx: Context, *, user_id: str, password: str = "", password_hash: str = "", change_required: bool = False
) -> Receipt:
    """Set somebody's password as an administrator (checklist T06: not that of a higher administrator)."""
    must_not_outrank(ctx, user_id)
    hashed = _hashed(ctx, _org_of(ctx, user_id), password, password_hash, strength.names_of(ctx, user_id))
    return _change(ctx, user_id, lambda user: user.set_password(hashed, change_required=change_required))


def change_own_password(ctx: Context, *, user_id: str, current: str, password: str) -> Receipt:
    """Change a password with the one before (checklist P08); raises InvalidInput when that is wrong."""
    from users.commands.sessions import must_know_password

    must_know_password(ctx, user_id=user_id, password=current)
    hashed = _hashed(ctx, _org_of(ctx, user_id), password, "", strength.names_of(ctx, user_id))
    return _change_own(ctx, user_id, lambda user: user.set_password(hashed, change_required=False))


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


def erase_user(ctx: Context, *, user_id: str) -> Receipt:
    """Delete a user and destroy the key of the personal data: nothing of it can be read any more (DESIGN §5)."""

    def decide(user: User) -> list:  # type: ignore[type-arg]
        return [] if user.state.name == "DELETED" else user.remove()

    receipt = change(ctx, User, user_id, decide, needs="user.delete")
    ctx.store.erase_subjects(ctx.instance, [user_id])  # type: ignore[attr-defined]
    forget(ctx.instance, user_id)
    forget_codes(ctx, user_id, EMAIL, PHONE, PASSWORD, INVITE)
    return receipt


def add_pat(ctx: Context, *, user_id: str, expires_at: datetime | None = None, scopes: tuple[str, ...] = ()) -> Made:
    """Give a service user a token; only its digest is kept. Scopes limit it; without any it reaches the whole API."""
    must_not_outrank(ctx, user_id)
    id, token = ctx.ports.new_id(), mint(TokenKind.PAT)
    _must_be_ahead(ctx, expires_at)
    receipt = _change(
        ctx, user_id, lambda user: user.add_pat(id=id, digest=digest(token), expires_at=expires_at, scopes=scopes)
    )
    return Made(receipt, id, token)


def remove_pat(ctx: Context, *, user_id: str, pat_id: str) -> Receipt:
    """Take a token; it is refused from the next request on."""
    return _change(ctx, user_id, lambda user: user.remove_pat(pat_id))


def add_machine_key(ctx: Context, *, user_id: str, public_key: bytes = b"", expires_at: datetime | None = None) -> Made:
    """Give a service user a key: a given public one (PEM), or a new pair whose private half is answered once."""
    must_not_outrank(ctx, user_id)
    private, public = ("", checked_public_key(public_key)) if public_key else new_key_pair()
    id = ctx.ports.new_id()
    _must_be_ahead(ctx, expires_at)
    receipt = _change(ctx, user_id, lambda user: user.add_key(id=id, public_key=public, expires_at=expires_at))
    return Made(receipt, id, private)


def remove_machine_key(ctx: Context, *, user_id: str, key_id: str) -> Receipt:
    """Take a key."""
    return _change(ctx, user_id, lambda user: user.remove_key(key_id))


def set_machine_secret(ctx: Context, *, user_id: str) -> Made:
    """Give a service user a new client secret; the client id is the user name."""
    must_not_outrank(ctx, user_id)
    secret = ctx.ports.secrets.random(SECRET_LENGTH)
    receipt = _change(ctx, user_id, lambda user: user.set_secret(digest(secret)))
    return Made(receipt, user_id, secret)


def remove_machine_secret(ctx: Context, *, user_id: str) -> Receipt:
    """Take the client secret."""
    return _change(ctx, user_id, User.remove_secret)


def set_user_metadata(ctx: Context, *, user_id: str, values: Mapping[str, bytes]) -> Receipt:
    """Keep values under keys."""
    return _change(ctx, user_id, lambda user: user.set_metadata(values))


def remove_user_metadata(ctx: Context, *, user_id: str, keys: tuple[str, ...]) -> Receipt:
    """Forget keys."""
    return _change(ctx, user_id, lambda user: user.remove_metadata(keys))


def _org_of(ctx: Context, user_id: str) -> str:
    rows = UserRow.objects.filter(instance_id=ctx.instance, id=user_id)
    return rows.values_list("org_id", flat=True).first() or ""


def _must_not_shadow(ctx: Context, org_id: str, user_name: str, user_id: str) -> None:
    """A name like an address must not catch the sign-ins of somebody else (checklist U03); raises AlreadyExists.

    Not one that ends with the verified domain of another organization, nor the proved address of another person.
    """
    local, _, domain = user_name.strip().rpartition("@")
    if not local:
        return
    owner = find_org_of_domain(ctx.instance, domain)
    others = UserRow.objects.filter(instance_id=ctx.instance, email__iexact=user_name.strip(), email_verified=True)
    if owner not in ("", org_id) or others.exclude(id=user_id).exists():
        raise AlreadyExists("user.already_exists", field="userName")


def _change(ctx: Context, user_id: str, decide):  # type: ignore[no-untyped-def]
    return change(ctx, User, user_id, decide, needs="user.write")


def _change_own(ctx: Context, user_id: str, decide):  # type: ignore[no-untyped-def]
    """Of oneself without a role, of others with one."""
    own = ctx.caller.user_id == user_id and bool(user_id)
    return change(ctx, User, user_id, decide, needs="" if own else "user.write")


def _hashed(ctx: Context, org_id: str, password: str, password_hash: str, names: strength.Names) -> str:
    """The hash to keep; a password must satisfy the rules of the user's organization, and be hard to guess."""
    if password_hash:
        if not ctx.ports.passwords.accepts(password_hash):
            raise InvalidInput("password.hash_not_supported", field="hashedPassword")
        return password_hash
    if not password:
        return ""
    settings_of(ctx.instance, org_id).password_complexity.check(password)
    strength.check(ctx, password, names)
    return ctx.ports.passwords.hash(password)


def _must_be_ahead(ctx: Context, expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= ctx.now():
        raise InvalidInput("user.expiration_past", field="expirationDate")


def new_key_pair() -> tuple[str, bytes]:
    """A new RSA pair: the private half (PKCS #1 PEM) and the public half (PEM)."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=KEY_SIZE)
    private = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return private.decode(), _pem(made.public_key())


def checked_public_key(text: bytes) -> bytes:
    """A public RSA key of 2048 to 8192 bits as PEM; raises InvalidInput (checklist J11)."""
    try:
        found = serialization.load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput("user.public_key_invalid", field="publicKey") from None
    is_strong = (
        isinstance(found, rsa.RSAPublicKey)
        and KEY_SIZE <= found.key_size <= LARGEST_KEY
        and found.public_numbers().e >= LEAST_EXPONENT
    )
    if not is_strong:
        raise InvalidInput(
            "user.public_key_invalid", field="publicKey", reason="RSA, 2048 to 8192 bits, exponent 65537"
        )
    return _pem(found)  # type: ignore[arg-type] - strong ones are RSA


def _pem(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_file(made: Made, user_id: str) -> str:
    """The key file that client libraries read (reference/clients.md)."""
    return json.dumps({"type": "serviceaccount", "keyId": made.id, "key": made.secret, "userId": user_id})
