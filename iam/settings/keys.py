"""Where the master key comes from: exactly one of three flags, or the file of the embedded mode."""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from iam.settings.sources import arguments
from iam.vault.masterkey import BadMasterKey, parse

VARIABLE, PREVIOUS = "ZITADEL_MASTERKEY", "ZITADEL_MASTERKEY_PREVIOUS"


def master_keys(argv: Sequence[str], environ: Mapping[str, str], var: Path, *, embedded: bool) -> list[bytes]:
    """The key in use, then the one before it; empty when none was given. Raises BadMasterKey."""
    given = [text for text in (_value(argv, environ), _file(argv), _variable(argv, environ)) if text is not None]
    if len(given) > 1:
        raise BadMasterKey("give the master key once: --masterkey, --masterkeyFile or --masterkeyFromEnv")
    if not given and VARIABLE in environ:
        given = [environ[VARIABLE]]
    if not given and embedded:
        given = [_embedded(var)]
    return [parse(text) for text in [*given, *([environ[PREVIOUS]] if PREVIOUS in environ else [])]]


def _value(argv: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """The flag. Empty while the variable is set: the shell knew no `${ZITADEL_MASTERKEY}`, the container does (§8 row 4)."""
    value = _flag(argv, "--masterkey")
    return None if value == "" and environ.get(VARIABLE) else value


def _file(argv: Sequence[str]) -> str | None:
    file = _flag(argv, "--masterkeyFile") or _flag(argv, "-m")
    return Path(file).read_text(encoding="utf-8") if file else None


def _variable(argv: Sequence[str], environ: Mapping[str, str]) -> str | None:
    if "--masterkeyFromEnv" not in argv:
        return None
    if VARIABLE not in environ:
        raise BadMasterKey(f"--masterkeyFromEnv: {VARIABLE} is not set")
    return environ[VARIABLE]


def _flag(argv: Sequence[str], flag: str) -> str | None:
    for at, word in enumerate(argv):
        if word.startswith(flag + "="):
            return word.split("=", 1)[1]
        if word == flag and at + 1 < len(argv):
            return argv[at + 1]
    return None


def _embedded(var: Path) -> str:
    """The key in `var/masterkey`, made at the first start, readable by its owner only."""
    file = var / "masterkey"
    var.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text(encoding="utf-8")
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(secrets.token_hex(16))
    return file.read_text(encoding="utf-8")


def load(var: Path, *, embedded: bool) -> list[bytes]:
    """The master keys of this process; ends it with code 1 when one is wrong."""
    try:
        return master_keys(arguments(), os.environ, var, embedded=embedded)
    except (BadMasterKey, OSError) as wrong:
        sys.stderr.write(f"master key: {wrong}\n")
        raise SystemExit(1) from wrong
