"""The database: reachable, new enough, with the rights it takes, prepared, and its master key."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.utils import Error

from iam.setup import level, phases
from iam.setup.doctor.findings import Finding, ok, problem, warning
from iam.vault.masterkey import check_value
from iam.vault.models import DataKey
from projections import indexes

OLDEST_POSTGRES = 150000
LEAST_FREE_BYTES = 1 << 30
FULL = 0.8
"""Part of the connections that may be promised to pools (handbook, key metrics)."""
SKEW_WARNING, SKEW_PROBLEM = 2, 30
"""Seconds between two clocks."""

GUARDS = ("eventstore_events_append_only", "eventstore_events_no_truncate", "eventstore_activity_append_only")
"""Triggers that refuse to change what was written (DESIGN §4)."""


def reachable() -> Iterator[Finding]:
    """Whether it answers, as which version."""
    where = settings.DATABASES["default"]
    name = (
        str(where["NAME"]) if settings.CONFIG.embedded else f"{where.get('HOST')}:{where.get('PORT')}/{where['NAME']}"
    )
    try:
        connection.ensure_connection()
    except Error as failure:
        lines = "; ".join(str(failure).splitlines())
        yield problem(
            "database",
            f"{name} cannot be reached: {lines}",
            cause="wrong host, port, password or certificate; a network policy; the server is down",
            remedy="check Database.Postgres.* (or Database.SQLite.Path); try the same address with psql from this machine",
        )
        return
    if connection.vendor == "sqlite":
        yield ok("database", f"SQLite at {name}")
        return
    version = connection.pg_version  # type: ignore[attr-defined]
    text = f"PostgreSQL {version // 10000} at {name}"
    if version < OLDEST_POSTGRES:
        yield problem(
            "database", text, cause="version 15 or later is needed", remedy="upgrade the server, then run setup again"
        )
    else:
        yield ok("database", text)


def rights() -> Iterator[Finding]:
    """Whether the service user may make tables; SQLite: whether the file and its disk take writes."""
    if connection.vendor == "sqlite":
        yield from _sqlite_file(Path(str(connection.settings_dict["NAME"])))
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, has_schema_privilege(current_user, 'public', 'CREATE'), pg_is_in_recovery()"
        )
        user, may_create, is_replica = cursor.fetchone()
    if is_replica:
        yield problem(
            "rights",
            "the database only reads",
            cause="it is a replica, or a failover has not ended",
            remedy="let Database.Postgres.Host lead to the primary",
        )
    elif not may_create:
        yield problem(
            "rights",
            f"{user} may not create tables in the schema public",
            cause="since PostgreSQL 15 only the database's owner may",
            remedy=f"run `manage.py init` with an administrator, or GRANT ALL ON SCHEMA public TO {user}",
        )
    else:
        yield ok("rights", f"{user} may create tables")


def _sqlite_file(file: Path) -> Iterator[Finding]:
    if not os.access(file.parent, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
        yield problem(
            "rights",
            f"{file} cannot be written",
            cause="the folder or the file belongs to somebody else, or the file system is read-only",
            remedy="give the file and its folder to the user that runs the server (the folder holds the WAL, too)",
        )
        return
    free = shutil.disk_usage(file.parent).free
    if free < LEAST_FREE_BYTES:
        yield warning(
            "rights",
            f"{free >> 20} MiB free at {file.parent}",
            cause="the log only grows",
            remedy="make room, or move the state folder (GATEHOUSE_VAR)",
        )
    else:
        yield ok("rights", f"{file} takes writes, {free >> 30} GiB free")


def connections() -> Iterator[Finding]:
    """The pools of all processes against what PostgreSQL allows."""
    if connection.vendor == "sqlite":
        return
    config = settings.CONFIG
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,"
            " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
        )
        most, used = cursor.fetchone()
    wanted = config.Workers * config.Database.Postgres.MaxOpenConns
    told = f"{config.Workers} web processes × {config.Database.Postgres.MaxOpenConns} = {wanted} of {most}, {used} in use now"
    if wanted > most * FULL:
        yield warning(
            "connections",
            told,
            cause="one replica alone may take more than 80 % of PostgreSQL's connections",
            remedy="lower Database.Postgres.MaxOpenConns or Workers, raise max_connections, or put PgBouncer between",
        )
    else:
        yield ok("connections", f"{told} (for each replica)")


def schema() -> Iterator[Finding]:
    """Whether set-up has run, and whether the log's guards stand."""
    pending = phases._pending()
    if pending:
        yield problem(
            "schema",
            f"{len(pending)} migrations are not applied",
            cause="set-up has not run for this release",
            remedy="run `manage.py setup` (`setup --plan` prints what it would do)",
        )
        return
    if told := level.too_new():
        yield problem("schema", told, cause="a later release has set it up", remedy="start that release or a later one")
        return
    if connection.vendor == "postgresql" and (missing := _missing_guards()):
        yield problem(
            "schema",
            f"the log can be changed afterwards: {', '.join(missing)} missing or disabled",
            cause="a restore without triggers, or somebody dropped them",
            remedy="restore the dump whole (psql, not --disable-triggers), then run `manage.py verify_log`",
        )
        return
    yield ok("schema", "set up for this release")


