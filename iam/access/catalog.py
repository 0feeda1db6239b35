"""Texts and ids of refusals, collected from `refusals.REFUSALS` of every installed app."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

Entry = tuple[str, str]
"""(English text, stable id of the API's error messages)"""


@cache
def catalog() -> dict[str, Entry]:
    """Every refusal code with its text and id."""
    collected: dict[str, Entry] = {}
    for app in apps.get_app_configs():
        name = f"{app.name}.refusals"
        if find_spec(name):
            collected |= import_module(name).REFUSALS
    return collected


def text_of(code: str) -> str:
    """The sentence of a code; an unlisted code (a test forbids them) reads as its words."""
    found = catalog().get(code)
    return found[0] if found else code.replace(".", " ").replace("_", " ").capitalize()


def id_of(code: str) -> str:
    """The stable id of a code; empty where there is none."""
    found = catalog().get(code)
    return found[1] if found else ""
