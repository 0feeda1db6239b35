"""Wrong passwords since the last right one, where a lockout policy counts them: rows, for a check is use and no fact.

What locks is decided here in single statements, so that guesses at the same time are all counted, and so that a right
password that comes after the last wrong one that is allowed opens nothing.
"""

from contextlib import suppress

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from iam.kernel.context import Context
from iam.kernel.errors import Contended
from users.domain.user import User
from users.models import FailedCheckRow

RACES = 20


def is_last(ctx: Context, user: User, most: int) -> bool:
    """Count a wrong password; whether it was the last that is allowed."""
    rows, of_now = _rows(ctx, user), Q(since__gte=user.fresh_starts)
    for _ in range(RACES):
        with transaction.atomic():
            locks = Case(When(failures__gte=most - 1, then=Value(True)), default=F("locks"))
            if rows.filter(of_now).update(failures=F("failures") + 1, locks=locks, changed_at=ctx.now()):
                return rows.values_list("locks", flat=True).get()
        _begin(ctx, user, user.failed_checks)
    raise Contended("change.contended")


def begin_anew(ctx: Context, user: User) -> bool:
    """Forget the wrong passwords after a right one; False when there were as many as lock."""
    rows = _rows(ctx, user)
    row = rows.first()
    if row is None or row.since < user.fresh_starts:
        if user.failed_checks:
            _begin(ctx, user, 0)
        return True
    return row.failures == 0 or bool(rows.filter(locks=False).update(failures=0, changed_at=ctx.now()))


def forget(ctx: Context, user: User) -> None:
    """Count from nothing, for who is not locked however many there were."""
    _rows(ctx, user).update(failures=0, locks=False, changed_at=ctx.now())


def _rows(ctx: Context, user: User) -> "QuerySet[FailedCheckRow]":
    return FailedCheckRow.objects.filter(instance_id=ctx.instance, user_id=user.id)


def _begin(ctx: Context, user: User, failures: int) -> None:
    """Count from a number on, unless somebody else has begun since the last fact that begins anew."""
    values = {"since": user.fresh_starts, "failures": failures, "locks": False, "changed_at": ctx.now()}
    if _rows(ctx, user).filter(since__lt=user.fresh_starts).update(**values):
        return
    with suppress(IntegrityError), transaction.atomic():
        FailedCheckRow.objects.create(instance_id=ctx.instance, user_id=user.id, **values)
