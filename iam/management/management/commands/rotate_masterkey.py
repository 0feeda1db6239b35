"""Change the master key."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from iam.management.management.flags import add_flags
from iam.vault.envelope import WrongMasterKey, rewrap_all


class Command(BaseCommand):
    """`manage.py rotate_masterkey`: new key in ZITADEL_MASTERKEY, old one in ZITADEL_MASTERKEY_PREVIOUS."""

    help = "Wrap every data key under the new master key, while serving; may be killed and repeated."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """The flags of the reference."""
        add_flags(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Re-wrap."""
        keys = settings.MASTER_KEYS()
        if len(keys) < 2:
            raise CommandError("give the old master key in ZITADEL_MASTERKEY_PREVIOUS")
        try:
            changed, done = rewrap_all(keys[0], keys[1:])
        except WrongMasterKey as wrong:
            raise CommandError(str(wrong)) from wrong
        self.stdout.write(f"{changed} data keys wrapped under the new master key, {done} were already")
