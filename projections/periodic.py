"""Work that comes back every hour: rooms declare it, the runner or Celery's beat does it."""

import logging
from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

Work = Callable[[], None]
EVERY_SECONDS = 3600.0
BATCH = 1000
_declared: list[Work] = []
log = logging.getLogger(__name__)


def hourly(work: Work) -> Work:
    """Declare work that any process may do at any time, once too often as well."""
    _declared.append(work)
    return work


def remove_batches(rows: "QuerySet[Any, Any]") -> None:
    """Remove rows, a batch at a time so that no lock is held for long."""
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()


def do_hourly() -> None:
    """Do all of it; what fails is logged and comes back in an hour."""
    for work in _declared:
        try:
            work()
        except Exception:
            log.exception("%s failed", work.__module__)
