"""Create database and user."""

from typing import Any

from django.core.management.base import BaseCommand

from iam.management.management.flags import add_flags
from iam.management.management.phases import init


class Command(BaseCommand):
    """`manage.py init`."""

    help = "Create database and user."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """The flags and sub-commands of the reference."""
        add_flags(parser)
        parts = ("user", "database", "grant", "schema", "zitadel")
        parser.add_argument("part", nargs="?", choices=parts, help="only this part")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        part = "schema" if options["part"] == "zitadel" else options["part"]
        init(*([part] if part else []))