def search() -> Iterator[Finding]:
    """Whether the indexes of long lists are there."""
    if connection.vendor == "sqlite":
        return
    missing = indexes.lacking()
    names = ", ".join(one.name for one in missing)
    if any(one.takes_extension for one in missing) and not indexes.has_extension():
        yield warning(
            "search",
            f"without the extension pg_trgm there is no {names}: long lists are slow to filter by a part of a text",
            cause="the user of the server does not own the database, or the server was installed without its contrib package",
            remedy="let a superuser run `CREATE EXTENSION pg_trgm` in this database, then run `manage.py setup`",
        )
    elif missing:
        yield warning(
            "search",
            f"{names} missing or unfinished: long lists are slow to filter by texts",
            cause="a set-up was broken off while it made the index, or the extension came later",
            remedy="run `manage.py setup`, which makes what is missing beside the running server",
        )
    else:
        yield ok("search", "long lists find texts by indexes")


def _missing_guards() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname = ANY(%s) AND tgenabled <> 'D'", [list(GUARDS)])
        return sorted(set(GUARDS) - {row[0] for row in cursor.fetchall()})


def master_key() -> Iterator[Finding]:
    """Whether the given keys open every data key."""
    try:
        keys = settings.MASTER_KEYS()
    except SystemExit as refused:
        yield problem(
            "master key", str(refused), cause="none was given", remedy="set ZITADEL_MASTERKEY or --masterkeyFile"
        )
        return
    fits = [check_value(key) for key in keys]
    by_value = list(DataKey.objects.values_list("check_value", flat=True))
    foreign = sum(value not in fits for value in by_value)
    old = sum(value in fits[1:] for value in by_value)
    if foreign:
        yield problem(
            "master key",
            f"{foreign} of {len(by_value)} data keys are wrapped under another master key",
            cause="this is not the key that the instance was set up with, or a rotation took the old one away early",
            remedy="give the right key; during a rotation the one before in ZITADEL_MASTERKEY_PREVIOUS",
        )
    elif old:
        yield warning(
            "master key",
            f"{old} of {len(by_value)} data keys are still wrapped under the previous key",
            cause="a rotation has begun and not ended",
            remedy="run `manage.py rotate_masterkey`; then ZITADEL_MASTERKEY_PREVIOUS can go",
        )
    else:
        yield ok("master key", f"opens all {len(by_value)} data keys")


def clock() -> Iterator[Finding]:
    """This machine's clock against the database's."""
    if connection.vendor == "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs = cursor.fetchone()[0]
    yield skew("the database", (datetime.now(UTC) - theirs).total_seconds())


def skew(whose: str, seconds: float) -> Finding:
    """A difference of clocks as a finding."""
    told = f"this machine is {seconds:+.1f} s from {whose}"
    cause, remedy = (
        "clocks are not kept in step",
        "run an NTP client on every machine; tokens are refused when clocks differ",
    )
    if abs(seconds) >= SKEW_PROBLEM:
        return problem("clock", told, cause=cause, remedy=remedy)
    if abs(seconds) >= SKEW_WARNING:
        return warning("clock", told, cause=cause, remedy=remedy)
    return ok("clock", told)
