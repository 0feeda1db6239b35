"""Sign-ins wait at the front door, where waiting costs no thread, and the surplus is refused there (DESIGN §9).

Whatever takes a password costs a hundred times what a token check does. So only as many of these requests are at work at
once as keep the processors busy; some more wait for their turn, and who would come after those is answered at once.
Everything else goes past them.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings

from iam import precedence
from iam.api.turns import SharedTurns
from iam.kernel.errors import ResourceExhausted
from iam.observe import meter
from iam.settings.hashing import PasswordHasherSection
from iam.settings.tree import Config

DOORS = re.compile(
    r"/v2(?:beta)?/sessions(?:/[^/]+)?"
    r"|/zitadel\.session\.v2(?:beta)?\.SessionService/(?:Create|Set)Session"
    r"|/ui/v2/login/password"
)
"""Where passwords are proved: the session's resource on every wire, and the login's page."""
FULL = "password.too_busy"
RETRY_AFTER = timedelta(seconds=2)
READING = ("GET", "HEAD", "OPTIONS", "DELETE")


LOOK_SECONDS = 0.005
"""How often it is tried to get a turn that another process has."""


class Room:
    """Of the sign-ins of one process `at_work` are answered at once and `waiting` wait. With turns that it shares with other
    processes, all of them together have no more at work than there are turns."""

    def __init__(self, at_work: int, waiting: int, shared: SharedTurns | None = None) -> None:
        self._turns = asyncio.Semaphore(at_work)
        self._free = waiting
        self._shared = shared

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn and hold it; raises ResourceExhausted at once when nobody may wait any more."""
        if self._turns.locked():
            if self._free <= 0:
                meter.add("gatehouse_hashing_refused_total")
                raise ResourceExhausted(FULL, retry_after=RETRY_AFTER)
            self._free -= 1
            try:
                await self._turns.acquire()
            finally:
                self._free += 1
        else:
            await self._turns.acquire()
        try:
            async with self._shared_turn():
                yield
        finally:
            self._turns.release()

    @asynccontextmanager
    async def _shared_turn(self) -> AsyncIterator[None]:
        if self._shared is None:
            yield
            return
        while (turn := self._shared.take()) is None:
            await asyncio.sleep(LOOK_SECONDS)
        try:
            yield
        finally:
            self._shared.give_back(turn)


class _Server:
    turns: SharedTurns | None = None


def share(config: Config) -> None:
    """Called before web processes are made: they are to have no more sign-ins at work than one of them would have."""
    if config.Workers > 1:
        _Server.turns = SharedTurns(_at_work(config.SystemDefaults.PasswordHasher))


@cache
def room() -> Room:
    """As configured: `PasswordHasher.Queue` wait in all processes together, or the last would wait for the turns of all."""
    config = settings.CONFIG
    hasher = config.SystemDefaults.PasswordHasher
    return Room(_at_work(hasher), max(1, hasher.Queue // config.Workers), _Server.turns)


def _at_work(hasher: PasswordHasherSection) -> int:
    """Half as many as may hash at once, so that the rest of the processors is left for everything else (measured: all of
    them took token checks six times as long)."""
    return max(1, (hasher.Workers or os.cpu_count() or 1) // 2)


@asynccontextmanager
async def turn(scope: dict[str, Any]) -> AsyncIterator[None]:
    """What stands around the answer to a request: a turn in the room of sign-ins, who give way to everything else."""
    if not _takes_password(scope):
        with precedence.going_first():
            yield
        return
    async with room().turn():
        with precedence.giving_way():
            yield


def _takes_password(scope: dict[str, Any]) -> bool:
    return scope["method"] not in READING and DOORS.fullmatch(scope["path"].rstrip("/")) is not None
