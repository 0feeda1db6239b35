"""What tests of triggers share."""

import os
import secrets
import subprocess
import sys
import time

import psycopg
import pytest

from tests import engine
from tests.servers import ROOT


class Meeting:
    """A database of its own, where transactions may meet."""

    def __init__(self, dsn):
        self.dsn, self.made = dsn, []
        self.environment = os.environ | {
            "ZITADEL_DATABASE_POSTGRES_DSN": dsn,
            "DJANGO_SETTINGS_MODULE": "iam.settings.prod",
        }

    def session(self):
        """Another connection; it begins a transaction with its first statement."""
        self.made.append(psycopg.connect(self.dsn))
        return self.made[-1]

    def manage(self, *command):
        """`manage.py`, in a process of its own."""
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=self.environment, check=True, timeout=120)

    def wait_for_lock(self, look):
        """Until somebody in this database waits for somebody."""
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        for _ in range(600):
            if look.execute(waits).fetchone()[0]:
                return
            look.commit()
            time.sleep(0.05)
        pytest.fail("the second one does not wait for the first")


@pytest.fixture(scope="package")
def meeting():
    """The database, migrated."""
    if os.environ.get("GATEHOUSE_TEST_DB") != "postgres":
        pytest.skip("SQLite has one writer")
    made = Meeting(engine.new_database(f"meeting_{secrets.token_hex(4)}"))
    made.manage("migrate", "--verbosity", "0")
    yield made
    for one in made.made:
        one.close()
