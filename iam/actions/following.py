"""Notes, for every fact, whom it is to be told: once for each target, in the transaction that moves the follower on."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db.models import Min, Q

from eventstore.events import Activity
from eventstore.store import Recorded
from iam.actions.domain.execution import conditions_met
from iam.actions.models import Delivery, RouteRow
from projections.projection import CELERY, Projection


class Webhooks(Projection):
    """No tables that a replay makes again: what was sent must not be sent once more.

    A call makes no fact, so that even who is told of everything is told a finite story.
    """

    name = "webhooks"
    tables = ()
    mode = CELERY

    def begins_after(self, instance: str, head: int) -> int:
        """The fact that set the first execution; what was before it is told to nobody."""
        first = RouteRow.objects.filter(instance_id=instance).aggregate(first=Min("since"))["first"]
        return head if first is None else min(first, head)

    def apply(self, recorded: Recorded) -> None:
        """Note who is told of one fact."""
        self.apply_all([recorded])

    def apply_all(self, facts: Sequence[Recorded]) -> None:
        """Note who is told of some facts of one instance: two statements, and none where there is no execution."""
        noted = [_delivery(fact, target) for fact, targets in _told(facts) for target in sorted(targets)]
        Delivery.objects.bulk_create(noted, ignore_conflicts=True)


def _told(facts: Sequence[Recorded]) -> list[tuple[Recorded, set[str]]]:
    """Each fact with the targets that it led to when it happened. What came out of an archive was told where it happened;
    records of use, of which old logs hold some, are told to nobody."""
    instance, first, last = facts[0].stream.instance, facts[0].position, facts[-1].position
    goes_on = Q(until=None) | Q(until__gt=first)
    routes = list(RouteRow.objects.filter(goes_on, instance_id=instance, since__lt=last))
    return [(one, _led_to(one, routes)) for one in facts if routes and _is_told(one)]


def _is_told(recorded: Recorded) -> bool:
    return not recorded.origin.is_imported and not isinstance(recorded.fact, Activity)


def _led_to(fact: Recorded, routes: Sequence[RouteRow]) -> set[str]:
    met = set(conditions_met(fact.fact.stored_name))
    return {one.target_id for one in routes if one.execution_id in met and _reaches(one, fact.position)}


def _reaches(route: RouteRow, position: int) -> bool:
    return route.since < position and (route.until is None or position < route.until)


def _delivery(fact: Recorded, target: str) -> Delivery:
    now = datetime.now(UTC)
    return Delivery(
        instance_id=fact.stream.instance,
        target_id=target,
        position=fact.position,
        id=uuid.uuid4().hex,
        try_at=now,
        noted_at=now,
    )
