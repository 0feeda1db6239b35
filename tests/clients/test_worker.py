"""Followers in a Celery worker beside the web process, woken through a private Redis."""

import json
import os
import signal
import subprocess
import time
import urllib.request

import pytest

from tests.ports import free_port
from tests.servers import Server, new_server


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    """A Redis on a free port."""
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}/0"
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def place(redis, tmp_path_factory):
    """A server that follows nothing itself, and a worker with its beat."""
    server = new_server(tmp_path_factory.mktemp("worked"))
    server.environment |= {
        "ZITADEL_CACHES_CONNECTORS_REDIS_ENABLED": "true",
        "ZITADEL_CACHES_CONNECTORS_REDIS_URL": redis,
    }
    server.start()
    yield server
    server.kill()


def lag(server: Server) -> str:
    return server.manage("lag").stdout


def test_a_worker_follows_what_web_processes_push(place):
    assert "0 facts" not in lag(place)
    worker = place.work("--beat")
    try:
        for name in ("one", "two"):  # the first comes by the beat, the second may come by the ring
            body = json.dumps({"userName": name, "name": name}).encode()
            headers = {"authorization": f"Bearer {place.pat}", "content-type": "application/json"}
            urllib.request.urlopen(
                urllib.request.Request(f"{place.url}/management/v1/users/machine", body, headers), timeout=10
            )
            for _ in range(150):
                if "0 facts and 0 s behind" in lag(place):
                    break
                time.sleep(0.2)
            assert "0 facts and 0 s behind" in lag(place), (place.var / "worker.log").read_text()
    finally:
        os.killpg(worker.pid, signal.SIGTERM)
        worker.wait(30)


def test_a_worker_without_redis_says_what_it_needs(tmp_path):
    done = new_server(tmp_path).manage("worker")
    assert done.returncode == 1
    assert "Caches.Connectors.Redis.Enabled" in done.stderr
