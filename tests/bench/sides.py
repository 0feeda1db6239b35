"""Two databases on one private PostgreSQL, alike to the last row, of which the second is filled; a server for each."""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests import cluster
from tests.bench.wire import House, prepare
from tests.cluster import Cluster
from tests.servers import Server, new_server

EMPTY, FULL = "empty", "full"


@dataclass
class Side:
    """A database and how to serve it."""

    name: str
    dsn: str
    server: Server

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    def start(self, processes: int = 1) -> None:
        """Serve with so many web processes."""
        self.server.environment["ZITADEL_WORKERS"] = str(processes)
        self.server.start()

    def stop(self) -> None:
        """End its server."""
        self.server.kill()


class Bench:
    """The cluster of a run, and what was prepared in it; with KEEP, that of a run before."""

    def __init__(self) -> None:
        self.kept = Path(os.environ["KEEP"]) if os.environ.get("KEEP") else None
        self.sides: list[Side] = []
        self.is_ready = False
        """Whether all is loaded, so that it is worth keeping."""
        if self.kept and self.kept.exists():
            self._resume(json.loads(self.kept.read_text()))
            return
        self.folder = Path(tempfile.mkdtemp(prefix="gatehouse-bench-"))
        self.cluster: Cluster = cluster.start()
        self.masterkey = secrets.token_hex(16)
        self.house = House("")

    def _resume(self, told: dict[str, Any]) -> None:
        self.folder, self.masterkey = Path(told["folder"]), told["masterkey"]
        self.house = House(**told["house"])
        self.cluster = Cluster(Path(told["cluster"]), told["port"])
        self.cluster.resume()
        for name in told["sides"]:
            self.add(name)

    def _keep(self, file: Path) -> None:
        told = {
            "folder": str(self.folder),
            "masterkey": self.masterkey,
            "house": asdict(self.house),
            "cluster": str(self.cluster.folder),
            "port": self.cluster.port,
            "sides": [side.name for side in self.sides],
        }
        file.write_text(json.dumps(told))

    def dsn(self, name: str) -> str:
        """How to reach a database."""
        return self.cluster.dsn.replace("dbname=postgres", f"dbname={name}")

    def prepare(self) -> Side:
        """Make the empty database with an instance and those who call."""
        self.cluster.sql(f'CREATE DATABASE "{EMPTY}"')
        side = self.add(EMPTY)
        side.start()
        try:
            self.house = prepare(side.port, side.server.pat)
        finally:
            side.stop()
        return side

    def copy(self) -> Side:
        """Make the second database as a copy of the first, whose server is stopped."""
        self.cluster.sql(f'CREATE DATABASE "{FULL}" TEMPLATE "{EMPTY}"')
        return self.add(FULL)

    def add(self, name: str) -> Side:
        """A side whose server is not started."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        server = new_server(folder)
        server.environment |= {
            "ZITADEL_DATABASE_POSTGRES_DSN": self.dsn(name),
            "ZITADEL_MASTERKEY": self.masterkey,
            "ZITADEL_FIRSTINSTANCE_ORG_MACHINE_MACHINE_USERNAME": "admin-api",
            "ZITADEL_FIRSTINSTANCE_PATPATH": str(folder / "admin.pat"),
            "ZITADEL_RATELIMITS_ENABLED": "false",
        }
        self.sides.append(Side(name, self.dsn(name), server))
        return self.sides[-1]

    def tidy(self) -> None:
        """Nothing is left to be cleaned up or written while we measure."""
        for side in self.sides:
            self.sql(side, "VACUUM ANALYZE", "CHECKPOINT")

    def sql(self, side: Side, *statements: str) -> None:
        """Run statements in a side's database, outside of any transaction."""
        with psycopg.connect(side.dsn, autocommit=True) as connection:
            for one in statements:
                connection.execute(one)  # type: ignore[call-overload]

    def end(self) -> None:
        """Stop everything and remove it, unless it is to be kept."""
        for side in self.sides:
            process = side.server.process
            if process is not None and process.poll() is None:
                side.stop()
        if self.is_ready and self.kept:
            self._keep(self.kept)
            self.cluster.halt()
            return
        self.cluster.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def size() -> tuple[int, int]:
    """How many users and facts are asked for."""
    users = int(os.environ.get("USERS") or 0)
    return users, int(os.environ.get("FACTS") or 10 * users)


def started(sides: Sequence[Side], processes: int = 1) -> None:
    """Start the servers of all sides."""
    for side in sides:
        side.start(processes)
