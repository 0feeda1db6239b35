"""The reference page of the configuration, written from the typed tree."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iam.settings.sources import Leaf, leaves
from iam.settings.tree import Config

HEAD = """# Configuration

Every key with its variable, its default and its effect. Written by `manage.py config`; do not edit.

Strongest first: `--tlsMode`, another flag, a `ZITADEL_*` variable, the last `--config` or `--steps` file (YAML) … the
first one, the default. Keys are matched without regard to case. An unknown key or variable is a warning that names the
nearest known one; a value that does not parse ends the process with code 1 and names key, value and source. Values are
read when a process starts; what set-up keeps in the database (`External*`, `FirstInstance.*`, `DefaultInstance.*`)
takes effect through `manage.py setup`.

Durations are written as `30s`, `15m`, `12h` or `1h30m`; times as in RFC 3339; lists with commas.

The master key is no key of the tree: `--masterkey KEY`, `--masterkeyFile FILE` or `--masterkeyFromEnv`
(`ZITADEL_MASTERKEY`, during a rotation the one before it in `ZITADEL_MASTERKEY_PREVIOUS`); 32 characters, or 64 hex
digits. `GATEHOUSE_VAR` names the state folder (default `var`).
"""
TABLE = "| Key | Variable | Default | Effect |\n|---|---|---|---|"


class Command(BaseCommand):
    """`manage.py config [--write FILE | --check FILE]`; without a file the page is printed."""

    help = "Print or write the reference page of every configuration key, or check that a written one is fresh."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """Where to."""
        parser.add_argument("--write", metavar="FILE", help="write the page")
        parser.add_argument("--check", metavar="FILE", help="exit code 1 when the page is stale")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print, write or check."""
        page = "\n".join(_page()) + "\n"
        if options["check"]:
            if Path(options["check"]).read_text(encoding="utf-8") != page:
                raise CommandError(f"{options['check']} is stale: make docs")
        elif options["write"]:
            Path(options["write"]).write_text(page, encoding="utf-8")
        else:
            self.stdout.write(page)


def _page() -> Iterator[str]:
    yield HEAD
    top = ""
    for leaf in sorted(leaves(), key=lambda leaf: "." in leaf.path):
        name, _, rest = leaf.path.partition(".")
        if (section := name if rest else "Process") != top:
            top = section
            yield from ("" if section == "Process" else "\n", f"## {section}\n")
            if section != "Process":
                yield f"{Config.model_fields[section].annotation.__doc__}\n"  # type: ignore[union-attr]
            yield TABLE
        effect = leaf.info.description.replace("|", "\\|") if leaf.info.description else ""
        yield f"| {leaf.path} | {leaf.variable} | {_default(leaf)} | {effect} |"


def _default(leaf: Leaf) -> str:
    value = leaf.info.default
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, tuple):
        value = ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if value not in ("", {}) else "–"


def _duration(value: timedelta) -> str:
    if value and value < timedelta(seconds=1):
        return f"{value / timedelta(milliseconds=1):g}ms"
    seconds = int(value.total_seconds())
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
