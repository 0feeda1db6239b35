"""Which path leads to which method."""

from typing import Any

from django.core.management.base import BaseCommand

from iam.api.routes import routes


class Command(BaseCommand):
    """`manage.py routes`."""

    help = "Print verb, path and method of every REST route."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print."""
        for route in routes():
            self.stdout.write(f"{route.verb.upper():6} {route.path:60} {route.method}")
