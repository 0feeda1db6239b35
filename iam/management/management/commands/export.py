"""Write one organization or instance to a file."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iam.archive.file import BadArchive
from iam.archive.leaving import export
from iam.management.management.archives import add_key_flags, archive_key
from iam.management.management.flags import add_flags


class Command(BaseCommand):
    """`manage.py export ID FILE --archiveKeyFile KEY`."""

    help = "Write one organization or instance to a sealed, signed file, with its ids."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        """What, and where to."""
        add_flags(parser)
        add_key_flags(parser)
        parser.add_argument("id", help="id of an organization or an instance")
        parser.add_argument("file", help="the file to write; it must not exist")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write. A file that could not be finished is removed."""
        key, path = archive_key(options), Path(options["file"])
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as wrong:
            raise CommandError(f"{path}: {wrong.strerror}") from wrong
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                manifest = export(options["id"], out, key)
        except BaseException as failure:
            path.unlink(missing_ok=True)
            if isinstance(failure, BadArchive):
                raise CommandError(str(failure)) from failure
            raise
        self.stdout.write(f"{manifest.scope} {manifest.subject} ({manifest.name}): {manifest.facts} facts in {path}")
