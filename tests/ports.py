"""Ports for the servers that tests start: not of those that the kernel lends to outgoing connections, which come and go between
the choice and the start; each process of a run draws from a share of its own."""

import os
import random
import socket

FIRST, LAST = 10_000, 32_000
SHARES = 16
"""By process, as pytest-xdist numbers them; without it there is one."""

_drawn: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on, never the same twice."""
    share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % SHARES
    while True:
        port = random.randrange(FIRST + share, LAST, SHARES)
        if port not in _drawn and _is_free(port):
            _drawn.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("", port))  # on every address
        except OSError:
            return False
        return True
