"""Personal fields at rest: sealed under a key per person; destroying the key erases them (DESIGN §5).

AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D §8.2.2). The place of a value is authenticated with it,
so a sealed value cannot be moved to another fact or field.
"""

import base64
import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection

from eventstore.models import PersonKey

SEALED = "$sealed"
NONCE = 12
KEY = 32
KEPT_SECONDS = 60
KEPT_KEYS = 10_000


class KeyWrapper(Protocol):
    """Wraps the keys of persons under the data key of an instance."""

    def wrap(self, instance: str, plain: bytes) -> str:
        """A key as it may be stored."""
        ...

    def unwrap(self, instance: str, wrapped: str) -> bytes:
        """Undo `wrap`."""
        ...

    def forget(self) -> None:
        """Drop the data keys in memory: a transaction that may have made one was rolled back."""
        ...


def seal(key: bytes, value: Any, place: str) -> dict[str, str]:
    """A JSON value, sealed; without a key (the person was erased) nothing of it is kept."""
    if not key:
        return {SEALED: ""}
    nonce = os.urandom(NONCE)
    text = json.dumps(value, ensure_ascii=False).encode()
    return {SEALED: base64.b64encode(nonce + AESGCM(key).encrypt(nonce, text, place.encode())).decode()}


def unseal(key: bytes, sealed: Any, place: str) -> Any:
    """The value, or None when the key is gone or the value is not what was sealed here."""
    if not isinstance(sealed, dict) or SEALED not in sealed:
        return sealed
    raw = base64.b64decode(sealed[SEALED])
    if not key or not raw:
        return None
    try:
        return json.loads(AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], place.encode()))
    except InvalidTag:
        return None


def _time(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


class PersonKeys:
    """Keys of persons for writing, kept in memory for a minute. Reading joins the rows, so erasure counts at once."""

    def __init__(self, wrapper: KeyWrapper) -> None:
        self.wrapper = wrapper
        self._kept: OrderedDict[tuple[str, str], tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()
        self._tentative = threading.local()

    @contextmanager
    def tentative(self) -> Iterator[None]:
        """What this thread reads meanwhile stays out of memory: its transaction, keys included, may be rolled back."""
        before = getattr(self._tentative, "on", False)
        self._tentative.on = True
        try:
            yield
        finally:
            self._tentative.on = before

    def keys(self, instance: str, ids: Iterable[str], now: datetime, new: Iterable[str] = ()) -> dict[str, bytes]:
        """A key per person, made where there is none; empty for an erased person.

        `new` names persons who probably have none yet: theirs are made without looking first.
        """
        wanted = set(ids)
        found = self._remembered(instance, wanted)
        if missing := wanted - found.keys():
            loaded = self._make(instance, made, now) if (made := missing & set(new)) else {}
            loaded |= self._load(instance, missing - made) if missing - made else {}
            if unborn := missing - loaded.keys():
                loaded |= self._make(instance, unborn, now)
            if not getattr(self._tentative, "on", False):
                self._remember(instance, loaded)
            found |= loaded
        return found

    def _load(self, instance: str, ids: set[str]) -> dict[str, bytes]:
        rows = PersonKey.objects.filter(instance_id=instance, id__in=ids).values_list("id", "wrapped")
        return {id: self.open(instance, wrapped) for id, wrapped in rows}

    def _make(self, instance: str, ids: set[str], now: datetime) -> dict[str, bytes]:
        """Make keys in one statement; another process may have been first, then its key counts."""
        plain = {id: os.urandom(KEY) for id in sorted(ids)}
        values = [
            value for id, key in plain.items() for value in (instance, id, self.wrapper.wrap(instance, key), _time(now))
        ]
        sql = (
            "INSERT INTO eventstore_person_keys (instance_id, id, wrapped, created_at)"  # noqa: S608 - placeholders only
            f" VALUES {', '.join(['(%s, %s, %s, %s)'] * len(plain))} ON CONFLICT DO NOTHING RETURNING id"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            made = {id: plain[id] for (id,) in cursor.fetchall()}
        return made | (self._load(instance, late) if (late := ids - made.keys()) else {})

    def open(self, instance: str, wrapped: str) -> bytes:
        """A stored key; empty for an erased person."""
        return self.wrapper.unwrap(instance, wrapped) if wrapped else b""

    def _remembered(self, instance: str, ids: set[str]) -> dict[str, bytes]:
        youngest = time.monotonic() - KEPT_SECONDS
        with self._lock:
            kept = {id: self._kept.get((instance, id)) for id in ids}
        return {id: entry[1] for id, entry in kept.items() if entry and entry[0] > youngest}

    def _remember(self, instance: str, keys: dict[str, bytes]) -> None:
        with self._lock:
            for id, key in keys.items():
                self._kept[instance, id] = (time.monotonic(), key)
            while len(self._kept) > KEPT_KEYS:
                self._kept.popitem(last=False)

    def forget(self, instance: str, ids: Iterable[str]) -> None:
        """Drop keys from memory (a rolled-back push may have made them; an erasure destroyed them)."""
        with self._lock:
            for id in ids:
                self._kept.pop((instance, id), None)
