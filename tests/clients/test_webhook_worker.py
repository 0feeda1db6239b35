"""Webhooks where Celery workers follow the log: what a worker had begun when it was killed, another one does."""

import os
import signal

import pytest

from tests.clients.test_webhook_rotation import House
from tests.clients.test_worker import redis  # noqa: F401 - the fixture
from tests.load import until
from tests.servers import new_server


@pytest.fixture
def place(redis, tmp_path, receiver):  # noqa: F811 - the fixture
    """A server that follows nothing itself and may call this machine."""
    server = new_server(tmp_path)
    server.environment |= {
        "ZITADEL_CACHES_CONNECTORS_REDIS_ENABLED": "true",
        "ZITADEL_CACHES_CONNECTORS_REDIS_URL": redis,
        "ZITADEL_HTTPCLIENT_DENYLIST": "10.0.0.0/8",
        "SSL_CERT_FILE": str(receiver.certificate),
    }
    server.start()
    yield server
    server.kill()


def test_s07_a_killed_worker_leaves_its_calls_to_the_next_one(place, receiver):
    house = House(place, receiver)
    first = place.work("--beat")
    house.create()
    house.all_arrived()
    receiver.seconds = 3.0
    house.create()
    until(lambda: len(receiver.bodies) == 2)
    os.killpg(first.pid, signal.SIGKILL)  # before it could hear the answer
    first.wait(30)
    receiver.seconds = 0.0
    second = place.work("--beat")
    try:
        until(lambda: len(receiver.bodies) == 3)
    finally:
        os.killpg(second.pid, signal.SIGTERM)
        second.wait(30)
    assert receiver.wrong == [] and receiver.bodies[1] == receiver.bodies[2]
    ids = [headers["Gatehouse-Delivery"] for headers in receiver.headers]
    assert ids[0] != ids[1] == ids[2], "the receiver knows the call again"
