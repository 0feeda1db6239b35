"""A state folder of before, with the triggers that its tables had, is set up for this program: SQLite makes tables anew."""

import pytest

from tests.servers import new_server

BEFORE = {"users": "0008", "orgs": "0002"}
TRIGGERS = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'projects_%'")
    print(cursor.fetchone()[0])
"""


@pytest.fixture
def server(tmp_path, own_database):
    if own_database:
        pytest.skip("PostgreSQL makes no table anew")
    return new_server(tmp_path)


def counted(server):
    return server.manage("shell", "-v", "0", "-c", TRIGGERS).stdout.split()


def test_row_40_a_database_in_a_file_is_migrated_with_its_triggers(server):
    assert server.manage("setup").returncode == 0
    for label, migration in BEFORE.items():
        gone_back = server.manage("migrate", label, migration)
        assert gone_back.returncode == 0, gone_back.stderr
    assert counted(server) == ["6"]
    again = server.manage("setup")
    assert again.returncode == 0, again.stderr
    assert counted(server) == ["6"]
    assert server.manage("rebuild", "--verify").returncode == 0
