"""How often somebody may guess: per account and network, and per network over all accounts (checklist P03).

Counted per network, so that a stranger's guesses do not keep the owner out. An attempt is counted before the
password is looked at, so that guesses at the same time are counted too.
"""

import hashlib
import ipaddress
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from iam.kernel.context import Context
from iam.kernel.errors import ResourceExhausted
from users.models import AttemptRow

FREE = 5
"""Attempts on one account from one network before each next one waits, twice as long each time."""
FREE_OF_NETWORK = 100
LONGEST = timedelta(minutes=15)
FORGOTTEN = timedelta(hours=1)
EVERYBODY = "*"
PREFIXES = {4: 24, 6: 48}
RACES = 20


def begin(ctx: Context, account: str, *, free: int = FREE) -> int:
    """Count an attempt and answer the count; raises ResourceExhausted when it comes too early."""
    _must_not_wait(ctx, EVERYBODY)
    return _count(ctx, _subject(account), free)


def failed(ctx: Context) -> None:
    """It was wrong: the network has one guess less on any account."""
    _count(ctx, EVERYBODY, FREE_OF_NETWORK)


def take_back(ctx: Context, account: str) -> None:
    """It was right, which says nothing of the guesses before: only this one does not count."""
    _rows(ctx, _subject(account)).filter(failures__gt=0).update(failures=F("failures") - 1)


def succeeded(ctx: Context, account: str) -> None:
    """It was right: the account starts anew from this network."""
    _rows(ctx, _subject(account)).delete()


def network_of(ip: str) -> str:
    """The network of an address: /24 or /48; an address that is none stands for itself."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip[:64]
    return str(ipaddress.ip_network(f"{address}/{PREFIXES[address.version]}", strict=False))


def _subject(account: str) -> str:
    """Unknown names are counted like known ones; what was typed is not kept in clear."""
    return hashlib.sha256(account.casefold().encode()).hexdigest()


def _rows(ctx: Context, subject: str):  # type: ignore[no-untyped-def]
    network = network_of(ctx.origin.ip)
    return AttemptRow.objects.filter(instance_id=ctx.instance, subject=subject, network=network)


def _must_not_wait(ctx: Context, subject: str) -> AttemptRow | None:
    """What was counted so far; raises ResourceExhausted while the next attempt has to wait."""
    row: AttemptRow | None = _rows(ctx, subject).first()
    now = ctx.now()
    if row and now - row.changed_at < FORGOTTEN and row.wait_until > now:
        raise ResourceExhausted("password.too_many_attempts", retry_after=row.wait_until - now)
    return row


def _count(ctx: Context, subject: str, free: int) -> int:
    for _ in range(RACES):
        if count := _counted(ctx, subject, _must_not_wait(ctx, subject), free):
            return count
    raise ResourceExhausted("password.too_many_attempts", retry_after=timedelta(seconds=1))


def _counted(ctx: Context, subject: str, row: AttemptRow | None, free: int) -> int:
    """Count one more and answer the count; 0 when somebody else was faster."""
    now = ctx.now()
    old = row.failures if row and now - row.changed_at < FORGOTTEN else 0
    failures = old + 1
    pause = min(timedelta(seconds=2 ** min(failures - free, 20)), LONGEST) if failures >= free else timedelta(0)
    values = {"failures": failures, "wait_until": now + pause, "changed_at": now}
    if row is not None:
        same = _rows(ctx, subject).filter(failures=row.failures, changed_at=row.changed_at)
        return failures if same.update(**values) else 0
    try:
        with transaction.atomic():
            network = network_of(ctx.origin.ip)
            AttemptRow.objects.create(instance_id=ctx.instance, subject=subject, network=network, **values)
    except IntegrityError:
        return 0
    return failures
