"""`make bench-lists`: every filter and sorting column of the three long lists, on a private PostgreSQL. No test.

USERS, ORGS and AUTHORIZATIONS in the environment say how many rows are loaded (1,000,000, 10,000 and 1,000,000), ROUNDS
how often each request is sent (5). PostgreSQL has 2 GB of shared buffers, the quarter of 8 GB that its documentation
advises (SHARED_BUFFERS says otherwise). A request goes over one kept HTTP/1.1 connection to a real server process; what
stands there is the median in milliseconds, of the first page and of page 1,000; a bare request, before and after them,
tells how fast the machine is meanwhile. With QUIET naming a file, the measuring
holds it locked, so that whoever else measures on the machine waits.
"""

import fcntl
import http.client
import itertools
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FIRST, DEEP = 100.0, 300.0
"""Milliseconds that the first page and page 1,000 may take."""
LIMIT, PAGE = 100, 999
AT_ONCE = 150.0
"""Seconds of measuring after which others get their turn."""


def main() -> None:
    """Prepare, load, measure, print."""
    from tests import engine

    engine.restart_with(shared_buffers=os.environ.get("SHARED_BUFFERS", "2GB"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "iam.settings.prod"
    os.environ["GATEHOUSE_VAR"] = tempfile.mkdtemp(prefix="gatehouse-bench-")
    import django

    django.setup()
    try:
        serve()
    finally:
        from django.db import connection

        connection.close_pool()
        engine.pytest_unconfigure(None)
        shutil.rmtree(os.environ["GATEHOUSE_VAR"], ignore_errors=True)


def serve() -> None:
    """A server, full tables, the figures."""
    from tests import crowded, list_requests
    from tests.servers import new_server

    server = new_server(Path(os.environ["GATEHOUSE_VAR"]))
    server.environment |= {
        "ZITADEL_DATABASE_POSTGRES_DSN": os.environ["ZITADEL_DATABASE_POSTGRES_DSN"],
        "ZITADEL_MASTERKEY": os.environ["ZITADEL_MASTERKEY"],
        "ZITADEL_FIRSTINSTANCE_ORG_MACHINE_MACHINE_USERNAME": "admin-api",
        "ZITADEL_FIRSTINSTANCE_PATPATH": str(server.var / "admin.pat"),
        "ZITADEL_RATELIMITS_ENABLED": "false",
    }
    server.start()
    try:
        sizes = crowded.Sizes.of_environment()
        writes = Wire(server.port, server.pat)
        empty = writes.create_users()
        begun = time.perf_counter()
        crowded.load(sizes)
        say(
            f"{sizes} loaded in {time.perf_counter() - begun:.0f} s; indexes of users: {crowded.index_bytes() >> 20} MiB"
        )
        wire = Wire(server.port, server.pat)
        say(f"a bare request takes {wire.bare():.2f} ms")
        Figures(wire, int(os.environ.get("ROUNDS", "5"))).all(list_requests.requests(sizes))
        say(f"a bare request takes {wire.bare():.2f} ms")
        with quiet():
            full = Wire(server.port, server.pat).create_users()
        say(f"CreateUser: {empty:.1f} ms with empty tables, {full:.1f} ms with full ones")
    finally:
        server.kill()


@contextmanager
def quiet() -> Iterator[None]:
    """Hold the file that QUIET names."""
    if not (name := os.environ.get("QUIET")):
        yield
        return
    with open(name, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Wire:
    """One connection."""

    def __init__(self, port: int, pat: str) -> None:
        self.connection = http.client.HTTPConnection("localhost", port, timeout=120)
        self.headers = {"Authorization": f"Bearer {pat}", "Content-Type": "application/json"}

    def call(self, path: str, body: object) -> dict[str, Any]:
        """JSON in and out; anything but 200 or 201 ends the run."""
        self.connection.request("POST", path, json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 201):
            raise SystemExit(f"{path} {body} answered {answer.status}: {content[:300]!r}")
        return json.loads(content)  # type: ignore[no-any-return]

    def bare(self, rounds: int = 300) -> float:
        """The median of a request that asks nothing, in milliseconds: what to compare with."""
        times = []
        for _ in range(rounds):
            begun = time.perf_counter()
            self.connection.request("GET", "/debug/healthz")
            self.connection.getresponse().read()
            times.append((time.perf_counter() - begun) * 1000)
        return statistics.median(times)

    def create_users(self, rounds: int = 200) -> float:
        """The median of creating a person, in milliseconds."""
        mark, times = time.time_ns(), []
        for number in range(rounds):
            name = f"created-{mark}-{number}"
            human = {
                "username": name,
                "profile": {"givenName": "Ada", "familyName": f"Writer{number}"},
                "email": {"email": f"{name}@example.com", "isVerified": True},
            }
            begun = time.perf_counter()
            self.call("/v2/users/human", human)
            times.append((time.perf_counter() - begun) * 1000)
        return statistics.median(times)


class Figures:
    """Measures requests and remembers what took too long."""

    def __init__(self, wire: Wire, rounds: int) -> None:
        self.wire, self.rounds = wire, rounds
        self.slow: list[str] = []

    def all(self, requests: Iterator[tuple[str, str, dict[str, Any]]]) -> None:
        """Each request: first page and page 1,000; in turns with whoever else measures."""
        waiting = iter(requests)
        done = 0
        while batch := list(itertools.islice(waiting, 40)):
            with quiet():
                for name, path, body in batch:
                    self._both(name, path, body)
            done += len(batch)
        say(f"\n{done} requests, {len(self.slow)} figures over {FIRST:.0f} ms or {DEEP:.0f} ms")
        for line in self.slow:
            say(line)

    def _both(self, name: str, path: str, body: dict[str, Any]) -> None:
        key = "pagination" if "pagination" in body else "query"
        first, total = self._median(path, body)
        deep, _ = self._median(path, {**body, key: {**body[key], "offset": PAGE * LIMIT}})
        line = f"{name}: {first:.1f} ms, page 1,000 {deep:.1f} ms, of {total}"
        say(line)
        if first > FIRST or deep > DEEP:
            self.slow.append(line)

    def _median(self, path: str, body: dict[str, Any]) -> tuple[float, int]:
        times, answer = [], {}
        for _ in range(self.rounds + 1):  # the first one fills caches
            begun = time.perf_counter()
            answer = self.wire.call(path, body)
            times.append((time.perf_counter() - begun) * 1000)
        details = answer.get("details") or answer.get("pagination") or {}
        return statistics.median(times[1:]), int(details.get("totalResult", 0))


def say(line: str) -> None:
    """Print."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
