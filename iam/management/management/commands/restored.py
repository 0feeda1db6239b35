"""`manage.py restored`: once after an older backup was put back, before the server starts."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from iam.access.caller import system_context
from iam.kernel.errors import NotFound
from iam.setup.restored import end_what_came_back
from users.commands import erase_user


class Command(BaseCommand):
    """Ends what must not live again."""

    help = (
        "After a restore: end all sessions, tokens and codes, hold back waiting messages, erase again who was erased."
    )

    def add_arguments(self, parser: Any) -> None:
        """A list kept outside of the database: a backup does not know who was erased after it."""
        parser.add_argument("--erased", help="file with lines `INSTANCE USER`: people erased since the backup")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say what is left to look through."""
        ended = end_what_came_back()
        self.stdout.write(
            f"ended: {ended.sessions} sessions, {ended.tokens} tokens; held back: {ended.messages} messages"
        )
        self.stdout.write(
            f"{ended.pats} personal access tokens and {ended.keys} keys are as in the backup: remove what was withdrawn since"
        )
        for line in Path(options["erased"]).read_text().splitlines() if options["erased"] else []:
            instance, user = line.split()
            try:
                erase_user(system_context(instance), user_id=user)
                self.stdout.write(f"erased {user}")
            except NotFound:
                self.stdout.write(f"{user} is not in the backup")
        self.stdout.write(f"the log ends at position {ended.position}")
