"""Passwords that are tried first: common and breached ones, names of the person and of the tenant (checklist P07)."""

from dataclasses import dataclass

from django.conf import settings

from iam.instance.domain.instance import Instance
from iam.kernel.change import Unit
from iam.kernel.context import Context
from iam.kernel.errors import InvalidInput
from orgs.domain.org import Org
from users.domain.user import User

SHORTEST_NAME = 4
MOST_SIGNS = 72  # the estimate takes longer than linear time; what is longer is judged by its beginning


@dataclass(frozen=True)
class Names:
    """Words that belong to a person, and the organization whose name counts, too."""

    of_person: tuple[object, ...]
    org_id: str


def names_of(ctx: Context, user_id: str) -> Names:
    """The names of somebody who exists already."""
    if not settings.CONFIG.SystemDefaults.PasswordStrength:
        return Names((), "")
    user = Unit(ctx).load(User, user_id)
    return Names((user.user_name, user.email, *vars(user.profile).values()), user.owner)


def check(ctx: Context, password: str, names: Names) -> None:
    """Raises InvalidInput for a password below the configured strength. Works offline: the lists are part of zxcvbn."""
    least = settings.CONFIG.SystemDefaults.PasswordStrength
    if not least:
        return
    from zxcvbn import zxcvbn  # its word lists take 10 MB and are needed with this setting only

    words = _words(ctx, names)
    low = password.casefold()
    has_name = any(word in low for word in words)
    if has_name or zxcvbn(password[:MOST_SIGNS], user_inputs=words)["score"] < least:
        raise InvalidInput("password.guessable", field="password")


def _words(ctx: Context, names: Names) -> list[str]:
    unit = Unit(ctx)
    tenant = (unit.load(Instance, ctx.instance).name, unit.load(Org, names.org_id).name if names.org_id else "")
    texts = [text.casefold() for text in (*names.of_person, *tenant) if isinstance(text, str)]
    parts = {part for text in texts for part in (text, text.partition("@")[0], *text.split())}
    return sorted(part for part in parts if len(part) >= SHORTEST_NAME)
