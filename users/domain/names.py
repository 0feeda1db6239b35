"""User names: their grammar, what they look like (UTS 39), and which values they hold and must not meet."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

from confusable_homoglyphs import categories
from confusable_homoglyphs.confusables import confusables_data

from eventstore.aggregates import Claim, Vacant
from iam.kernel.errors import InvalidInput
from iam.kernel.texts import is_plain

KIND = "usernames"
ORG_DOMAINS = "org_domain"
TAKEN = "user.already_exists"
LONGEST_NAME = 200
NO_SCRIPT = ("COMMON", "INHERITED", "Unknown")
TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
"""Scripts that one word may mix (UTS 39 §5.2, "highly restrictive")."""
WORDS = re.compile(r"[@.]")
DIRECTION = "\u200e"


def checked_user_name(user_name: str) -> str:
    """A visible name without spaces in its canonical form, no word of it in scripts that look alike (checklist U01);
    raises InvalidInput."""
    name = unicodedata.normalize("NFC", user_name.strip())
    if not 1 <= len(name) <= LONGEST_NAME or not is_plain(name) or any(map(_ends_badly, name.split("@"))):
        raise InvalidInput("user.user_name_invalid", field="userName")
    if not all(_is_of_one_script(word) for word in WORDS.split(name)):
        raise InvalidInput("user.user_name_confusable", field="userName")
    return name


def _ends_badly(part: str) -> bool:
    return part.endswith(".") or part.startswith(".")


def _is_of_one_script(word: str) -> bool:
    scripts = {categories.alias(one) for one in word} - set(NO_SCRIPT)
    return len(scripts) <= 1 or any(scripts <= allowed for allowed in TOGETHER)


def lookalike(name: str) -> str:
    """The name in plain Latin letters and digits that somebody would read; empty when it reads as itself."""
    folded = name.casefold()
    if folded.isascii():
        return ""
    latin = "".join(_latin_for(one) for one in folded)
    return latin if latin.isascii() else ""


@cache
def _latin_for(sign: str) -> str:
    """The Latin letter or digit that a sign is taken for; itself without one."""
    alike = (one["c"].strip(DIRECTION) for one in confusables_data.get(sign, ()))
    return sign if sign.isascii() else next((one.lower() for one in alike if one.isascii() and one.isalnum()), sign)


def claims_of_name(user_name: str, org_id: str, *, organization_scoped: bool) -> frozenset[Claim]:
    """The user name and what it looks like: unique in the instance, or in the organization where its settings say so."""
    return frozenset(
        _claim(name, org_id, inside=organization_scoped) for name in (user_name, lookalike(user_name)) if name
    )


def _claim(name: str, org_id: str, *, inside: bool) -> Claim:
    wide, narrow = name, f"{name} {org_id}"
    return Claim(KIND, narrow, TAKEN, also=wide) if inside else Claim(KIND, wide, TAKEN, also=narrow)


def vacant_for(user_name: str, org_id: str, domains: Iterable[str]) -> Iterator[Vacant]:
    """What nobody may hold when a user of the organization gets this name: the login names that it would make, and
    those that it would be. `domains` are the verified ones of the organization."""
    own = set(domains)
    for domain in own:
        login_name = f"{user_name}@{domain}"
        yield from (Vacant(Claim(KIND, one, TAKEN)) for one in (login_name, f"{login_name} {org_id}"))
    local, _, domain = user_name.rpartition("@")
    if local and domain.lower() in own:
        yield from (Vacant(Claim(KIND, one, TAKEN), org_id, True) for one in (local, f"{local} {org_id}"))
    elif local:
        yield Vacant(Claim(ORG_DOMAINS, domain, TAKEN), taken_at_once=True)
