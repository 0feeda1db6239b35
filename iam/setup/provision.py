"""`init` on PostgreSQL: user, database, rights, and whether the service user can work. What exists is left as it is."""

import contextlib
import sys
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors, sql

from iam.settings.databases import tls_options
from iam.settings.tree import DatabaseUserSection, PostgresSection

Connection = psycopg.Connection[tuple[Any, ...]]
PARTS = ("user", "database", "grant", "schema")
"""In their order; `zitadel` is the reference's other word for `schema`."""


def provision(postgres: PostgresSection, parts: Sequence[str] = PARTS) -> None:
    """Create what is missing. Without an administrator only what the service user can do itself is done.

    Raises psycopg.OperationalError when PostgreSQL, or the service user's database, cannot be reached.
    """
    admins = [part for part in parts if part != "schema"]
    if admins and not postgres.DSN:
        _as_admin(postgres, admins)
    if "schema" in parts:
        _check_service_user(postgres)


def _as_admin(postgres: PostgresSection, parts: Sequence[str]) -> None:
    try:
        with _connect(postgres, postgres.Admin, postgres.Admin.ExistingDatabase) as connection:
            for part in parts:
                {"user": _user, "database": _database, "grant": _grant}[part](connection, postgres)
        if "grant" in parts:
            with _connect(postgres, postgres.Admin, postgres.Database) as connection:
                _grant_schema(connection, postgres)
    except psycopg.OperationalError as refused:
        if not _works(postgres):
            raise
        _tell(f"no administrator ({str(refused).splitlines()[0]}); user and database exist already")


def _user(connection: Connection, postgres: PostgresSection) -> None:
    name, password = sql.Identifier(postgres.User.Username), sql.Literal(postgres.User.Password)
    with contextlib.suppress(errors.DuplicateObject):  # 42710; its password and rights stay as they are
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, password))


def _database(connection: Connection, postgres: PostgresSection) -> None:
    """Owned by the service user; on a managed server the administrator must be its member for that."""
    database, name = sql.Identifier(postgres.Database), sql.Identifier(postgres.User.Username)
    with contextlib.suppress(errors.Error):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
    try:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, name))
    except errors.DuplicateDatabase:  # 42P04
        return
    except errors.InsufficientPrivilege:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(database))


def _grant(connection: Connection, postgres: PostgresSection) -> None:
    database, name = sql.Identifier(postgres.Database), sql.Identifier(postgres.User.Username)
    connection.execute(sql.SQL("GRANT ALL ON DATABASE {} TO {}").format(database, name))


def _grant_schema(connection: Connection, postgres: PostgresSection) -> None:
    """Since PostgreSQL 15 only the owner of a database may create tables in its schema `public`."""
    name = sql.Identifier(postgres.User.Username)
    with contextlib.suppress(errors.InsufficientPrivilege):
        connection.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(name))


def _works(postgres: PostgresSection) -> bool:
    try:
        with _service(postgres):
            return True
    except psycopg.OperationalError:
        return False


def _check_service_user(postgres: PostgresSection) -> None:
    with _service(postgres) as connection:
        may = connection.execute("SELECT has_schema_privilege(current_user, 'public', 'CREATE')").fetchone()
    if not may or not may[0]:
        raise psycopg.OperationalError(
            f"{postgres.User.Username} may not create tables in the schema public: GRANT ALL ON SCHEMA public TO it"
        )


def _service(postgres: PostgresSection) -> Connection:
    if postgres.DSN:
        return psycopg.connect(postgres.DSN, autocommit=True)
    return _connect(postgres, postgres.User, postgres.Database)


def _connect(postgres: PostgresSection, user: DatabaseUserSection, database: str) -> Connection:
    return psycopg.connect(
        host=postgres.Host,
        port=postgres.Port,
        dbname=database,
        user=user.Username,
        password=user.Password,
        autocommit=True,
        connect_timeout=10,
        **tls_options(user.SSL),
    )


def _tell(line: str) -> None:
    sys.stdout.write(f"init: {line}\n")
    sys.stdout.flush()
