"""Before Django reads its settings: the engine, SQLite or a private PostgreSQL with GATEHOUSE_TEST_DB=postgres, and where files are.

The files of all databases are kept in memory where the machine has the room. Their servers are killed, never the machine,
so whether what they wrote has reached a disk changes nothing but how long it takes.
"""

import os
import secrets
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30


def _has_room(folder: Path) -> bool:
    """Whether so many files can be made there, and programs be started."""
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize >= ROOM and not found.f_flag & os.ST_NOEXEC


if "TMPDIR" not in os.environ and _has_room(MEMORY):
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None  # is found anew

if os.environ.get("GATEHOUSE_TEST_DB") == "postgres":
    from tests import cluster

    _cluster = cluster.start()
    os.environ["ZITADEL_DATABASE_POSTGRES_DSN"] = _cluster.dsn
    os.environ["ZITADEL_MASTERKEY"] = secrets.token_hex(16)

    def new_database(name: str) -> str:
        """The DSN of a fresh database beside the tests' own.

        Never over Django's pool: it would stay where it has been opened, and the tests' tables be made there.
        """
        _cluster.sql(f"CREATE DATABASE {name}")
        return _cluster.dsn.replace("dbname=postgres", f"dbname={name}")

    def restart_with(**settings: str) -> None:
        """Start the cluster again with other settings."""
        _cluster.sql(*(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in settings.items()))
        _cluster.halt()
        _cluster.resume()

    def pytest_unconfigure(config: object) -> None:
        """The cluster ends with the run."""
        _cluster.stop()


def variables_of_new_database(folder: Path) -> dict[str, str]:
    """What a server with its state in a folder is told of a fresh database on the engine of this run; nothing for SQLite."""
    if os.environ.get("GATEHOUSE_TEST_DB") != "postgres":
        return {}
    return {
        "ZITADEL_DATABASE_POSTGRES_DSN": new_database(f"own_{secrets.token_hex(4)}"),
        "ZITADEL_MASTERKEY": secrets.token_hex(16),
        "ZITADEL_FIRSTINSTANCE_ORG_MACHINE_MACHINE_USERNAME": "admin-api",
        "ZITADEL_FIRSTINSTANCE_PATPATH": str(folder / "admin.pat"),
        "ZITADEL_FIRSTINSTANCE_MACHINEKEYPATH": str(folder / "admin-key.json"),
    }
