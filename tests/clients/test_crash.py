"""kill -9 during writes: every acknowledged one is there afterwards, the log verifies, read tables equal a replay (E04)."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request

from tests.servers import new_server

WRITES = 1000
WRITERS = 4


def post(server, path, body):
    request = urllib.request.Request(server.url + path, json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {server.pat}")
    request.add_header("Content-Type", "application/json")
    return json.load(urllib.request.urlopen(request, timeout=20))


def test_e04_acknowledged_writes_survive_kill_9(tmp_path, own_database):
    server = new_server(tmp_path)
    server.environment |= own_database | {"ZITADEL_RATELIMITS_ENABLED": "false"}
    server.start()
    acknowledged: list[str] = []

    def write(writer):
        for number in range(WRITES // WRITERS):
            try:
                acknowledged.append(post(server, "/v2/projects", {"name": f"p-{writer}-{number}"})["id"])
            except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError):
                return

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < WRITES // 3:
        time.sleep(0.01)
    server.kill()
    for thread in threads:
        thread.join()
    assert WRITES // 3 <= len(acknowledged) < WRITES
    server.start()
    try:
        for id in acknowledged:
            found = post(server, "/zitadel.project.v2.ProjectService/GetProject", {"projectId": id})
            assert found["project"]["projectId"] == id
        checked = server.manage("verify_log")
        assert checked.returncode == 0, checked.stderr
        replayed = server.manage("rebuild", "--verify")
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    finally:
        server.kill()
