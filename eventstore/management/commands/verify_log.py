"""Check the log."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from eventstore.verify import verify_log


class Command(BaseCommand):
    """`manage.py verify_log`: exit code 1 and the first bad position when a fact was tampered with."""

    help = "Walk the digest chain of every stream and name the first bad position."

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk."""
        found = verify_log()
        if found.problem:
            raise CommandError(f"position {found.position}: {found.problem}")
        self.stdout.write(f"{found.checked} facts, every digest fits")
