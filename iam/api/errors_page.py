"""The page of all refusals: each id once, with status, cause and remedy."""

from collections import defaultdict
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from django.apps import apps
from django.conf import settings

from iam.access.catalog import catalog

Remedy = tuple[str, str]
"""(cause, remedy)"""
PLACE = Path("deploy") / "docs" / "errors.md"
HEAD = """# Errors

This page is written by `manage.py errors` from the catalogs of the code; `make check` fails when it is old.

REST answers `{"code": <gRPC code>, "message": "<text> (<id>)", "details": [{"id": "<id>", "message": "<text>"}]}`;
Connect, gRPC and gRPC-Web carry the same id in the detail `zitadel.v1.ErrorDetail`. An id is stable: match on it, never on
the text. Some ids stand for several causes of one kind; the text tells them apart. Refusals without an id are listed last.

OAuth and OpenID Connect endpoints answer with `error` and `error_description` of their RFCs instead.
"""


@cache
def remedies() -> dict[str, Remedy]:
    """Cause and remedy of every code that has them."""
    collected: dict[str, Remedy] = {}
    for app in apps.get_app_configs():
        name = f"{app.name}.remedies"
        if find_spec(name):
            collected |= import_module(name).REMEDIES
    return collected


def missing() -> list[str]:
    """Codes of the catalog without cause and remedy."""
    return sorted(catalog().keys() - remedies().keys())


def page() -> str:
    """The page as Markdown."""
    by_id: dict[str, list[str]] = defaultdict(list)
    for code, (_, id) in sorted(catalog().items()):
        by_id[id].append(code)
    unnamed = by_id.pop("", [])
    sections = [_section(f"`{id}`", codes) for id, codes in sorted(by_id.items())]
    sections += ["## Without an id\n", *(_section(f"`{code}`", [code]) for code in unnamed)]
    return "\n".join([HEAD, *sections])


def _section(title: str, codes: list[str]) -> str:
    lines = [f"### {title}\n"]
    for code in codes:
        cause, remedy = remedies()[code]
        lines += [f"**{catalog()[code][0]}** (`{code}`)  ", f"Cause: {cause}  ", f"Remedy: {remedy}\n"]
    return "\n".join(lines)


def place() -> Path:
    """Where the page is kept."""
    return Path(settings.BASE_DIR) / PLACE
