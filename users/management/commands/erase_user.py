"""Erase a person."""

from typing import Any

from django.core.management.base import BaseCommand

from iam.access.caller import system_context
from users.commands import erase_user


class Command(BaseCommand):
    """`manage.py erase_user INSTANCE USER`."""

    help = "Delete a user and destroy the key of the personal data: nothing of it can be read any more."

    def add_arguments(self, parser: Any) -> None:
        """Who."""
        parser.add_argument("instance")
        parser.add_argument("user")

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase."""
        erase_user(system_context(options["instance"]), user_id=options["user"])
        self.stdout.write(f"user {options['user']} is erased")
