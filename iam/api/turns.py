"""Turns that all web processes of a server share.

Each turn is a record lock on one byte of a file without a name, which the processes inherit: the system gives it back when
the process that holds it ends, however it ends. Taking one never waits.
"""

import fcntl
import tempfile


class SharedTurns:
    """So many turns of all processes that are forked after this was made; each may hold several."""

    def __init__(self, count: int) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self._count = count
        self._mine: set[int] = set()

    def take(self) -> int | None:
        """A turn that is free, or None."""
        for turn in range(self._count):
            if turn not in self._mine and self._lock(turn):
                self._mine.add(turn)
                return turn
        return None

    def give_back(self, turn: int) -> None:
        """Let another have it."""
        self._mine.remove(turn)
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, turn)

    def _lock(self, turn: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, turn)
        except (BlockingIOError, PermissionError):  # whichever the system says
            return False
        return True
