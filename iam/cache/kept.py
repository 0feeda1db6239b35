"""`kept(class, instance, question, ask)`: the answer under the epoch that this request has read, or asked and kept now."""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.conf import settings

from iam.cache import epochs
from iam.cache.stores import MemoryStore, RedisStore, Store, opened
from iam.observe import meter
from iam.settings.watching import CacheClassSection

A = TypeVar("A")
MEMBERSHIPS, ORGANIZATION, OIDC = "memberships", "organization", "oidc"
NOTHING = object()


def kept(name: str, instance: str, question: tuple[str, ...], ask: Callable[[], A], *, user: str = "") -> A:
    """An answer made of dicts, lists, texts, numbers and None. `question` names the asker and its arguments;
    `user` whom it is about, where it is about one."""
    store, epoch = _store_of(name), epochs.known(instance, name, user)
    if store is None or not epoch:
        return ask()
    key = _key(name, instance, epoch, question)
    found = _read(store.get(key))
    if found is not NOTHING:
        meter.add("gatehouse_cache_hits_total", cache=name)
        return found  # type: ignore[no-any-return]
    meter.add("gatehouse_cache_misses_total", cache=name)
    answer = ask()
    if answer is not None and epochs.known(instance, name):  # asking wrote nothing; who asks for nonsense fills nothing
        store.put(key, json.dumps(answer).encode(), _section(name).MaxAge.total_seconds())
    return answer


def is_on() -> bool:
    """Whether any class is kept anywhere."""
    return any(_section(name).Connector for name in (MEMBERSHIPS, ORGANIZATION, OIDC))


def _read(value: bytes | None) -> Any:
    if value is None:
        return NOTHING
    try:
        return json.loads(value)
    except ValueError:
        return NOTHING


def _key(name: str, instance: str, epoch: str, question: tuple[str, ...]) -> str:
    """The question is digested: it may hold what a client sent."""
    asked = hashlib.sha256(json.dumps(question).encode()).hexdigest()
    return f"gatehouse:1:{name}:{instance}:{epoch}:{asked}"


def _section(name: str) -> CacheClassSection:
    caches = settings.CONFIG.Caches
    return {MEMBERSHIPS: caches.Memberships, ORGANIZATION: caches.Organization, OIDC: caches.OIDC}[name]


def _store_of(name: str) -> Store | None:
    connector = _section(name).Connector
    return _store(connector) if connector else None


@cache
def _store(connector: str) -> Store:
    if connector == "memory":
        return MemoryStore()
    return opened(RedisStore(settings.CONFIG.Caches.Connectors.Redis, settings.SECRET_KEY.encode()))


def start_anew() -> None:
    """Forget the stores of this process (before web processes are made; tests)."""
    _store.cache_clear()
