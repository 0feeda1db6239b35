"""The clock of the workers, as a process of its own."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from iam.management.management.flags import add_flags
from iam.management.management.phases import need_broker
from iam.settings.state import write_privately


class Command(BaseCommand):
    """`manage.py beat`: exactly one at a time, beside `worker` processes without `--beat`."""

    help = "Send the periodic work to the workers; exactly one process of a deployment does."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """The flags of the reference."""
        add_flags(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Keep the time."""
        need_broker()
        from iam.celery import app  # Celery is loaded only where it is used

        write_privately()
        settings.VAR.mkdir(parents=True, exist_ok=True)
        app.Beat(loglevel="WARNING", schedule=str(settings.VAR / "beat-schedule"), quiet=True).run()
