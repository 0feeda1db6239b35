"""`manage.py errors`: write deploy/docs/errors.md; `--check` only says whether it is old."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from iam.api import errors_page


class Command(BaseCommand):
    """Write the page of all refusals."""

    help = "write deploy/docs/errors.md from the catalogs of refusals"

    def add_arguments(self, parser: CommandParser) -> None:
        """Its flag."""
        parser.add_argument("--check", action="store_true", help="change nothing; fail when the page is old")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or compare."""
        if missing := errors_page.missing():
            raise CommandError(f"cause and remedy are missing (remedies.py of the room): {', '.join(missing)}")
        place = errors_page.place()
        if not options["check"]:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(errors_page.page())
        elif not place.exists() or place.read_text() != errors_page.page():
            raise CommandError(f"{errors_page.PLACE} is old; run manage.py errors")
