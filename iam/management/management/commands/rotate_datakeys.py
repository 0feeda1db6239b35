"""New data keys."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from iam.instance.models import InstanceRow
from iam.management.management.flags import add_flags
from iam.vault.envelope import KEPT_SECONDS, WrongMasterKey
from iam.vault.renewal import renew, rewrap


class Command(BaseCommand):
    """`manage.py rotate_datakeys [INSTANCE] [--resume]`."""

    help = "Make new data keys and wrap persons' keys under them, while serving; after a kill: --resume."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """Whose."""
        add_flags(parser)
        parser.add_argument("instance", nargs="?", default="", help="id of an instance; all of them without it")
        parser.add_argument("--resume", action="store_true", help="make no new data keys, only wrap what is left")

    def handle(self, *args: Any, **options: Any) -> None:
        """Renew."""
        settings.MASTER_KEYS()
        instances = [options["instance"]] if options["instance"] else InstanceRow.objects.values_list("pk", flat=True)
        if options["instance"] and not InstanceRow.objects.filter(pk=options["instance"]).exists():
            raise CommandError(f"there is no instance {options['instance']}")
        try:
            for instance in instances:
                made, wrapped = (0, rewrap(instance)) if options["resume"] else renew(instance)
                self.stdout.write(f"instance {instance}: {made} new data keys, {wrapped} persons' keys wrapped anew")
        except WrongMasterKey as wrong:
            raise CommandError(str(wrong)) from wrong
        if not options["resume"]:
            self.stdout.write(
                f"Processes that run notice the new keys within {KEPT_SECONDS} seconds;"
                " --resume after that wraps what they sealed under the old ones meanwhile"
            )
