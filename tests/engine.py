"""Chooses the engine before Django reads its settings: SQLite, or a private PostgreSQL with GATEHOUSE_TEST_DB=postgres."""

import os
import secrets

if os.environ.get("GATEHOUSE_TEST_DB") == "postgres":
    from tests import cluster

    _cluster = cluster.start()
    os.environ["ZITADEL_DATABASE_POSTGRES_DSN"] = _cluster.dsn
    os.environ["ZITADEL_MASTERKEY"] = secrets.token_hex(16)

    def pytest_unconfigure(config: object) -> None:
        """The cluster ends with the run."""
        _cluster.stop()
