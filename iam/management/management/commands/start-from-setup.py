"""setup, then start."""

from typing import Any

from django.core.management.base import BaseCommand

from iam.management.management.flags import add_flags
from iam.management.management.phases import check_tls, serve, setup


class Command(BaseCommand):
    """`manage.py start-from-setup`."""

    help = "setup, then start."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """The flags of the reference."""
        add_flags(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        check_tls()
        setup()
        serve()
