"""Sends the usage report once a day to the receivers that the operator names; nobody is named from the start."""

import json
import logging
import random
import secrets
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

from django.conf import settings

from iam.access.caller import system_context
from iam.kernel.change import change
from iam.usage.counts import report
from iam.usage.milestone import Milestones
from iam.usage.models import MilestoneRow, ReportState
from projections.periodic import hourly

VERSION = "0.1.0"
ONLY = 1
MOST_TRIES = 5
TIMEOUT_SECONDS = 10
LEASE = timedelta(minutes=10)
log = logging.getLogger(__name__)


@hourly
def report_when_due() -> None:
    """Send what is due. One process of all takes it; a receiver that is away is tried again every hour, five times."""
    telemetry = settings.CONFIG.Telemetry
    if not telemetry.Enabled or not telemetry.receivers:
        return
    state = _state()
    now = datetime.now(UTC)
    mine = ReportState.objects.filter(id=ONLY, due_at=state.due_at)
    if state.due_at > now or not mine.update(due_at=now + LEASE):
        return
    error = _send(json.dumps(report(state.installation, VERSION)).encode(), telemetry.receivers)
    given_up = bool(error) and state.tries + 1 >= MOST_TRIES
    done = given_up or not error
    ReportState.objects.filter(id=ONLY).update(
        due_at=now + (telemetry.Interval if done else timedelta(minutes=50)),
        sent_at=state.sent_at if error else now,
        tries=0 if done else state.tries + 1,
        error=error,
    )
    if not error:
        _note_milestones(now)


def _state() -> ReportState:
    """The row; the first report leaves at a time of its own, so that not everybody's arrive at midnight."""
    first = datetime.now(UTC) + timedelta(minutes=random.randint(30, 24 * 60))  # noqa: S311 - no secret
    defaults = {"installation": secrets.token_hex(16), "due_at": first}
    return ReportState.objects.get_or_create(id=ONLY, defaults=defaults)[0]


def _send(body: bytes, receivers: tuple[str, ...]) -> str:
    """POST to each; answers the first error."""
    errors = []
    for url in receivers:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - http(s) only, by the tree
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
                pass
        except (urllib.error.URLError, OSError) as failure:
            errors.append(f"{type(failure).__name__}: {failure}"[:300])
            log.warning("a usage report was not taken: %s", errors[-1])
    return errors[0] if errors else ""


def _note_milestones(now: datetime) -> None:
    """What the report told of is told."""
    waiting: dict[str, set[int]] = {}
    for instance, type in MilestoneRow.objects.filter(pushed_at=None).values_list("instance_id", "type"):
        waiting.setdefault(instance, set()).add(type)
    for instance, types in waiting.items():
        told = frozenset(types)
        change(
            system_context(instance),
            Milestones,
            instance,
            lambda all, told=told: all.push(told, now),  # type: ignore[misc]
            needs="iam.write",
            owner=instance,
        )
