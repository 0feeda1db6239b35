"""Validators answer in a moment whatever they are given (checklist N04)."""

import time

import pytest

from iam.api.limits import EMAIL as WIRE_EMAIL
from iam.instance.domain.instance import HOST
from iam.kernel.errors import Refusal
from iam.settings.middleware import REQUEST_ID
from oidc.authorize import CHALLENGE
from oidc.grants.code import VERIFIER
from oidc.jose import BadTokenError, read
from orgs.domain.org import DOMAIN
from projects.domain import uris
from users.domain import profile
from users.domain.user import USER_NAME, checked_user_name

LONG = 100_000
NASTY = {
    "same sign": "a" * LONG,
    "same sign and a stranger": "a" * LONG + "!",
    "dots": "a." * (LONG // 2) + "!",
    "hyphens": "a-" * (LONG // 2) + "!",
    "only hyphens": "-" * LONG + ".",
    "ats": "a@" * (LONG // 2),
    "at and dots": "a@" + "a." * (LONG // 2) + "!",
    "spaces": " " * LONG + "!",
    "tags": "en-" * (LONG // 3) + "!",
    "percent": "https://a.example/" + "%41" * (LONG // 3) + "\\",
    "stars": "https://" + "*." * (LONG // 2) + "example/",
    "quotes": '"' * LONG + "@a.example",
}
PATTERNS = {
    "host": HOST,
    "domain": DOMAIN,
    "wire e-mail": WIRE_EMAIL,
    "request id": REQUEST_ID,
    "challenge": CHALLENGE,
    "verifier": VERIFIER,
    "user name": USER_NAME,
    "e-mail": profile.EMAIL,
    "language": profile.LANGUAGE,
    "forbidden in addresses": uris.FORBIDDEN,
}
MOST_SECONDS = 5
"""A hundred times what is needed; a pattern that tries all ways would take for ever."""


@pytest.mark.parametrize("name", PATTERNS)
def test_n04_patterns_need_linear_time(name):
    begun = time.monotonic()
    for text in NASTY.values():
        PATTERNS[name].fullmatch(text)
        PATTERNS[name].search(text[: LONG // 100])
    assert time.monotonic() - begun < MOST_SECONDS


@pytest.mark.parametrize("check", [checked_user_name, profile.checked_email, profile.checked_phone, read])
def test_n04_checks_need_linear_time(check):
    begun = time.monotonic()
    for text in NASTY.values():
        try:
            check(text)
        except (Refusal, BadTokenError):
            continue
    assert time.monotonic() - begun < MOST_SECONDS


def test_n04_no_pattern_of_the_product_is_missing_here():
    """Every pattern that is compiled by name stands above; those inside functions look at our own names."""
    import re

    from tests.house.test_sources import sources

    known = {"projects/domain/uris.py", "users/domain/profile.py", "users/domain/user.py", "orgs/domain/org.py"}
    known |= {"iam/api/limits.py", "iam/instance/domain/instance.py", "iam/settings/middleware.py", "oidc/authorize.py"}
    known |= {"oidc/grants/code.py", "oidc/jose.py"}
    own = {"iam/settings", "iam/management", "iam/setup", "iam/api/proto", "eventstore"}
    found = {name for name, text in sources().items() if re.search(r"re\.compile\(", text)}
    assert {name for name in found - known if not name.startswith(tuple(own))} == set()
