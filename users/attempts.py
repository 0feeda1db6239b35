"""How often somebody may guess: per account and network, and per network over all accounts (checklist P03).

Counted per network, so that a stranger's guesses do not keep the owner out. An attempt is counted before the
password is looked at, so that guesses at the same time are counted too. A device on which the person has signed in
before is counted for itself: what others of its network guess does not keep it out (checklist P05).
"""

import hashlib
import ipaddress
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from iam.kernel.context import Context
from iam.kernel.errors import ResourceExhausted
from iam.settings.tree import GuessesSection
from users.domain.profile import find_phone
from users.models import AttemptRow

FORGOTTEN = timedelta(hours=1)
EVERYBODY = "*"
PREFIXES = {4: 24, 6: 48}
RACES = 20
DEVICE = "device "


def limits() -> GuessesSection:
    """How many guesses are free, and how long the others wait."""
    found: GuessesSection = settings.CONFIG.RateLimits.Guesses
    return found


def begin(ctx: Context, *accounts: str, free: int = 0, device: str = "") -> int:
    """Count an attempt on each account and answer the highest count; raises ResourceExhausted when one comes too early.

    `free` attempts do not wait (0: as configured). `device`: the digest of a device that the account knows.
    """
    place = _place(ctx, device)
    subjects = dict.fromkeys(map(_subject, accounts))
    rows = {row.subject: row for row in _rows(ctx, place, [EVERYBODY, *subjects])}
    for row in rows.values():
        _must_not_wait(ctx, row)
    return max(_count(ctx, place, subject, free or limits().Tries, rows.get(subject)) for subject in subjects)


def must_not_wait(ctx: Context, *, device: str = "") -> None:
    """Refuse while the network has guessed too much for anybody; raises ResourceExhausted. Counts nothing."""
    for row in _rows(ctx, _place(ctx, device), [EVERYBODY]):
        _must_not_wait(ctx, row)


def failed(ctx: Context, *, device: str = "") -> None:
    """It was wrong: the network has one guess less on any account."""
    place = _place(ctx, device)
    _count(ctx, place, EVERYBODY, limits().NetworkTries, _rows(ctx, place, [EVERYBODY]).first())


def take_back(ctx: Context, account: str) -> None:
    """It was right, which says nothing of the guesses before: only this one does not count."""
    rows = _rows(ctx, _place(ctx, ""), [_subject(account)])
    rows.filter(failures__gt=0).update(failures=F("failures") - 1)


def succeeded(ctx: Context, *accounts: str, device: str = "") -> None:
    """It was right: the accounts start anew from this network, or on this device."""
    _rows(ctx, _place(ctx, device), map(_subject, accounts)).delete()


def network_of(ip: str) -> str:
    """The network of an address: /24 or /48; an address that is none stands for itself."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip[:64]
    address = getattr(address, "ipv4_mapped", None) or address
    return str(ipaddress.ip_network(f"{address}/{PREFIXES[address.version]}", strict=False))


def told_network(ip: str) -> str:
    """Where a person is whom a login of one's own signs in, as that says: all of its people come from one address, and who
    guesses there is not to keep out the others. Counted beside what comes from that network itself; empty for no address."""
    try:
        ipaddress.ip_address(ip)
    except ValueError:
        return ""
    return f"at {network_of(ip)}"


def bare(typed: str) -> str:
    """A login name in the form that all its spellings share: case, blanks, the domain, the way a number is written.

    Not which names one person has: that would tell who exists.
    """
    if number := find_phone(typed):
        return number
    local, _, _ = typed.rpartition("@")
    return "".join(unicodedata.normalize("NFKC", local or typed).casefold().split())


def _place(ctx: Context, device: str) -> str:
    return f"{DEVICE}{device[:50]}" if device else network_of(ctx.origin.ip)


def _subject(account: str) -> str:
    """Unknown names are counted like known ones; what was typed is not kept in clear."""
    return hashlib.sha256(account.casefold().encode()).hexdigest()


def _rows(ctx: Context, place: str, subjects: Iterable[str]) -> "QuerySet[AttemptRow]":
    return AttemptRow.objects.filter(instance_id=ctx.instance, subject__in=list(subjects), network=place)


def _must_not_wait(ctx: Context, row: AttemptRow) -> None:
    now = ctx.now()
    if now - row.changed_at < FORGOTTEN and row.wait_until > now:
        raise ResourceExhausted("password.too_many_attempts", retry_after=row.wait_until - now)


def _count(ctx: Context, place: str, subject: str, free: int, row: AttemptRow | None) -> int:
    """Count one more for a subject as it was read, or as it is by now; raises ResourceExhausted while it has to wait."""
    for _ in range(RACES):
        if row is not None:
            _must_not_wait(ctx, row)
        if count := _counted(ctx, place, subject, free, row):
            return count
        row = _rows(ctx, place, [subject]).first()
    raise ResourceExhausted("password.too_many_attempts", retry_after=timedelta(seconds=1))


def _counted(ctx: Context, place: str, subject: str, free: int, row: AttemptRow | None) -> int:
    """Count one more and answer the count; 0 when somebody else was faster."""
    now = ctx.now()
    old = row.failures if row and now - row.changed_at < FORGOTTEN else 0
    values = {"failures": old + 1, "wait_until": now + _pause(old + 1 - free), "changed_at": now}
    if row is not None:
        same = _rows(ctx, place, [subject]).filter(failures=row.failures, changed_at=row.changed_at)
        return old + 1 if same.update(**values) else 0
    return old + 1 if add(ctx, place, subject, values) else 0


def _pause(beyond: int) -> timedelta:
    """The wait after so many attempts beyond the free ones: twice as long each time."""
    return min(timedelta(seconds=2 ** min(beyond, 20)), limits().LongestWait) if beyond >= 0 else timedelta(0)


def add(ctx: Context, place: str, subject: str, values: dict[str, int | datetime]) -> bool:
    """The first row of a subject; False when somebody else was faster."""
    try:
        with transaction.atomic():
            AttemptRow.objects.create(instance_id=ctx.instance, subject=subject, network=place, **values)
    except IntegrityError:
        return False
    return True
