"""What service users prove themselves with: personal access tokens, keys, client secrets."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from iam.access.tokens import TokenKind, digest, mint
from iam.instance.drawing import drawn_secret
from iam.kernel.change import Receipt, change
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from users.domain.user import User
from users.ranks import must_not_outrank

KEY_SIZE = 2048
LARGEST_KEY = 8192  # a larger one makes each check slow
LEAST_EXPONENT = 65537  # NIST SP 800-56B §6.4.1.1
NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""How the API says that something does not end."""


@dataclass(frozen=True)
class Made:
    """Something that was created inside a user, with its secret shown this once."""

    receipt: Receipt
    id: str
    secret: str
    expires_at: datetime | None = None


def add_pat(ctx: Context, *, user_id: str, expires_at: datetime | None = None, scopes: tuple[str, ...] = ()) -> Made:
    """Give a service user a token; only its digest is kept. Scopes limit it; without any it reaches the whole API."""
    must_not_outrank(ctx, user_id)
    id, token = ctx.ports.new_id(), mint(TokenKind.PAT)
    must_be_ahead(ctx, expires_at)
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
    must_be_ahead(ctx, expires_at)
    receipt = _change(ctx, user_id, lambda user: user.add_key(id=id, public_key=public, expires_at=expires_at))
    return Made(receipt, id, private, expires_at)


def remove_machine_key(ctx: Context, *, user_id: str, key_id: str) -> Receipt:
    """Take a key."""
    return _change(ctx, user_id, lambda user: user.remove_key(key_id))


def set_machine_secret(ctx: Context, *, user_id: str, keep_previous: timedelta | None = None) -> Made:
    """Give a service user a new client secret; the client id is the user name.

    The one before counts for `keep_previous` more; left out, for as long as is configured. One before that counts no more.
    """
    must_not_outrank(ctx, user_id)
    secret, until = drawn_secret(ctx), previous_until(ctx, keep_previous)
    receipt = _change(ctx, user_id, lambda user: user.set_secret(digest(secret), previous_until=until))
    return Made(receipt, user_id, secret)


def previous_until(ctx: Context, keep: timedelta | None) -> datetime | None:
    """When the secret before stops to count; None = at once. `keep` None is as configured."""
    overlap = settings.CONFIG.SystemDefaults.ClientSecretOverlap if keep is None else keep
    return ctx.now() + overlap if overlap else None


def remove_machine_secret(ctx: Context, *, user_id: str) -> Receipt:
    """Take the client secret, and the one before."""
    return _change(ctx, user_id, User.remove_secret)


def _change(ctx: Context, user_id: str, decide):  # type: ignore[no-untyped-def]
    return change(ctx, User, user_id, decide, needs="user.write")


def must_be_ahead(ctx: Context, expires_at: datetime | None) -> None:
    """Raises InvalidInput for an end that is over."""
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
    ends = {"expirationDate": made.expires_at.isoformat().replace("+00:00", "Z")} if made.expires_at else {}
    return json.dumps({"type": "serviceaccount", "keyId": made.id, "key": made.secret, **ends, "userId": user_id})
