"""How far the followers are behind."""

from typing import Any

from django.core.management.base import BaseCommand

from projections.lag import lag_of


class Command(BaseCommand):
    """`manage.py lag`: exit code 1 when a follower is stopped."""

    help = "Print every follower's position, lag in facts and seconds, and what stops it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print."""
        stopped = False
        for one in lag_of():
            line = (
                f"{one.projection} {one.instance}: at {one.position}, {one.facts} facts and {one.seconds:.0f} s behind"
            )
            if one.is_stopped:
                line += f"; STOPPED at {one.failed_position} ({one.failed_fact}), try {one.failures}: {one.error}"
            self.stdout.write(line)
            stopped = stopped or one.is_stopped
        if stopped:
            raise SystemExit(1)
