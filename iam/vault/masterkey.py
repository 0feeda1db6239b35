"""The master key: 32 characters used as 32 bytes, or 64 hex digits."""

import hashlib
import hmac

CHARACTERS = 32
HEX_DIGITS = 64


class BadMasterKey(ValueError):
    """A master key that cannot be used; the message says why and never repeats the key."""


def parse(text: str) -> bytes:
    """The key's 32 bytes; raises BadMasterKey (checklist E08)."""
    if len(text) == HEX_DIGITS:
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise BadMasterKey("the master key has 64 characters that are not all hex digits") from None
    if not text:
        raise BadMasterKey("the master key is empty; make one with: openssl rand -hex 16")
    raw = text.encode()
    if len(raw) != CHARACTERS:
        hint = " (it ends with a line break)" if text.endswith("\n") else ""
        raise BadMasterKey(f"the master key must have 32 characters or 64 hex digits; this one has {len(raw)}{hint}")
    if len(set(raw)) == 1:
        raise BadMasterKey("the master key repeats one character; make one with: openssl rand -hex 16")
    return raw


def check_value(key: bytes) -> str:
    """Tells two master keys apart without revealing them."""
    return hmac.new(key, b"gatehouse master key check", hashlib.sha256).hexdigest()
