"""The Celery application: `manage.py worker` runs it, web processes send to it (DESIGN §4, §10)."""

import os
from collections.abc import Callable
from typing import Any

import django
from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iam.settings.prod")
django.setup()

from django.conf import settings  # noqa: E402 - the apps must be ready first

from iam import followers  # noqa: E402
from iam.observe import spans  # noqa: E402
from iam.observe import start as observe  # noqa: E402
from projections import periodic  # noqa: E402

EVERY_SECONDS = 5.0
FOLLOW = "gatehouse.follow"
CLEAN = "gatehouse.clean"

app = Celery("gatehouse", broker=settings.CONFIG.Caches.Connectors.Redis.broker)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 5},
    beat_schedule={
        "follow": {"task": FOLLOW, "schedule": EVERY_SECONDS, "options": {"expires": EVERY_SECONDS}},
        "clean": {"task": CLEAN, "schedule": periodic.EVERY_SECONDS, "options": {"expires": periodic.EVERY_SECONDS}},
    },
)


def _task(name: str, run: Callable[[], None]) -> Any:
    def traced() -> None:
        with spans.span(name):
            run()

    return app.task(name=name)(traced)


@worker_process_init.connect  # type: ignore[misc] - Celery has no types
def _begin(**_: object) -> None:
    """In each process that does the work: threads of the exporters do not survive a fork."""
    observe.push()


@worker_process_shutdown.connect  # type: ignore[misc] - Celery has no types
def _end(**_: object) -> None:
    """Send what is left."""
    observe.end()


follow = _task(FOLLOW, followers.follow_now)
clean = _task(CLEAN, periodic.do_hourly)


def send_follow() -> None:
    """Ask the workers to follow. A message that waits longer than the next beat is worth nothing."""
    follow.apply_async(expires=EVERY_SECONDS, retry=False, ignore_result=True)
