"""The form of opaque tokens: prefix by kind, 256 random bits, checksum.

Clients treat tokens as opaque; the prefix and checksum let a leak scanner recognize one, and let us
refuse a mangled token without asking the database (reference/oidc.md §7, checklist C09).
"""

import hashlib
import hmac
import re
import secrets
import zlib
from datetime import datetime
from enum import StrEnum
from typing import Protocol

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BODY = 43  # 62^43 > 2^256
CHECKSUM = 6  # 62^6 > 2^32
NAME = 11  # 62^11 > 10^18; what is left of the body has 190 random bits
NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class TokenKind(StrEnum):
    """What a token is, as its prefix says."""

    PAT = "gthp"
    ACCESS = "gtha"
    REFRESH = "gthr"
    SESSION = "gths"


def mint(kind: TokenKind, *, names: str = "") -> str:
    """A new token of a kind; it may name the thing whose it is, so that this is found without an index of digests."""
    named = _spelled(int(names), NAME) if NUMBER.fullmatch(names) else ""
    body = named + "".join(secrets.choice(ALPHABET) for _ in range(BODY - len(named)))
    return f"{kind}_{body}{_checksum(f'{kind}_{body}')}"


def kind_of(token: str) -> TokenKind | None:
    """The kind of a well-formed token; None for anything else, a changed character included."""
    prefix, _, rest = token.partition("_")
    if len(rest) != BODY + CHECKSUM or prefix not in TokenKind.__members__.values():
        return None
    if not secrets.compare_digest(_checksum(token[:-CHECKSUM]).encode(), token[-CHECKSUM:].encode()):
        return None
    return TokenKind(prefix)


def named_by(token: str) -> str:
    """The id that a token names; of one that names nothing, a number that means nothing."""
    _, _, body = token.partition("_")
    number = 0
    for sign in body[:NAME]:
        number = number * len(ALPHABET) + ALPHABET.index(sign)
    return str(number)


def digest(secret: str) -> str:
    """How tokens and generated secrets are stored: SHA-256, hex. Enough for 256 random bits (DESIGN §5)."""
    return hashlib.sha256(secret.encode()).hexdigest()


class SecretHolder(Protocol):
    """Who proves itself with a client secret: digests of the one that counts, and of the one before with its end."""

    @property
    def secret_hash(self) -> str:
        """Of the secret that counts; empty without one."""

    @property
    def previous_secret_hash(self) -> str:
        """Of the secret before; empty without one."""

    @property
    def previous_secret_until(self) -> datetime | None:
        """When the secret before stops to count."""


def is_secret_of(holder: SecretHolder, secret: str, now: datetime) -> bool:
    """Whether a client secret counts: the newest one, or the one before until its end.

    Both are compared whatever the first comparison says, so that the time tells nothing (checklist D03).
    """
    asked, until = digest(secret), holder.previous_secret_until
    is_newest = hmac.compare_digest(asked, holder.secret_hash)
    is_previous = hmac.compare_digest(asked, holder.previous_secret_hash)
    return is_newest or (is_previous and until is not None and now < until)


def _checksum(text: str) -> str:
    return _spelled(zlib.crc32(text.encode()), CHECKSUM)


def _spelled(number: int, length: int) -> str:
    """A number in the signs of the alphabet, the highest first."""
    signs = ""
    for _ in range(length):
        number, sign = divmod(number, len(ALPHABET))
        signs = ALPHABET[sign] + signs
    return signs
