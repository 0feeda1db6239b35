"""Sign-ins wait at the front door, where waiting costs no thread, and the surplus is refused there (DESIGN §9).

Whatever takes a password costs a hundred times what a token check does. So only as many of these requests are at work at
once as keep the processors busy; some more wait for their turn, and who would come after those is answered at once.
Everything else goes past them.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings

from iam.kernel.errors import ResourceExhausted
from iam.observe import meter

DOORS = re.compile(
    r"/v2(?:beta)?/sessions(?:/[^/]+)?"
    r"|/zitadel\.session\.v2(?:beta)?\.SessionService/(?:Create|Set)Session"
    r"|/ui/v2/login/password"
)
"""Where passwords are proved: the session's resource on every wire, and the login's page."""
FULL = "password.too_busy"
RETRY_AFTER = timedelta(seconds=2)
READING = ("GET", "HEAD", "OPTIONS", "DELETE")


class Room:
    """Of the sign-ins of one process `at_work` are answered at once and `waiting` wait."""

    def __init__(self, at_work: int, waiting: int) -> None:
        self._turns = asyncio.Semaphore(at_work)
        self._free = waiting

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
            yield
        finally:
            self._turns.release()


@cache
def room() -> Room:
    """As configured: half as many at work as may hash at once, so that the rest of the processors is left for everything
    else (measured: all of them took token checks six times as long), and `PasswordHasher.Queue` who wait."""
    hasher = settings.CONFIG.SystemDefaults.PasswordHasher
    return Room(max(1, (hasher.Workers or os.cpu_count() or 1) // 2), hasher.Queue)


def turn(scope: dict[str, Any]) -> AbstractAsyncContextManager[None]:
    """What stands around the answer to a request: a turn in the room of sign-ins, or nothing."""
    return room().turn() if _takes_password(scope) else nullcontext()


def _takes_password(scope: dict[str, Any]) -> bool:
    return scope["method"] not in READING and DOORS.fullmatch(scope["path"].rstrip("/")) is not None
