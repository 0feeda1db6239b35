"""A private PostgreSQL for one run: its own folder, port and end."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.ports import free_port


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

    def kill(self) -> None:
        """End the processes with SIGKILL, none of them can say a word; answers when they are gone."""
        note = self.folder / "data" / "postmaster.pid"
        leader = int(note.read_text().split()[0])
        processes = [leader, *map(int, Path(f"/proc/{leader}/task/{leader}/children").read_text().split())]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(map(_runs, processes)):
            time.sleep(0.01)
        for lock in (note, self.folder / f".s.PGSQL.{self.port}.lock"):
            lock.unlink()  # a process that nobody has waited for yet would count as alive

    def resume(self) -> None:
        """Start again on the same port and data."""
        _start(self.folder, self.port)

    def promote(self) -> None:
        """Make a replica a server of its own."""
        _run(_binary("pg_ctl"), "-D", str(self.folder / "data"), "-w", "promote")

    def ask(self, statement: str) -> Any:
        """The first column of the first row."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return connection.execute(statement).fetchone()[0]  # type: ignore[call-overload, index]

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
    made = _new()
    data = str(made.folder / "data")
    _run(_binary("initdb"), "-D", data, "-U", "tester", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8")
    made.resume()
    return made


def replica_of(primary: Cluster) -> Cluster:
    """Start a streaming replica; its log has every statement that it answers."""
    made = _new()
    data, source = str(made.folder / "data"), f"host=127.0.0.1 port={primary.port} user=tester"
    _run(_binary("pg_basebackup"), "-D", data, "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync")
    with (made.folder / "data" / "postgresql.auto.conf").open("a") as settings:
        settings.write("log_statement = 'all'\n")
    made.resume()
    return made


def _new() -> Cluster:
    """A folder and a free port."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-pg-"))
    folder.chmod(0o755)
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
    return Cluster(folder, free_port())


def _runs(process: int) -> bool:
    """Whether a process exists and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _start(folder: Path, port: int) -> None:
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off -c max_connections=200"
    _run(_binary("pg_ctl"), "-D", str(folder / "data"), "-o", options, "-l", str(folder / "log"), "-w", "start")


def _binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")) or [Path(shutil.which(name) or name)]
    return str(found[-1])


def _run(*command: str) -> None:
    prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, capture_output=True, cwd="/")
