"""Sign-ins wait at the front door, where waiting costs no thread, and the surplus is refused there (DESIGN §9).

Whatever carries a password costs a hundred times what a token check does. So only as many of these requests are at work at
once as keep the processors busy; some more wait for their turn, first come first served, and who would come after those is
answered at once. Everything else goes past them, at the same doors, too.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings

from iam import precedence
from iam.access.caller import RequestMeta
from iam.api import doors
from iam.api.sent_passwords import may_carry_password
from iam.api.turns import FullError, SharedTurns
from iam.kernel.errors import ResourceExhausted
from iam.kernel.hosts import host_name
from iam.observe import meter
from iam.peers import FORWARDED, client_address
from iam.settings.hashing import PasswordHasherSection
from iam.settings.tree import Config

FULL = "password.too_busy"
RETRY_AFTER = timedelta(seconds=2)


class Room:
    """Of the requests with a password `at_work` are answered at once and `waiting` wait, in all processes that share turns."""

    def __init__(self, at_work: int, waiting: int, shared: SharedTurns | None = None) -> None:
        self._turns = shared or SharedTurns(at_work, waiting)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn and hold it; raises ResourceExhausted at once when nobody may wait any more."""
        try:
            seat = self._turns.enter()
        except FullError:
            meter.add("gatehouse_hashing_refused_total")
            raise ResourceExhausted(FULL, retry_after=RETRY_AFTER) from None
        try:
            await self._turns.served(seat)
            yield
        finally:
            self._turns.leave(seat)


class _Server:
    turns: SharedTurns | None = None


def share(config: Config) -> None:
    """Called before web processes are made: they are to have no more sign-ins at work than one of them would have."""
    if config.Workers > 1:
        hasher = config.SystemDefaults.PasswordHasher
        _Server.turns = SharedTurns(_at_work(hasher), hasher.Queue, config.Workers)


def process_ended(process: int) -> None:
    """Called by the process that made them, when a web process is gone: others have its turns."""
    if _Server.turns is not None:
        _Server.turns.process_ended(process)


@cache
def room() -> Room:
    """As configured."""
    hasher = settings.CONFIG.SystemDefaults.PasswordHasher
    return Room(_at_work(hasher), hasher.Queue, _Server.turns)


def _at_work(hasher: PasswordHasherSection) -> int:
    """Half as many as may hash at once, so that the rest of the processors is left for everything else (measured: all of
    them took token checks six times as long)."""
    return max(1, (hasher.Workers or os.cpu_count() or 1) // 2)


@asynccontextmanager
async def turn(scope: dict[str, Any], body: bytes) -> AsyncIterator[None]:
    """What stands around the answer to a request: a turn in the room of sign-ins, who give way to everything else."""
    if not may_carry_password(scope, body):
        with precedence.going_first():
            yield
        return
    doors.must_not_wait(scope["path"], _meta_of(scope))  # a place in the queue is worth more than an answer
    async with room().turn():
        with precedence.giving_way():
            yield


def _meta_of(scope: dict[str, Any]) -> RequestMeta:
    """What the limits of addresses look at, as the method of the API will see it."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    peer = (scope.get("client") or ("",))[0]
    host = headers.get("host", "")
    with suppress(ValueError):
        host = host_name(host)
    return RequestMeta(host=host, headers=headers, remote_addr=client_address(peer, headers.get(FORWARDED, "")))
