"""A Celery worker: the followers beside the web processes."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from iam.management.management.flags import add_flags
from iam.management.management.phases import let_go, need_broker
from iam.settings.state import write_privately


class Command(BaseCommand):
    """`manage.py worker [--beat] [--concurrency N]`."""

    help = "Run a worker that follows the log; exactly one of all workers runs --beat, or `manage.py beat` runs beside them."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """How many at once, and whether it keeps the time."""
        add_flags(parser)
        parser.add_argument("--beat", action="store_true", help="also send the periodic work")
        parser.add_argument("--concurrency", type=int, default=1, help="processes of this worker")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work."""
        need_broker()
        settings.MASTER_KEYS()
        let_go()
        from iam.celery import app  # Celery is loaded only where it is used

        arguments = ["worker", "--loglevel", "warning", "--concurrency", str(options["concurrency"])]
        if options["beat"]:
            arguments += ["--beat", "--schedule", str(settings.VAR / "beat-schedule")]
        write_privately()
        settings.VAR.mkdir(parents=True, exist_ok=True)
        app.worker_main(arguments)
