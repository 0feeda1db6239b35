"""`init` on PostgreSQL: user, database, rights. What exists already is left as it is."""

import contextlib

import psycopg
from psycopg import errors, sql

from iam.settings.tree import PostgresSection


def provision(postgres: PostgresSection) -> None:
    """Create what is missing; SQLSTATE 42710 and 42P04 mean that it is there."""
    admin, user = postgres.Admin, postgres.User
    with psycopg.connect(
        host=postgres.Host,
        port=postgres.Port,
        dbname=admin.ExistingDatabase,
        user=admin.Username,
        password=admin.Password,
        sslmode=admin.SSL.Mode,
        autocommit=True,
    ) as connection:
        name, database = sql.Identifier(user.Username), sql.Identifier(postgres.Database)
        _tolerant(connection, sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(user.Password)))
        _tolerant(connection, sql.SQL("CREATE DATABASE {} OWNER {}").format(database, name))
        connection.execute(sql.SQL("GRANT ALL ON DATABASE {} TO {}").format(database, name))


def _tolerant(connection: "psycopg.Connection[tuple[object, ...]]", statement: sql.Composed) -> None:
    with contextlib.suppress(errors.DuplicateObject, errors.DuplicateDatabase):
        connection.execute(statement)
