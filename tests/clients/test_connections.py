"""Connections that cost nothing and give nothing: idle ones and half-open ones, and everybody else is answered meanwhile."""

import contextlib
import os
import resource
import signal
import socket
import sys
import time

import pytest

from tests.load import begin, end, must_be_there, must_verify, reach, told
from tests.servers import new_server

IDLE, HALF_OPEN, BURST = 500, 10_000, 500
QUICK_SECONDS = 1
"""Less than the kernel waits before it tries a connection again that was dropped."""
SPARE, PORTION = 500, 50
HEADERS = (
    "POST /v2/projects HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {pat}\r\n"
    "Content-Type: application/json\r\nContent-Length: 20\r\n\r\n"
)


@pytest.fixture
def server(tmp_path, own_database):
    made = new_server(tmp_path)
    made.environment |= own_database
    made.start()
    yield made
    made.kill()


@contextlib.contextmanager
def files(wanted):
    """So many open files for this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"the system allows {hard} open files, {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def opened(server, count, stack, sent=b""):
    """Connections that stay; in small portions: the kernel drops what waits beyond `Backlog`, and tries again late."""
    made = []
    for number in range(count):
        if number % PORTION == 0:
            time.sleep(0.02)
        one = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
        if sent:
            one.sendall(sent)
        made.append(one)
    return made


def test_500_idle_connections_are_in_nobodys_way(server):
    with contextlib.ExitStack() as stack:
        opened(server, IDLE, stack)
        writers = begin([server], 2)
        reach(writers, 20)
        acknowledged = end(writers)
        assert sum(writer.refused for writer in writers) == 0
    must_be_there(server, acknowledged)


def test_a_burst_of_new_connections_waits_and_none_is_refused(server):
    """The server stands still, so that all of them are new at once."""
    asks = f"GET /debug/healthz HTTP/1.1\r\nHost: localhost:{server.port}\r\nConnection: close\r\n\r\n".encode()
    with files(BURST + SPARE), contextlib.ExitStack() as stack:
        os.killpg(server.process.pid, signal.SIGSTOP)
        try:
            made = []
            for _ in range(BURST):
                one = socket.create_connection(("127.0.0.1", server.port), timeout=QUICK_SECONDS)
                made.append(stack.enter_context(one))
                one.sendall(asks)
        finally:
            os.killpg(server.process.pid, signal.SIGCONT)
        for one in made:
            one.settimeout(30)
            assert one.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.artefact
def test_10000_half_open_requests_are_in_nobodys_way(server):
    pytest.importorskip(
        "iam.api.gate", reason="bodies are awaited in threads until the gate of request limits is there"
    )
    sent = HEADERS.format(port=server.port, pat=server.pat).encode()
    with files(HALF_OPEN + SPARE), contextlib.ExitStack() as stack:
        writers = begin([server], 2, rest=0.02)
        opened(server, HALF_OPEN, stack, sent)
        reach(writers, 10)
    reach(writers, 10)
    acknowledged = end(writers)
    sys.stdout.write(f"10,000 half-open: {told(writers)}\n")
    must_be_there(server, acknowledged)
    must_verify(server)
