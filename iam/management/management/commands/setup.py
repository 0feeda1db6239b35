"""Migrate the database and make the first instance."""

from typing import Any

from django.core.management.base import BaseCommand

from iam.management.management.flags import add_flags
from iam.management.management.phases import plan, release_lock, setup


class Command(BaseCommand):
    """`manage.py setup`."""

    help = "Migrate the database and make the first instance."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """The flags of the reference."""
        add_flags(parser)
        parser.add_argument("--plan", action="store_true", help="print what would be done, and do nothing")
        parser.add_argument("part", nargs="?", choices=["cleanup"], help="cleanup: free the lock of a dead set-up")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        if options["part"] == "cleanup":
            holder = release_lock()
            self.stdout.write(f"freed the lock of {holder}" if holder else "no set-up holds the lock")
        elif options["plan"]:
            self.stdout.write("\n".join(plan()))
        else:
            setup()
