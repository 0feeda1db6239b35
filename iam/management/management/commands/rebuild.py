"""Replay projections."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iam.vault import wiring
from projections.projection import projection, projections
from projections.rebuild import rebuild


class Command(BaseCommand):
    """`manage.py rebuild [name] [--verify]`."""

    help = "Replay projections into shadow tables while serving, and swap; --verify only compares."

    def add_arguments(self, parser: Any) -> None:
        """Which, and whether to compare only."""
        parser.add_argument("name", nargs="?")
        parser.add_argument("--verify", action="store_true", help="compare with the live tables, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay one or all."""
        try:
            wanted = [projection(options["name"])] if options["name"] else [one for one in projections() if one.tables]
        except KeyError:
            names = ", ".join(one.name for one in projections())
            raise CommandError(f"no projection {options['name']}; there are {names}") from None
        if not wanted[0].tables:
            raise CommandError(f"{wanted[0].name} keeps no tables that a replay makes again")
        bad = []
        for one in wanted:
            done = rebuild(wiring.store(), one, swap=not options["verify"])
            state = f"DIFFERS in {', '.join(done.different)}" if done.different else "equal"
            self.stdout.write(f"{one.name}: {done.facts} facts, {sum(done.rows.values())} rows, {state}")
            bad += done.different
        if bad and options["verify"]:
            raise CommandError("rebuilt tables differ from the live ones")
