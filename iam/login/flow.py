"""The login as a table: the order is the policy. A step does not know the next one."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Attempt:
    """What the server knows of a sign-in; never taken from the browser's word."""

    sessions: int = 0
    picks: bool = False
    login_name: str = ""
    password_ok: bool = False
    change_required: bool = False


@dataclass(frozen=True)
class Step:
    """One page, and when it is due."""

    page: str
    due: Callable[[Attempt], bool]


STEPS = (
    Step("accounts", lambda one: one.sessions > 0 and not one.picks and not one.login_name and not one.password_ok),
    Step("loginname", lambda one: not one.login_name and not one.password_ok),
    Step("password", lambda one: not one.password_ok),
    Step("password/change", lambda one: one.change_required),
)


def next_step(attempt: Attempt) -> Step | None:
    """The first step that is due; None means done: answer whoever started the login."""
    return next((step for step in STEPS if step.due(attempt)), None)
