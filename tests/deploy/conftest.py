"""A PostgreSQL of these tests' own, and the image laid out as a folder."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from tests import cluster
from tests.deploy.support import image_folder
from tests.ports import free_port


def pytest_collection_modifyitems(items):
    """Nothing here asks the run's own database: where one is needed, the test starts it."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.artefact)


@pytest.fixture(scope="session")
def postgres():
    """A cluster as the handbook's compose file starts it: user, password and database are all `zitadel`."""
    made = cluster.start()
    with psycopg.connect(made.dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE zitadel SUPERUSER LOGIN PASSWORD 'zitadel'")
        connection.execute("CREATE ROLE postgres SUPERUSER LOGIN")
        connection.execute("CREATE DATABASE zitadel OWNER zitadel")
    yield made
    made.stop()


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """What `docker build` would put into the image, from this tree."""
    return image_folder(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def redis(tmp_path_factory):
    """The address of a Redis of these tests' own."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(command, cwd=tmp_path_factory.mktemp("redis"), stdout=subprocess.DEVNULL)
    yield f"127.0.0.1:{port}"
    process.kill()
    process.wait()
