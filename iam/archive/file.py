"""The file: a manifest in clear, its signature, then one sealed line per record. No container, so nothing to unpack (N02).

Line 1: the manifest as JSON. Line 2: HMAC-SHA256 of line 1 in hex. Then records, each AES-256-GCM with a random nonce,
base64, authenticated with the archive's id and the line's number: a line cannot be changed, moved, left out or taken
from another archive. Both keys are derived (HKDF, RFC 5869) from the archive key that the two operators share.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FORMAT = "gatehouse-archive/1"
LONGEST_LINE = 16 * 1024 * 1024
NONCE = 12


class BadArchive(ValueError):
    """A file that is refused; the message says why."""


@dataclass(frozen=True)
class Manifest:
    """What an archive holds. `scope` is instance or organization, `id` its id; `lines` the number of records."""

    id: str
    scope: str
    subject: str
    name: str
    instance: str
    created_at: str
    lines: int
    facts: int
    format: str = FORMAT


@dataclass(frozen=True)
class Keys:
    """What the archive key is split into."""

    sealing: bytes
    signing: bytes

    @classmethod
    def of(cls, archive_key: bytes) -> "Keys":
        """Derive both."""
        derived = HKDF(SHA256(), 64, salt=None, info=FORMAT.encode()).derive(archive_key)
        return cls(derived[:32], derived[32:])


def write(out: TextIO, manifest: Manifest, records: Iterable[dict[str, Any]], archive_key: bytes) -> None:
    """Write manifest, signature and records."""
    keys = Keys.of(archive_key)
    head = json.dumps(asdict(manifest), sort_keys=True, ensure_ascii=False)
    out.write(f"{head}\n{_signature(keys, head)}\n")
    for number, record in enumerate(records):
        nonce = os.urandom(NONCE)
        plain = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
        sealed = AESGCM(keys.sealing).encrypt(nonce, plain, _place(manifest.id, number))
        out.write(base64.b64encode(nonce + sealed).decode() + "\n")


def read(source: TextIO, archive_key: bytes) -> tuple[Manifest, Iterator[dict[str, Any]]]:
    """The manifest, and the records as they are read. Raises BadArchive for whatever was not written by `write`."""
    keys = Keys.of(archive_key)
    head, signature = _line(source), _line(source)
    if not hmac.compare_digest(_signature(keys, head), signature):
        raise BadArchive("the signature does not fit: another archive key, or the file was changed")
    content = json.loads(head)
    if content.get("format") != FORMAT:
        raise BadArchive(f"format {content.get('format')!r} is not known here; this program reads {FORMAT}")
    manifest = Manifest(**content)
    return manifest, _records(source, manifest, keys)


def _records(source: TextIO, manifest: Manifest, keys: Keys) -> Iterator[dict[str, Any]]:
    for number in range(manifest.lines):
        try:
            raw = base64.b64decode(_line(source), validate=True)
            plain = AESGCM(keys.sealing).decrypt(raw[:NONCE], raw[NONCE:], _place(manifest.id, number))
        except (InvalidTag, ValueError) as wrong:
            raise BadArchive(f"record {number + 1} of {manifest.lines} was changed, moved or cut off") from wrong
        yield json.loads(plain)
    if source.readline(2):
        raise BadArchive("there is something after the last record")


def _line(source: TextIO) -> str:
    line = source.readline(LONGEST_LINE + 1)
    if not line.endswith("\n"):
        raise BadArchive("the file ends early, or a line is too long")
    return line[:-1]


def _place(id: str, number: int) -> bytes:
    return f"{id}/{number}".encode()


def _signature(keys: Keys, head: str) -> str:
    return hmac.new(keys.signing, head.encode(), hashlib.sha256).hexdigest()
