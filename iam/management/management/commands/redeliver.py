"""Webhooks that were given up, once more."""

from typing import Any

from django.core.management.base import BaseCommand

from iam.actions.keeping import send_again


class Command(BaseCommand):
    """`manage.py redeliver [INSTANCE] [--target TARGET]`."""

    help = "Send webhooks again that were given up (a receiver that was away for days, or answered 410); ids stay the same."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """Whose."""
        parser.add_argument("instance", nargs="?", default="", help="id of an instance; all of them without it")
        parser.add_argument("--target", default="", help="id of a target; all of them without it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Queue them; whoever follows the log sends them."""
        found = send_again(options["instance"], options["target"])
        self.stdout.write(f"{found} webhooks are sent again")
