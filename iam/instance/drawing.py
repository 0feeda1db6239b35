"""Secrets of applications and service users, drawn as the instance's generator says."""

import string

from iam.instance.domain.kinds import APPLICATION_SECRET
from iam.instance.domain.values import Generator
from iam.instance.settings import settings_of
from iam.kernel.context import Context

SYMBOLS = "-._~"
"""They travel as they are in a form and in HTTP Basic, whether a client encodes them or not (RFC 3986 §2.3)."""


def drawn_secret(ctx: Context) -> str:
    """A new client secret. Its generator's expiry says nothing: secrets are good until they are replaced."""
    drawn = settings_of(ctx.instance).generator(APPLICATION_SECRET)
    return ctx.ports.secrets.digits(drawn.length, signs_of(drawn))


def signs_of(drawn: Generator) -> str:
    """What to draw from."""
    sets = (
        (drawn.include_lower_letters, string.ascii_lowercase),
        (drawn.include_upper_letters, string.ascii_uppercase),
        (drawn.include_digits, string.digits),
        (drawn.include_symbols, SYMBOLS),
    )
    return "".join(signs for wanted, signs in sets if wanted)
