"""The real server as a process of its own, with a state folder of its own, on a free port."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass
class Server:
    """A running server."""

    var: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    password: str = ""
    login: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://localhost:{self.port}"

    @property
    def pat(self) -> str:
        """The token of the service user that owns the instance."""
        return (self.var / "admin.pat").read_text().strip()

    def start(self) -> None:
        """Start, and wait for the first answer."""
        log = (self.var / "server.log").open("ab")
        command = [sys.executable, "manage.py", "start-from-setup"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{self.url}/debug/ready", timeout=1)
                break
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.25)
        else:
            raise RuntimeError((self.var / "server.log").read_text())
        self._read_log()

    def _read_log(self) -> None:
        text = (self.var / "server.log").read_text()
        if found := re.search(r"Login\s+(\S+)", text):
            self.login = found[1]
        if found := re.search(r"Password\s+(\S+)", text):
            self.password = found[1]

    def kill(self) -> None:
        """End it the hard way, children included."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command beside it."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)


def new_server(folder: Path) -> Server:
    """A server that has not started yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZITADEL_", "DJANGO_"))}
    environment = {**kept, "GATEHOUSE_VAR": str(folder), "ZITADEL_PORT": str(port), "ZITADEL_EXTERNALPORT": str(port)}
    return Server(folder, port, environment=environment)
