"""Tells followers that there are new facts: an event inside this process, a Celery task beyond it."""

import threading

_bell = threading.Event()


def wake() -> None:
    """Ring. Called after commit; losing a ring only costs the backstop's delay."""
    _bell.set()


def wait(seconds: float | None) -> bool:
    """Wait for a ring or until the time is over (never, without one); answers whether it rang."""
    rang = _bell.wait(seconds)
    _bell.clear()
    return rang
