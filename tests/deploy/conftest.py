"""A PostgreSQL of these tests' own, and the image laid out as a folder."""

import psycopg
import pytest

from tests import cluster
from tests.deploy.support import image_folder


@pytest.fixture(scope="session")
def postgres():
    """A cluster as the handbook's compose file starts it: user, password and database are all `zitadel`."""
    made = cluster.start()
    with psycopg.connect(made.dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE zitadel SUPERUSER LOGIN PASSWORD 'zitadel'")
        connection.execute("CREATE DATABASE zitadel OWNER zitadel")
    yield made
    made.stop()


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """What `docker build` would put into the image, from this tree."""
    return image_folder(tmp_path_factory.mktemp("image"))
