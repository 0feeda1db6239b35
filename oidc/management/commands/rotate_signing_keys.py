"""Change the signing key of every instance."""

from typing import Any

from django.core.management.base import BaseCommand

from iam.access.caller import system_context
from iam.instance.models import InstanceRow
from oidc.web_keys import rotate


class Command(BaseCommand):
    """`manage.py rotate_signing_keys [INSTANCE]`."""

    help = "Make a new key sign; the one before stays published until its tokens have ended."

    def add_arguments(self, parser: Any) -> None:
        """Which instance."""
        parser.add_argument("instance", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate."""
        rows = InstanceRow.objects.all()
        for row in rows.filter(instance_id=options["instance"]) if options["instance"] else rows:
            self.stdout.write(f"{row.instance_id}: key {rotate(system_context(row.instance_id))} signs")
