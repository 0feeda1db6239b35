"""Several web processes: whichever is scraped tells the sum of all, and one that ends leaves nothing behind."""

import os
import signal
import time
import urllib.request

from tests.servers import new_server


def scrape(server):
    return urllib.request.urlopen(f"{server.url}/debug/metrics", timeout=20).read().decode()


def value(text, start):
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(start))


def until(found):
    for _ in range(150):
        if found():
            return
        time.sleep(0.1)
    raise AssertionError("it does not come about")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listed:
        return [int(one) for one in listed.read().split()]


def test_two_web_processes_tell_their_sum_and_a_dead_one_no_more(tmp_path, own_database):
    server = new_server(tmp_path)
    server.environment |= {**own_database, "ZITADEL_WORKERS": "2"}
    server.start()
    try:
        asked = (
            'gatehouse_request_duration_seconds_count{method="GET",outcome="ok",route="/admin/v1/healthz",wire="rest"}'
        )
        before = value(scrape(server), asked)
        for _ in range(40):
            urllib.request.urlopen(f"{server.url}/admin/v1/healthz", timeout=20).read()
        assert value(scrape(server), asked) == before + 40
        workers = children(server.process.pid)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        until(lambda: len(children(server.process.pid)) == 2 and workers[0] not in children(server.process.pid))
        until(lambda: value(scrape(server), "gatehouse_web_processes") <= 2)
        assert value(scrape(server), asked) == before + 40  # what it counted stays
    finally:
        server.kill()
