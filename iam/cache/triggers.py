"""The triggers that renew epochs. The database does it, so that no program, old or new, can change a watched table without it.

On PostgreSQL the renewal is deferred to the commit and done once per transaction: the epochs' row is locked only while the
transaction commits, and always last, so that no two pushes wait for each other crosswise.
"""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connections, models, transaction

NAMES = ("memberships", "organization", "oidc")

FRESH = "lower(hex(randomblob(16)))"


@dataclass(frozen=True)
class Watched:
    """Which changes of a table end the life of cached answers of a class. `columns` limits what counts of
    updates; `per` names the column of the user whose answers end, else they end in the whole instance."""

    name: str
    table: type[models.Model]
    on: tuple[str, ...] = ("INSERT", "UPDATE", "DELETE")
    columns: tuple[str, ...] = ()
    per: str = ""

    def events(self) -> list[str]:
        """As SQL words them."""
        limited = f"UPDATE OF {', '.join(self.columns)}" if self.columns else "UPDATE"
        return [limited if one == "UPDATE" else one for one in self.on]


_watched: list[Watched] = []


def watch(
    name: str,
    table: type[models.Model],
    *,
    on: tuple[str, ...] = ("INSERT", "UPDATE", "DELETE"),
    columns: tuple[str, ...] = (),
    per: str = "",
) -> None:
    """Declare that cached answers of a class come from a table (which has `instance_id`)."""
    if name not in NAMES:
        raise ValueError(f"{name} is no class of cached answers")
    _watched.append(Watched(name, table, on, columns, per))


def watched() -> tuple[Watched, ...]:
    """Every declaration."""
    return tuple(_watched)


def put(using: str = "default") -> None:
    """Make the triggers that are missing, and an epoch for every instance that has none. Costs nothing when all are there."""
    connection = connections[using]
    there = set(connection.introspection.table_names())
    if "cache_epochs" not in there:
        return
    with transaction.atomic(using), connection.cursor() as cursor:
        is_postgres = connection.vendor == "postgresql"
        cursor.execute("SELECT tgname FROM pg_trigger" if is_postgres else "SELECT name FROM sqlite_master")
        known = {name for (name,) in cursor.fetchall()}
        for one in _watched:
            if one.table._meta.db_table in there:
                _put(cursor, one, known, is_postgres=is_postgres)


def _put(cursor: Any, one: Watched, known: set[str], *, is_postgres: bool) -> None:
    missing = {name: sql for name, sql in (_postgres if is_postgres else _sqlite)(one).items() if name not in known}
    for sql in missing.values():
        cursor.execute(sql)
    if missing and not one.per:
        cursor.execute(
            f"INSERT INTO cache_epochs (scope, memberships, organization, oidc, renewed_by)"  # noqa: S608 - our names
            f" SELECT DISTINCT instance_id, %s, %s, %s, '' FROM {one.table._meta.db_table} WHERE 1 = 1"
            " ON CONFLICT DO NOTHING",
            [uuid.uuid4().hex for _ in NAMES],
        )


def _name(one: Watched, verb: str = "") -> str:
    """Names the declaration whole, so that another declaration is another trigger; an old one only renews too often."""
    told = hashlib.sha256(repr((one.events(), one.per)).encode()).hexdigest()[:6]
    return f"cache_{one.name}_{one.table._meta.db_table}"[:46] + f"_{verb or 'all'}_{told}".lower()


def _postgres(one: Watched) -> dict[str, str]:
    arguments = ", ".join(f"'{word}'" for word in (one.name, one.per) if word)
    return {
        _name(one): f"CREATE CONSTRAINT TRIGGER {_name(one)} AFTER {' OR '.join(one.events())}"
        f" ON {one.table._meta.db_table} DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW EXECUTE FUNCTION cache_renew({arguments})"
    }


def _sqlite(one: Watched) -> dict[str, str]:
    made = {}
    for verb, event in zip(one.on, one.events(), strict=True):
        row = "OLD" if verb == "DELETE" else "NEW"
        scope = f"{row}.instance_id" + (f" || '/' || {row}.{one.per}" if one.per else "")
        made[_name(one, verb)] = (
            f"CREATE TRIGGER {_name(one, verb)} AFTER {event} ON {one.table._meta.db_table} BEGIN"  # noqa: S608 - our names
            " INSERT INTO cache_epochs (scope, memberships, organization, oidc, renewed_by)"
            f" VALUES ({scope}, {FRESH}, {FRESH}, {FRESH}, '')"
            f" ON CONFLICT (scope) DO UPDATE SET {one.name} = {FRESH}; END"
        )
    return made
