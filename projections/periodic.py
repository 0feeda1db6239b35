"""Work that comes back every hour: rooms declare it, the runner or Celery's beat does it."""

import logging
from collections.abc import Callable

Work = Callable[[], None]
EVERY_SECONDS = 3600.0
_declared: list[Work] = []
log = logging.getLogger(__name__)


def hourly(work: Work) -> Work:
    """Declare work that any process may do at any time, once too often as well."""
    _declared.append(work)
    return work


def do_hourly() -> None:
    """Do all of it; what fails is logged and comes back in an hour."""
    for work in _declared:
        try:
            work()
        except Exception:
            log.exception("%s failed", work.__module__)
