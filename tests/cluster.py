"""A private PostgreSQL for one run: its own folder, port and end."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg


@dataclass(frozen=True)
class Cluster:
    """A running server."""

    folder: Path
    port: int

    @property
    def dsn(self) -> str:
        """How to connect."""
        return f"host=127.0.0.1 port={self.port} user=tester dbname=postgres"

    def halt(self) -> None:
        """End the processes at once, as a crash does; the data stays."""
        _run(_binary("pg_ctl"), "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def resume(self) -> None:
        """Start again on the same port and data."""
        _start(self.folder, self.port)

    def sql(self, *statements: str) -> None:
        """Run statements outside of any transaction."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for one in statements:
                connection.execute(one)  # type: ignore[call-overload]

    def stop(self) -> None:
        """End it, if it runs, and remove its folder."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)


def start() -> Cluster:
    """Start a cluster on a free port; never as root, PostgreSQL refuses that."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-pg-"))
    folder.chmod(0o755)
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = str(folder / "data")
    _run(_binary("initdb"), "-D", data, "-U", "tester", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8")
    _start(folder, port)
    return Cluster(folder, port)


def _start(folder: Path, port: int) -> None:
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off -c max_connections=200"
    _run(_binary("pg_ctl"), "-D", str(folder / "data"), "-o", options, "-l", str(folder / "log"), "-w", "start")


def _binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")) or [Path(shutil.which(name) or name)]
    return str(found[-1])


def _run(*command: str) -> None:
    prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, capture_output=True, cwd="/")
