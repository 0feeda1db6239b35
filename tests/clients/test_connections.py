"""Connections that cost nothing and give nothing: idle ones and half-open ones, and everybody else is answered meanwhile."""

import contextlib
import resource
import socket
import sys
import time

import pytest

from tests.load import begin, end, must_be_there, must_verify, reach, told
from tests.servers import new_server

IDLE, HALF_OPEN = 500, 10_000
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
    """Connections that stay; in small portions, otherwise the kernel drops what waits for being accepted, and tries again late."""
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
