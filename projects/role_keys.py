"""Who holds a role, in the order of the ids: pages far behind of a list by role key are counted off there (decision 0005).

The database keeps it: triggers write whenever roles are given, changed or taken, so that no program, old or new, leaves an
old key. Set-up makes what is missing of them and enters what was there before.
"""

from typing import Any

from django.db import connections, transaction

from projections import by_database

AT_ONCE = 2_000
ROLES = {
    "postgresql": "jsonb_array_elements_text({0}.roles) AS held (value)",
    "sqlite": "json_each({0}.roles) AS held",
}
"""The role keys of an authorization, as rows."""
HELD = "SELECT {0}.instance_id, held.value, {0}.id"
ENTER = "INSERT INTO projects_user_grant_roles (instance_id, role_key, id) {0} ON CONFLICT DO NOTHING"
GIVEN = {engine: ENTER.format(f"{HELD} FROM {roles} WHERE true").format("NEW") for engine, roles in ROLES.items()}
TAKEN = {
    engine: "DELETE FROM projects_user_grant_roles WHERE instance_id = OLD.instance_id AND id = OLD.id"  # noqa: S608 - our names
    f" AND role_key IN (SELECT held.value FROM {roles.format('OLD')})"
    for engine, roles in ROLES.items()
}
FUNCTION = f"""
    CREATE OR REPLACE FUNCTION projects_role_keys() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'INSERT' THEN {TAKEN["postgresql"]}; END IF;
      IF TG_OP <> 'DELETE' THEN {GIVEN["postgresql"]}; END IF;
      RETURN NULL;
    END $$"""
EVENTS = {
    "projects_roles_given": "AFTER INSERT ON projects_user_grants FOR EACH ROW",
    "projects_roles_changed": "AFTER UPDATE OF roles ON projects_user_grants FOR EACH ROW WHEN (OLD.roles {differ} NEW.roles)",
    "projects_roles_taken": "AFTER DELETE ON projects_user_grants FOR EACH ROW",
}
POSTGRESQL = {
    name: f"{FUNCTION}; CREATE TRIGGER {name} {event.format(differ='IS DISTINCT FROM')} EXECUTE FUNCTION projects_role_keys()"
    for name, event in EVENTS.items()
}
SQLITE = {
    name: f"CREATE TRIGGER {name} {EVENTS[name].format(differ='IS NOT')} BEGIN {'; '.join(written)}; END"
    for name, written in (
        ("projects_roles_given", [GIVEN["sqlite"]]),
        ("projects_roles_changed", [TAKEN["sqlite"], GIVEN["sqlite"]]),
        ("projects_roles_taken", [TAKEN["sqlite"]]),
    )
}
CLEAR = {
    engine: "DELETE FROM projects_user_grant_roles AS kept WHERE NOT EXISTS (SELECT 1 FROM projects_user_grants AS given"  # noqa: S608 - our names
    " WHERE given.instance_id = kept.instance_id AND given.id = kept.id"
    f" AND kept.role_key IN (SELECT held.value FROM {roles.format('given')}))"
    for engine, roles in ROLES.items()
}


def put(using: str = "default") -> None:
    """Make the triggers that are missing, and enter who holds what then. Costs a statement when all are there."""
    by_database.put(KEPT, using)


def fill(using: str = "default") -> None:
    """Enter who holds what, some rows at a time, after what is held no more: triggers may have been missing for a while."""
    engine = connections[using].vendor
    with transaction.atomic(using), connections[using].cursor() as cursor:
        _hold_still(cursor, engine)
        cursor.execute(CLEAR[engine])

    held = f"{HELD} FROM {{0}}, {ROLES[engine]}".format("projects_user_grants")

    def enter(cursor: Any, among: str, values: list[str]) -> None:
        _hold_still(cursor, engine)
        cursor.execute(ENTER.format(f"{held} WHERE {among}"), values)

    by_database.in_turns(using, "projects_user_grants", AT_ONCE, enter)


def _hold_still(cursor: Any, engine: str) -> None:
    """Whoever writes authorizations waits for the end of the transaction: what changed meanwhile would be entered as it was."""
    if engine == "postgresql":
        cursor.execute("LOCK TABLE projects_user_grants IN SHARE MODE")


KEPT = by_database.Kept(
    triggers={"postgresql": POSTGRESQL, "sqlite": SQLITE},
    columns={
        "projects_user_grants": ("instance_id", "id", "roles"),
        "projects_user_grant_roles": ("instance_id", "role_key", "id"),
    },
    fill=fill,
)
