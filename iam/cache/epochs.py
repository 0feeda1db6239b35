"""The epochs that a request has read. Kept answers are found under them, and under no others.

They come with the statement that finds the instance, the first one of every request (`iam.instance.queries`), so knowing
them costs no statement. A request that writes forgets them: what it reads afterwards comes from the database.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.functions import Concat

from iam.cache.models import EpochRow
from iam.cache.triggers import NAMES

BETWEEN = " "
UNCHANGED = "0"


@dataclass
class Noted:
    """By instance, then by class or user id; `wrote` once this request has changed something."""

    epochs: dict[str, dict[str, str]] = field(default_factory=dict)
    wrote: bool = False


_noted: ContextVar[Noted | None] = ContextVar("gatehouse_epochs", default=None)


@contextmanager
def noted() -> Iterator[None]:
    """Around a request. Outside of one nothing is kept and nothing is read from a cache."""
    token = _noted.set(Noted())
    try:
        yield
    finally:
        _noted.reset(token)


def of_outer_instance() -> Subquery:
    """Expression: the epochs of the instance that the outer row names, as one text."""
    row = EpochRow.objects.filter(scope=OuterRef("instance_id"))
    parts = [part for name in NAMES for part in (name, Value(BETWEEN))][:-1]
    return Subquery(row.annotate(all=Concat(*parts, output_field=CharField())).values("all"))


def of_outer_user() -> Subquery:
    """Expression: the epoch of the roles of the user that the outer row names; NULL where they never changed."""
    row = EpochRow.objects.filter(scope=Concat(OuterRef("instance_id"), Value("/"), OuterRef("user_id")))
    return Subquery(row.values("memberships"))


def note_user(instance: str, user: str, epoch: str | None) -> None:
    """Remember what that expression answered."""
    here = _noted.get()
    if here is not None and not here.wrote and instance in here.epochs:
        here.epochs[instance][user] = epoch or UNCHANGED


def note(instance: str, text: str | None) -> None:
    """Remember what that expression answered."""
    here = _noted.get()
    if here is not None and not here.wrote and text:
        here.epochs[instance] = dict(zip(NAMES, text.split(BETWEEN), strict=True))


def known(instance: str, name: str, user: str = "") -> str:
    """The epoch of a class of answers, with the user's own where they are about one; empty where a cache must not be asked."""
    here = _noted.get()
    read = here.epochs.get(instance, {}) if here is not None and not here.wrote else {}
    if not user:
        return read.get(name, "")
    return f"{read[name]}.{read[user]}" if name in read and user in read else ""


def forget() -> None:
    """This request has changed something."""
    if here := _noted.get():
        here.wrote = True


def renew_all() -> None:
    """New words everywhere, so that nothing kept before is found: for a database whose past came back, with words used before."""
    for scope in EpochRow.objects.values_list("scope", flat=True):
        EpochRow.objects.filter(scope=scope).update(**{name: uuid.uuid4().hex for name in NAMES}, renewed_by="")
