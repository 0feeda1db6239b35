"""Watches the product's statements: each table of tenants that is read or changed is bound by `instance_id` (T13)."""

import re
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from django.apps import apps
from django.db import connection

ROOT = Path(__file__).parent.parent.parent
NO_ALIAS = r"(?!(?:SET|WHERE|ON|INNER|LEFT|ORDER|GROUP|LIMIT)\b)"
PLACE = re.compile(rf'\b(?:FROM|JOIN|UPDATE)\s+"?(\w+)"?(?:\s+(?:AS\s+)?"?{NO_ALIAS}(\w+)"?)?', re.I)
OVER_ALL_TENANTS = {
    "iam/instance/queries.py": "finds the tenant of a host, and names some hosts to whoever asked for a wrong one",
    "projections/periodic.py": "clears out what has ended, of all tenants",
    "projections/horizon.py": "follows one log over all tenants",
    "projections/follower.py": "feeds every tenant, each with its own checkpoint",
    "projections/by_database.py": "goes through a whole table when set-up makes the triggers",
    "projections/lag.py": "tells how far the followers are, for the operator",
    "projections/rebuild.py": "replays a whole table",
    "projections/statistics.py": "feeds every tenant",
    "eventstore/reading.py": "follows one log over all tenants",
    "eventstore/verify.py": "walks every chain",
    "eventstore/engines.py": "numbers one log over all tenants",
    "eventstore/retention.py": "ends the keeping of what all tenants did",
    "eventstore/partitions.py": "drops months of all tenants",
    "eventstore/outage.py": "writes any one row to see whether it can",
    "iam/outbox/delivery.py": "sends what waits, of all tenants",
    "users/resets.py": "looks whose the names are that somebody wants a code for, of all tenants",
    "iam/actions/sending.py": "sends what waits, of all tenants",
    "iam/actions/keeping.py": "counts and clears out what was sent, of all tenants",
    "iam/vault/envelope.py": "wraps all data keys again under a new master key",
    "iam/api/readiness.py": "asks whether every data key opens under the master keys of this process",
    "iam/usage/following.py": "looks in which tenants a milestone is missing",
    "iam/usage/counts.py": "counts over all tenants; the report names none",
    "iam/usage/report.py": "sends what no report has told yet, of all tenants; the report names none",
    "iam/setup/doctor/database.py": "asks whether every data key opens under the master keys of this process",
    "iam/setup/doctor/ids.py": "looks for ids that two things share, for the operator",
    "iam/setup/doctor/origin.py": "asks whether the public host is one of any tenant's",
    "iam/setup/doctor/names.py": "tells the operator which login names of any tenant lead to several users",
    "iam/setup/restored.py": "ends what an older backup brought back, of all tenants",
    "projects/migrations/0004_fill_user_org.py": "fills a new column of all tenants",
    "users/migrations/0010_fill_login_names.py": "fills new columns of all tenants",
    "projects/user_names.py": "copies what users of all tenants are called, when set-up makes the triggers",
    "projects/role_keys.py": "enters who of all tenants holds what, when set-up makes the triggers",
    "iam/setup/first_instance.py": "sets up the first tenant where there is none",
    "iam/archive/leaving.py": "finds what the operator names by its id",
    "iam/archive/arriving.py": "finds the only tenant, for the operator",
    "iam/instance/api_system.py": "lists the tenants for operators of the system (system.instance.read)",
    "iam/instance/api_instance.py": "lists the tenants for callers of the whole server (system.instance.read)",
}
"""Files that work for the whole server, and why."""
SHARED = (
    "tests/house/tenants.py",
    "eventstore/prepared.py",
    "eventstore/replica.py",
    "iam/api/lists.py",
    "projections/pages.py",
    "projections/totals.py",
    "iam/console/table.py",
)
"""Files that run what others have put together: whoever called them asks."""
TENANT = {"eventstore_claims": "(?:instance_id|scope)"}
"""Where another column names the tenant: a claim's scope is the instance, or the whole server for what is unique there."""


@cache
def tenant_tables() -> frozenset[str]:
    """Tables with a column `instance_id`."""
    return frozenset(
        model._meta.db_table
        for model in apps.get_models()
        if any(field.column == "instance_id" for field in model._meta.concrete_fields)
    )


@cache
def unbound(sql: str) -> frozenset[str]:
    """The tenants' tables that a statement reads or changes without asking for `instance_id`."""
    if sql.lstrip().upper().startswith("INSERT"):
        return frozenset()
    places = [(table, alias or table) for table, alias in PLACE.findall(sql) if table in tenant_tables()]
    alone = len(places) == 1 and re.search(r"WHERE\b.*(?<!\.)\binstance_id\b\s*(?:=|IN\b)", sql, re.I | re.DOTALL)
    return frozenset(
        table for table, name in places if not alone and not re.search(_bound(table, name), _where(sql), re.I)
    )


def _bound(table: str, name: str) -> str:
    column = rf'"?{name}"?\."?{TENANT.get(table, "instance_id")}"?'
    return rf"{column}\s*(?:=|IN\b)|=\s*\(?{column}|\(\s*{column}(?:,[^()]*)?\)\s*="


def _where(sql: str) -> str:
    """The conditions: what follows the first FROM, JOIN or UPDATE. Columns that are only selected do not count."""
    found = re.search(r"\b(?:FROM|UPDATE)\b", sql, re.I)
    return sql[found.start() :] if found else sql


def _asker() -> str:
    """The product's file that asks; empty when a test asks itself."""
    frame = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and ".venv" not in path.parts:
            name = path.relative_to(ROOT).as_posix()
            if name.startswith("tests/") and name != "tests/house/tenants.py":
                return ""
            if name not in SHARED:
                return name
        frame = frame.f_back
    return ""


@contextmanager
def watched():
    """Collect statements of the product that could reach another tenant's rows."""
    found: list[str] = []

    def watch(execute, sql, params, many, context):
        if (tables := unbound(sql)) and (asker := _asker()) and asker not in OVER_ALL_TENANTS:
            found.append(f"{asker} reaches every tenant's {', '.join(sorted(tables))}: {sql}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield found
