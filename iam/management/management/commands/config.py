"""Print every knob."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand

from iam.settings.sources import Leaf, leaves


class Command(BaseCommand):
    """`manage.py config --markdown`."""

    help = "Print every configuration key with its variable, default and effect."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """The form."""
        parser.add_argument("--markdown", action="store_true", help="as a table for the README")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print."""
        self.stdout.write("| Key | Variable | Default | Effect |\n|---|---|---|---|")
        for leaf in leaves():
            self.stdout.write(f"| {leaf.path} | {leaf.variable} | {_default(leaf)} | {leaf.info.description} |")


def _default(leaf: Leaf) -> str:
    value = leaf.info.default
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        return f"{seconds // 3600}h" if seconds and seconds % 3600 == 0 else f"{seconds // 60}m"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if value != "" else "–"
