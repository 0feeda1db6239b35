"""Memory after many requests is what it was after few.

The suite sends a few thousand; `REQUESTS=100000 python -m pytest tests/clients/test_memory.py -s` sends as many as that and prints
what was measured.
"""

import http.client
import json
import os
import sys
import threading
from pathlib import Path

import pytest

from tests.clients.test_wires import GET, SERVICE, framed
from tests.servers import new_server

pytestmark = pytest.mark.alone  # pages that others share count in part, until the others end
REQUESTS = int(os.environ.get("REQUESTS", "3000"))
WARM_UP = 2000
WORKERS = 4
FREE_BYTES = 12 * 1024 * 1024
"""What allocators and caches of a bounded size may still take."""
BYTES_PER_REQUEST = 150
"""A leak of one small object a request would be more."""


@pytest.fixture
def server(tmp_path):
    made = new_server(tmp_path)
    made.environment["ZITADEL_RATELIMITS_ENABLED"] = "false"
    made.start()
    yield made
    made.kill()


def resident(server):
    """Bytes of the whole process tree that no other process shares, from the kernel."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            group = int(status.read_text().rpartition(")")[2].split()[2])
            if group != server.process.pid:
                continue
            lines = (status.parent / "smaps_rollup").read_text().splitlines()
        except (OSError, ValueError):
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def calls(server):
    """One of each kind: good, refused, malformed, large, over every wire that keeps a connection."""
    from iam.api.gen import user_v2

    token = {"Authorization": f"Bearer {server.pat}"}
    text = {**token, "Content-Type": "application/json"}
    question = framed(user_v2.GetUserByIDRequest(user_id="1"))
    return [
        lambda n: ("GET", "/debug/healthz", None, {}),
        lambda n: ("GET", f"/v2/users/{n}", None, token),
        lambda n: ("GET", f"/v2/users/{n}", None, {"Authorization": f"Bearer wrong-{n}"}),
        lambda n: ("POST", "/v2/users", json.dumps({"query": {"limit": 5, "offset": n % 7}}), text),
        lambda n: ("POST", SERVICE + "ListUsers", "{}", text),
        lambda n: ("POST", GET, question, {**token, "Content-Type": "application/grpc-web+proto"}),
        lambda n: ("POST", "/v2/users/new", f'{{"a{n}": ' * 70, text),
        lambda n: ("POST", "/oauth/v2/introspect", f"client_id=c{n}&client_secret=x&token=y", FORM),
        lambda n: ("GET", f"/nothing/{n}", None, {}),
        lambda n: ("GET", f"/ui/login/login?authRequest={n}", None, {}),
        lambda n: ("POST", "/v2/users", "x" * 5000, {**text, "X-Strange": f"{n}"}),
    ]


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def send_many(server, count, first):
    """Send `count` requests over a few kept connections; answers how many had each status class."""
    seen, asks = [], calls(server)

    def work(part):
        wire = http.client.HTTPConnection("localhost", server.port, timeout=60)
        for number in range(first + part, first + count, WORKERS):
            verb, path, body, headers = asks[number % len(asks)](number)
            wire.request(verb, path, body, headers)
            answer = wire.getresponse()
            answer.read()
            seen.append(answer.status // 100)
        wire.close()

    threads = [threading.Thread(target=work, args=(part,)) for part in range(WORKERS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return seen


def test_memory_is_stable_over_many_requests(server):
    send_many(server, WARM_UP, 0)
    before = resident(server)
    seen = send_many(server, REQUESTS, WARM_UP)
    after = resident(server)
    grown = after - before
    measured = f"{len(seen)} requests: {before / 2**20:.1f} MiB before, {after / 2**20:.1f} after, {grown / len(seen):.0f} B each"
    sys.stdout.write(f"\n{measured}\n")
    assert len(seen) == REQUESTS and 5 not in seen
    assert grown < FREE_BYTES + BYTES_PER_REQUEST * REQUESTS, f"{grown} bytes more"
