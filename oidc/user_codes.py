"""The code that a person reads from one screen and types at another (RFC 8628 §6.1). Plain functions of values."""

import secrets

from iam.settings.tree import UserCodeSection


def draw(shape: UserCodeSection) -> str:
    """A new code, as it is shown: BCDF-GHJK."""
    signs = "".join(secrets.choice(shape.CharSet) for _ in range(shape.CharAmount))
    step = shape.DashInterval or len(signs)
    return "-".join(signs[at : at + step] for at in range(0, len(signs), step))


def bare(typed: str, shape: UserCodeSection) -> str:
    """What counts of a typed code: letters and digits; their case only where the codes have both."""
    signs = "".join(sign for sign in typed if sign.isalnum())
    if shape.CharSet == shape.CharSet.upper():
        return signs.upper()
    return signs.lower() if shape.CharSet == shape.CharSet.lower() else signs
