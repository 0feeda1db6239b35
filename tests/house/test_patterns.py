"""Validators answer in a moment whatever they are given (checklist N04)."""

import re
import sys
import time

import pytest

from iam.kernel.errors import Refusal
from oidc.jose import BadTokenError, read
from orgs.domain.names import ascii_of, find_domain, label_of, letters_of
from tests.house.test_sources import ROOMS
from users.domain import profile
from users.domain.user import checked_user_name

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
    "letters beyond ASCII": "é" * LONG,
    "labels beyond ASCII": "a@" + "é." * (LONG // 2) + "xn--",
    "quotes": '"' * LONG + "@a.example",
}


def patterns():
    """Every pattern that a module of the product keeps by name."""
    found = {}
    for module in [one for name, one in sorted(sys.modules.items()) if name.split(".")[0] in ROOMS]:
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                found[value.pattern] = (f"{module.__name__}.{name}", value)
    return dict(sorted(found.values(), key=lambda one: one[0]))


MOST_SECONDS = 5
"""A hundred times what is needed; a pattern that tries all ways would take for ever."""


@pytest.mark.parametrize("pattern", patterns().values(), ids=patterns())
def test_n04_patterns_need_linear_time(pattern):
    begun = time.monotonic()
    for text in NASTY.values():
        pattern.fullmatch(text)
        pattern.search(text[: LONG // 100])
    assert time.monotonic() - begun < MOST_SECONDS


def test_n04_the_patterns_are_found():
    assert {
        "iam.kernel.texts.DECEPTIVE",
        "orgs.domain.names.DOMAIN",
        "oidc.grants.code.VERIFIER",
    } <= patterns().keys()


@pytest.mark.parametrize(
    "check",
    [
        checked_user_name,
        profile.checked_email,
        profile.checked_phone,
        find_domain,
        letters_of,
        ascii_of,
        label_of,
        read,
    ],
)
def test_n04_checks_need_linear_time(check):
    begun = time.monotonic()
    for text in NASTY.values():
        try:
            check(text)
        except (Refusal, BadTokenError):
            continue
    assert time.monotonic() - begun < MOST_SECONDS
