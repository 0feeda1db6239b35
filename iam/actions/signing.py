"""Signing keys, and what they sign: `t=<unix>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, one `v1` for each key."""

import hashlib
import hmac
from datetime import datetime

from iam.actions.models import TargetRow
from iam.kernel.context import Context

PURPOSE = "targets"
LENGTH = 48
"""Letters and digits: more than 256 bits."""


def new_key(ctx: Context) -> tuple[str, str]:
    """A key as it is shown, and as it is kept."""
    plain = ctx.ports.secrets.random(LENGTH)
    return plain, ctx.ports.secrets.seal(ctx.instance, PURPOSE, plain.encode())


def opened(ctx: Context, sealed: str) -> str:
    """A key as it is shown."""
    return ctx.ports.secrets.open(ctx.instance, PURPOSE, sealed).decode()


def keys_of(ctx: Context, target: TargetRow) -> list[str]:
    """The keys that sign now, the newest first."""
    kept = [target.signing_key]
    if target.previous_key and target.previous_until and target.previous_until > ctx.now():
        kept.append(target.previous_key)
    return [opened(ctx, one) for one in kept]


def signature(keys: list[str], body: bytes, at: datetime) -> str:
    """The header that a receiver checks."""
    stamp = str(int(at.timestamp()))
    signed = [hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest() for key in keys]
    return ",".join([f"t={stamp}", *(f"v1={one}" for one in signed)])
