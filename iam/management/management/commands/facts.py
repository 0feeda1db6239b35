"""The facts of one thing, as the log holds them."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from eventstore.events import payload_fields, to_payload
from eventstore.reading import facts_of
from eventstore.store import Recorded
from iam.vault import wiring

SEALED = "(personal)"


class Command(BaseCommand):
    """`manage.py facts <id>`: one line per fact, oldest first; personal fields only with `--personal`."""

    help = "Print the facts of an organization, user, project … by its id."

    def add_arguments(self, parser: Any) -> None:
        """Whose."""
        parser.add_argument("id")
        parser.add_argument("--personal", action="store_true", help="open personal fields too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print."""
        found = facts_of(wiring.store(), options["id"])
        if not found:
            raise CommandError(f"no facts about {options['id']}")
        for recorded in found:
            self.stdout.write(_line(recorded, personal=options["personal"]))


def _line(recorded: Recorded, *, personal: bool) -> str:
    payload, _ = to_payload(recorded.fact)
    if not personal:
        for part in payload_fields(type(recorded.fact)):
            if part.personal:
                _hide(payload, part.path)
    at = recorded.at.isoformat(timespec="milliseconds")
    told = json.dumps(payload, ensure_ascii=False, default=str)
    name = f"{recorded.stream.kind}/{recorded.stream.id}#{recorded.version}"
    return f"{recorded.position} {at} {name} {recorded.fact.stored_name} by {recorded.actor or '-'} {told}"


def _hide(payload: dict[str, Any], path: tuple[str, ...]) -> None:
    for step in path[:-1]:
        payload = payload.get(step) or {}
    if path[-1] in payload:
        payload[path[-1]] = SEALED
