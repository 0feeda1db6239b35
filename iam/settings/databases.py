"""Django's database settings from the tree."""

from pathlib import Path
from typing import Any

from iam.settings.tree import Config, PostgresSection, SSLSection

PREPARED_AFTER = 5
"""Executions of a statement until the server keeps its plan; see `pooler` for connections that must not."""
SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000; PRAGMA cache_size=-8000;"


def databases(config: Config, var: Path) -> dict[str, Any]:
    """SQLite in the state folder, or PostgreSQL, with a replica for lists where one is named."""
    if config.embedded:
        return {"default": _sqlite(config, var)}
    postgres = config.Database.Postgres
    primary = {"default": _postgres(postgres)}
    return {**primary, "replica": _replica(postgres)} if postgres.ReplicaDSN else primary


def _replica(postgres: PostgresSection) -> dict[str, Any]:
    """One that is away costs a list half a second, once in a while (eventstore/replica.py)."""
    options = _options(postgres)
    options["pool"] = {**options["pool"], "timeout": 0.5}
    return _from_dsn(postgres.ReplicaDSN, {**options, "connect_timeout": 2, "tcp_user_timeout": 2000})


def _sqlite(config: Config, var: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": config.Database.SQLite.Path or str(var / "gatehouse.sqlite3"),
        "CONN_MAX_AGE": None,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": SQLITE_PRAGMAS},
    }


def _options(postgres: PostgresSection) -> dict[str, Any]:
    """What every connection to PostgreSQL has."""
    user = postgres.User
    options: dict[str, Any] = {
        **tls_options(user.SSL),
        "pool": {
            "min_size": min(1, postgres.MaxIdleConns),
            "max_size": postgres.MaxOpenConns,
            "max_lifetime": postgres.MaxConnLifetime.total_seconds(),
            "max_idle": postgres.MaxConnIdleTime.total_seconds(),
            "timeout": 3,  # a request without a connection by then is answered 503
            "reconnect_timeout": 5,  # no longer: the next attempt would wait minutes after a long outage
        },
        "server_side_binding": True,  # needed for statements that the server prepares
        "prepare_threshold": PREPARED_AFTER,
    }
    if postgres.Options:
        options["options"] = postgres.Options
    return options


def _postgres(postgres: PostgresSection) -> dict[str, Any]:
    user, options = postgres.User, _options(postgres)
    if postgres.DSN:
        return _from_dsn(postgres.DSN, options)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": postgres.Host,
        "PORT": postgres.Port,
        "NAME": postgres.Database,
        "USER": user.Username,
        "PASSWORD": user.Password,
        "OPTIONS": options,
    }


def tls_options(tls: SSLSection) -> dict[str, str]:
    """libpq's names. Without a file of its own verify-full trusts the authorities of the system, as managed servers need it."""
    files = {"sslrootcert": tls.RootCert, "sslcert": tls.Cert, "sslkey": tls.Key}
    named = {option: file for option, file in files.items() if file}
    system = {"sslrootcert": "system"} if tls.Mode == "verify-full" else {}
    return {"sslmode": tls.Mode, **system, **named}


def _from_dsn(dsn: str, options: dict[str, Any]) -> dict[str, Any]:
    """A URL or keyword string; what Django has no name for goes on to the driver and wins over the defaults."""
    from psycopg.conninfo import conninfo_to_dict  # only where PostgreSQL is used

    given = dict(conninfo_to_dict(dsn))
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    known = {django: str(given.pop(libpq)) for django, libpq in names.items() if libpq in given}
    return {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", **known, "OPTIONS": {**options, **given}}
