"""Envelope encryption with AES-256-GCM. A sealed text names its data key: `v1.<key id>.<base64url>`."""

import base64
import os
import threading
import time
import uuid
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from iam.kernel.errors import Unavailable
from iam.vault.masterkey import check_value
from iam.vault.models import DataKey

KEY, NONCE = 32, 12
PERSONS = "persons"
KEPT_SECONDS = 60
"""How long a process goes on sealing under a data key that it knows, before it looks for a newer one."""


class WrongMasterKey(Exception):
    """No given master key opens the data keys of this database."""


class Envelope:
    """Seals and opens under data keys, which are kept unwrapped in memory."""

    def __init__(self, masters: Callable[[], list[bytes]]) -> None:
        self._masters = masters
        self._by_id: dict[tuple[str, str], bytes] = {}
        self._current: dict[tuple[str, str], tuple[str, float]] = {}
        self._lock = threading.Lock()

    def seal(self, instance: str, purpose: str, plain: bytes) -> str:
        """Encrypt under the current data key of a purpose."""
        id, key = self._key(instance, purpose)
        return f"v1.{id}.{_encrypt(key, plain, f'{instance}/{purpose}')}"

    def open(self, instance: str, purpose: str, sealed: str) -> bytes:
        """Undo `seal`; raises Unavailable when the key is gone or the text was not sealed for this purpose."""
        _, id, text = sealed.split(".", 2)
        key = self._by_id.get((instance, id)) or self._load(instance, id)
        try:
            return _decrypt(key, text, f"{instance}/{purpose}")
        except InvalidTag:
            raise Unavailable("vault.key_missing") from None

    def wrap(self, instance: str, plain: bytes) -> str:
        """A person's key as it may be stored."""
        return self.seal(instance, PERSONS, plain)

    def unwrap(self, instance: str, wrapped: str) -> bytes:
        """Undo `wrap`."""
        return self.open(instance, PERSONS, wrapped)

    def current(self, instance: str, purpose: str) -> str:
        """The id of the data key that seals now."""
        return self._key(instance, purpose)[0]

    def renew(self, instance: str, purpose: str) -> str:
        """Make a new data key the current one; answers its id. What the others sealed still opens."""
        row = self._create(instance, purpose)
        self._unwrapped(row)
        with self._lock:
            self._current[instance, purpose] = (row.id, time.monotonic())
        return row.id

    def _key(self, instance: str, purpose: str) -> tuple[str, bytes]:
        with self._lock:
            id, since = self._current.get((instance, purpose), ("", 0.0))
            if id and time.monotonic() - since < KEPT_SECONDS:
                return id, self._by_id[instance, id]
        row = DataKey.objects.filter(instance_id=instance, purpose=purpose).order_by("-created_at", "id").first()
        row = row or self._create(instance, purpose)
        key = self._by_id.get((instance, row.id)) or self._unwrapped(row)
        with self._lock:
            self._by_id[instance, row.id] = key  # together: another thread may have forgotten all in between
            self._current[instance, purpose] = (row.id, time.monotonic())
        return row.id, key

    def _create(self, instance: str, purpose: str) -> DataKey:
        master = self._masters()[0]
        id = f"{purpose}-{uuid.uuid4().hex[:12]}"
        wrapped = _encrypt(master, os.urandom(KEY), f"{instance}/{id}")
        return DataKey.objects.create(
            instance_id=instance, id=id, purpose=purpose, wrapped=wrapped, check_value=check_value(master)
        )

    def _load(self, instance: str, id: str) -> bytes:
        row = DataKey.objects.filter(instance_id=instance, id=id).first()
        if row is None:
            raise Unavailable("vault.key_missing")
        return self._unwrapped(row)

    def _unwrapped(self, row: DataKey) -> bytes:
        key = unwrap_data_key(row, self._masters())
        with self._lock:
            self._by_id[row.instance_id, row.id] = key
        return key

    def forget(self) -> None:
        """Drop what is in memory (tests, or a database that was replaced)."""
        with self._lock:
            self._by_id.clear()
            self._current.clear()


def key_id(sealed: str) -> str:
    """The data key that a sealed text names."""
    return sealed.split(".", 2)[1]


def unwrap_data_key(row: DataKey, masters: list[bytes]) -> bytes:
    """A data key, opened by whichever master key fits its check value; raises WrongMasterKey."""
    for master in masters:
        if row.check_value == check_value(master):
            return _decrypt(master, row.wrapped, f"{row.instance_id}/{row.id}")
    raise WrongMasterKey(f"no given master key fits data key {row.id}; it was wrapped under another one")


def rewrap_all(new: bytes, old: list[bytes]) -> tuple[int, int]:
    """Wrap every data key under the new master key; answers (changed, already done). Row by row, so it resumes."""
    changed = 0
    for row in DataKey.objects.exclude(check_value=check_value(new)).order_by("instance_id", "id"):
        plain = unwrap_data_key(row, old)
        wrapped = _encrypt(new, plain, f"{row.instance_id}/{row.id}")
        with transaction.atomic():
            changed += DataKey.objects.filter(
                instance_id=row.instance_id, id=row.id, check_value=row.check_value
            ).update(wrapped=wrapped, check_value=check_value(new))

    return changed, DataKey.objects.count() - changed


def _encrypt(key: bytes, plain: bytes, place: str) -> str:
    nonce = os.urandom(NONCE)
    return base64.urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, plain, place.encode())).decode()


def _decrypt(key: bytes, text: str, place: str) -> bytes:
    raw = base64.urlsafe_b64decode(text)
    return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], place.encode())
