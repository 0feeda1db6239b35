"""The archive key: shared by whoever exports and whoever imports; of the same form as a master key."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from iam.vault.masterkey import BadMasterKey, parse

VARIABLE = "GATEHOUSE_ARCHIVEKEY"


def add_key_flags(parser: ArgumentParser) -> None:
    """Declare where it comes from."""
    parser.add_argument("--archiveKey", metavar="KEY", help="32 characters or 64 hex digits: openssl rand -hex 16")
    parser.add_argument("--archiveKeyFile", metavar="FILE", help=f"file with the archive key; else {VARIABLE}")


def archive_key(options: dict[str, Any]) -> bytes:
    """The key's 32 bytes; raises CommandError."""
    file = options["archiveKeyFile"]
    try:
        text = options["archiveKey"] or (Path(file).read_text(encoding="utf-8").strip() if file else "")
        return parse(text or os.environ.get(VARIABLE, ""))
    except (BadMasterKey, OSError) as wrong:
        raise CommandError(f"archive key: {str(wrong).replace('master key', 'archive key')}") from wrong
