"""Migrate the database and make the first instance."""

from typing import Any

from django.core.management.base import BaseCommand

from iam.management.management.flags import add_flags
from iam.management.management.phases import setup


class Command(BaseCommand):
    """`manage.py setup`."""

    help = "Migrate the database and make the first instance."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """The flags of the reference."""
        add_flags(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        setup()
