"""Take in what `export` wrote."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iam.archive.arriving import arrive
from iam.archive.file import BadArchive
from iam.management.management.archives import add_key_flags, archive_key
from iam.management.management.flags import add_flags


class Command(BaseCommand):
    """`manage.py import FILE --archiveKeyFile KEY [--instance ID]`."""

    help = "Take in an exported organization or instance, all or nothing, while serving."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """What, and where to."""
        add_flags(parser)
        add_key_flags(parser)
        parser.add_argument("file", help="the file")
        parser.add_argument("--instance", default="", help="the instance that takes an organization")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read."""
        key = archive_key(options)
        try:
            with Path(options["file"]).open(encoding="utf-8", newline="\n") as source:
                manifest = arrive(source, key, instance=options["instance"])
        except (BadArchive, OSError, UnicodeDecodeError) as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{manifest.scope} {manifest.subject} ({manifest.name}): {manifest.facts} facts taken in")
