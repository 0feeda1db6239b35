"""Clients that write and read back until they are told to stop, and keep the account: acknowledged, refused, wrong."""

import http.client
import json
import secrets
import threading
import time
from collections.abc import Callable, Sequence

from tests.servers import Server

PATIENCE = 60
PROJECT = "/zitadel.project.v2.ProjectService/GetProject"


class Writer(threading.Thread):
    """One client that creates projects and reads them back, always over a connection of its own.

    503 is a refusal, and the only one that a fault may cause. Everything else that is not what was asked for is wrong.
    """

    def __init__(self, server: Server, pat: str = "", *, rest: float = 0) -> None:
        super().__init__(daemon=True)
        self.server, self.pat, self.rest = server, pat or server.pat, rest
        self.acknowledged: list[str] = []
        self.refused = 0
        self.wrong: list[object] = []
        self.slowest = 0.0
        self.stopped = threading.Event()

    def run(self) -> None:
        """Write and read."""
        while not self.stopped.wait(self.rest):
            begun = time.monotonic()
            try:
                self._write_and_read()
            except (OSError, http.client.HTTPException, ValueError, KeyError) as failure:
                self.wrong.append(repr(failure))
            self.slowest = max(self.slowest, time.monotonic() - begun)

    def _write_and_read(self) -> None:
        name = f"p{secrets.token_hex(6)}"
        made = self.call("/v2/projects", {"name": name})
        if made is None:
            return
        self.acknowledged.append(made["id"])
        found = self.call(PROJECT, {"projectId": made["id"]})
        if found is not None and found["project"]["name"] != name:
            self.wrong.append(found)

    def call(self, path: str, body: object) -> dict | None:
        """The answer; None when the server refused for now."""
        status, content = ask(self.server, path, body, self.pat)
        if status == 503:
            self.refused += 1
            return None
        if status != 200:
            raise ValueError(path, status, content[:300])
        return json.loads(content)


def ask(server: Server, path: str, body: object, pat: str) -> tuple[int, str]:
    """One call over its own connection: status and body."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=60)
    try:
        headers = {"Authorization": f"Bearer {pat}", "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def begin(servers: Sequence[Server], clients: int, pat: str = "", *, rest: float = 0) -> list[Writer]:
    """Start clients, spread over the servers."""
    writers = [Writer(servers[number % len(servers)], pat, rest=rest) for number in range(clients)]
    for writer in writers:
        writer.start()
    return writers


def reach(writers: Sequence[Writer], more: int) -> None:
    """Wait until each has so many more acknowledged writes."""
    goals = [len(writer.acknowledged) + more for writer in writers]
    until(lambda: all(len(one.acknowledged) >= goal for one, goal in zip(writers, goals, strict=True)), writers)


def end(writers: Sequence[Writer]) -> list[str]:
    """Stop them; answers what was acknowledged, having checked that nothing was wrong."""
    for writer in writers:
        writer.stopped.set()
    for writer in writers:
        writer.join(PATIENCE)
    assert [writer.wrong for writer in writers] == [[]] * len(writers)
    return [id for writer in writers for id in writer.acknowledged]


def told(writers: Sequence[Writer]) -> str:
    """The account in one line."""
    acknowledged, refused = sum(len(one.acknowledged) for one in writers), sum(one.refused for one in writers)
    return f"{acknowledged} acknowledged, {refused} refused, slowest {max(one.slowest for one in writers):.1f} s"


def must_be_there(server: Server, ids: Sequence[str], pat: str = "") -> None:
    """Every acknowledged write is found."""
    lost = [id for id in ids if ask(server, PROJECT, {"projectId": id}, pat or server.pat)[0] != 200]
    assert lost == []


def must_verify(server: Server) -> None:
    """The chain of digests fits, and the read tables are what a replay makes of the log."""
    for command in (("verify_log",), ("rebuild", "--verify")):
        done = server.manage(*command)
        assert done.returncode == 0, done.stdout + done.stderr


def until(is_so: Callable[[], bool], writers: Sequence[Writer] = ()) -> None:
    """Wait; the limit is only against hanging."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < PATIENCE, [writer.wrong[:3] for writer in writers]
        time.sleep(0.05)
