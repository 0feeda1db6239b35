"""How many letters with codes leave: to a person, to an address or number, to a range of numbers, by an instance (O04).

Each budget is one row with the time until which it is used up (GCRA): no letter is forgotten, no row is added per letter.
"""

import hashlib
from datetime import datetime, timedelta

from django.conf import settings

from iam.api import rates
from iam.kernel.context import Context
from iam.kernel.errors import ResourceExhausted
from iam.observe import meter
from iam.settings.tree import LettersSection, RateSection
from users import attempts
from users.models import AttemptRow

EVERYWHERE = "*"
RANGE_DIGITS = 4
SMS = "sms"


def count(ctx: Context, *, user_id: str, medium: str, to: str, device: str = "") -> None:
    """Count a letter on every budget it falls under; raises ResourceExhausted.

    `device`: the digest of a device that the person knows; it has a budget of its own, so that strangers who ask in the
    person's name do not use that up.
    """
    limits = settings.CONFIG.RateLimits
    if not limits.Enabled:
        return
    budgets = _budgets(limits.Letters, user_id, medium, to, device)
    try:
        rates.count_letter(ctx.instance)
        found = AttemptRow.objects.filter(instance_id=ctx.instance, subject__in=list(budgets), network=EVERYWHERE)
        rows = {row.subject: row for row in found}
        for subject, rate in budgets.items():
            _next(ctx, rate, rows.get(subject))
        for subject, rate in budgets.items():
            _spend(ctx, subject, rate, rows.get(subject))
    except ResourceExhausted:
        meter.add("gatehouse_letters_refused_total", medium=medium)
        raise


def _budgets(limits: LettersSection, user_id: str, medium: str, to: str, device: str) -> dict[str, RateSection]:
    budgets: dict[str, RateSection] = {
        _subject("person", user_id, device): limits.Person,
        _subject("recipient", to.casefold()): limits.Recipient,
    }
    if medium == SMS:
        budgets[_subject("range", to[:-RANGE_DIGITS])] = limits.NumberRange
    return budgets


def _subject(*parts: str) -> str:
    return hashlib.sha256("\n".join(("letters", *parts)).encode()).hexdigest()


def _next(ctx: Context, rate: RateSection, row: AttemptRow | None) -> datetime:
    """Until when a budget is used up after one letter more; raises ResourceExhausted when that is too much."""
    now, each = ctx.now(), timedelta(seconds=1 / rate.PerSecond)
    used_until = max(row.wait_until, now) if row else now
    if (wait := used_until - now - each * (rate.Burst - 1)) > timedelta(0):
        raise ResourceExhausted("letter.too_many", retry_after=wait)
    return used_until + each


def _spend(ctx: Context, subject: str, rate: RateSection, row: AttemptRow | None) -> None:
    """Count one; of many at once each is counted."""
    rows = AttemptRow.objects.filter(instance_id=ctx.instance, subject=subject, network=EVERYWHERE)
    for _ in range(attempts.RACES):
        values: dict[str, int | datetime] = {"wait_until": _next(ctx, rate, row), "changed_at": ctx.now()}
        if row is not None and rows.filter(wait_until=row.wait_until).update(**values):
            return
        if row is None and attempts.add(ctx, EVERYWHERE, subject, values):
            return
        row = rows.first()
    raise ResourceExhausted("letter.too_many", retry_after=timedelta(seconds=1))
