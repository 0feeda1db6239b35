"""The primary is killed under load, its replica promoted: the server goes on by itself, with every acknowledged write (handbook's promise 26)."""

import os
import sys
import time

import pytest

from tests import cluster
from tests.load import begin, end, must_be_there, must_verify, reach, told, until
from tests.servers import new_server

pytestmark = pytest.mark.skipif(os.environ.get("GATEHOUSE_TEST_DB") != "postgres", reason="replicas are PostgreSQL's")
CLIENTS = 4


@pytest.fixture
def pair():
    """A primary that answers a commit only when its replica has it, too."""
    primary = cluster.start()
    replica = None
    try:
        replica = cluster.replica_of(primary)
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        until(lambda: primary.ask("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 1)
        yield primary, replica
    finally:
        if replica:
            replica.stop()
        primary.stop()


def test_row_26_the_primary_dies_and_the_replica_takes_over(pair, tmp_path, own_database):
    primary, replica = pair
    server = new_server(tmp_path)
    both = f"host=127.0.0.1,127.0.0.1 port={primary.port},{replica.port} user=tester dbname=postgres"
    server.environment |= own_database | {"ZITADEL_DATABASE_POSTGRES_DSN": f"{both} target_session_attrs=read-write"}
    server.start()
    try:
        writers = begin([server], CLIENTS)
        reach(writers, 20)
        primary.kill()
        begun = time.monotonic()
        until(lambda: all(writer.refused for writer in writers), writers)
        replica.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
        replica.promote()
        reach(writers, 20)
        took = time.monotonic() - begun
        acknowledged = end(writers)
        sys.stdout.write(f"failover: {told(writers)}, {took:.1f} s from the kill until every client wrote again" + "\n")
        must_be_there(server, acknowledged)
        until(lambda: "0 facts and 0 s behind" in server.manage("lag").stdout)
        must_verify(server)
        assert server.process.poll() is None, "it was not started anew"
    finally:
        server.kill()
