"""The names of users beside their authorizations: lists of them are filtered by names without a join (decision 0005).

The database keeps them: triggers copy when an authorization comes, and whenever a user is called otherwise, so that no
program, old or new, leaves an old name. Set-up makes what is missing of them and copies what was there before.
"""

from typing import Any

from django.db import connections, transaction

COLUMNS = ("user_login_name", "user_display_name")
"""What the database writes in projects_user_grants: the preferred login name, and the name that lists show."""
AT_ONCE = 2_000
SHOWN = "CASE {0}.kind WHEN 'human' THEN {0}.display_name ELSE {0}.name END"
NAMED = "preferred_login_name, display_name, name"
COPY = f"user_login_name = {{0}}.preferred_login_name, user_display_name = {SHOWN}"

# An authorization that comes while its user is called otherwise waits for the end of that (FOR SHARE), or makes it wait.
POSTGRESQL = {
    "projects_user_named": f"""
        CREATE OR REPLACE FUNCTION projects_user_named() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          SELECT preferred_login_name, {SHOWN.format("users_users")} INTO NEW.user_login_name, NEW.user_display_name
          FROM users_users WHERE instance_id = NEW.instance_id AND id = NEW.user_id FOR SHARE;
          NEW.user_login_name := coalesce(NEW.user_login_name, '');
          NEW.user_display_name := coalesce(NEW.user_display_name, '');
          RETURN NEW;
        END $$;
        CREATE TRIGGER projects_user_named BEFORE INSERT ON projects_user_grants
          FOR EACH ROW EXECUTE FUNCTION projects_user_named()""",  # noqa: S608 - our names
    "projects_user_renamed": f"""
        CREATE OR REPLACE FUNCTION projects_user_renamed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          UPDATE projects_user_grants SET {COPY.format("NEW")} WHERE instance_id = NEW.instance_id AND user_id = NEW.id;
          RETURN NULL;
        END $$;
        CREATE TRIGGER projects_user_renamed AFTER INSERT OR UPDATE OF {NAMED} ON users_users
          FOR EACH ROW EXECUTE FUNCTION projects_user_renamed()""",  # noqa: S608 - our names
}  # fmt: skip
_RENAME = (
    f"UPDATE projects_user_grants SET {COPY.format('NEW')} WHERE instance_id = NEW.instance_id AND user_id = NEW.id"  # noqa: S608 - our names
)
SQLITE = {
    "projects_user_named": f"""
        CREATE TRIGGER projects_user_named AFTER INSERT ON projects_user_grants BEGIN
          UPDATE projects_user_grants SET {COPY.format("users_users")} FROM users_users
          WHERE projects_user_grants.instance_id = NEW.instance_id AND projects_user_grants.id = NEW.id
            AND users_users.instance_id = NEW.instance_id AND users_users.id = NEW.user_id;
        END""",  # noqa: S608 - our names
    "projects_user_renamed": f"CREATE TRIGGER projects_user_renamed AFTER UPDATE OF {NAMED} ON users_users BEGIN {_RENAME}; END",
    "projects_user_put_back": f"CREATE TRIGGER projects_user_put_back AFTER INSERT ON users_users BEGIN {_RENAME}; END",
}  # fmt: skip
LAST = """SELECT instance_id, id FROM projects_user_grants WHERE (instance_id, id) > (%s, %s)
ORDER BY instance_id, id LIMIT 1 OFFSET %s"""
FILL = f"""UPDATE projects_user_grants SET {COPY.format("users_users")} FROM users_users
WHERE users_users.instance_id = projects_user_grants.instance_id AND users_users.id = projects_user_grants.user_id
AND (user_login_name <> users_users.preferred_login_name OR user_display_name <> {SHOWN.format("users_users")})
AND (projects_user_grants.instance_id, projects_user_grants.id) > (%s, %s)"""  # noqa: S608 - our names


def put(using: str = "default") -> None:
    """Make the triggers that are missing, and copy the names then. Costs a statement when all are there."""
    connection = connections[using]
    is_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger" if is_postgres else "SELECT name FROM sqlite_master")
        known = {name for (name,) in cursor.fetchall()}
    missing = {name: sql for name, sql in (POSTGRESQL if is_postgres else SQLITE).items() if name not in known}
    if not missing or not _has_columns(connection):
        return
    with transaction.atomic(using), connection.cursor() as cursor:
        for sql in missing.values():
            cursor.execute(sql)
    fill(using)


def fill(using: str = "default") -> None:
    """Copy the names of all users; some rows at a time, so that running programs never wait long.

    The triggers rest meanwhile: nobody's rights change, so what was kept of them stays true.
    """
    connection = connections[using]
    at: tuple[str, ...] | None = ("", "")
    while at is not None:
        with transaction.atomic(using), connection.cursor() as cursor:
            cursor.execute(LAST, [*at, AT_ONCE - 1])
            until = cursor.fetchone()
            if connection.vendor == "postgresql":
                cursor.execute("ALTER TABLE projects_user_grants DISABLE TRIGGER USER")
            upper = " AND (projects_user_grants.instance_id, projects_user_grants.id) <= (%s, %s)" if until else ""
            cursor.execute(FILL + upper, [*at, *(until or ())])
            if connection.vendor == "postgresql":
                cursor.execute("ALTER TABLE projects_user_grants ENABLE TRIGGER USER")
        at = until


def _has_columns(connection: Any) -> bool:
    """Whether the migration that adds them has run: set-up may end at an older one."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        if not tables.issuperset({"projects_user_grants", "users_users"}):
            return False
        found = connection.introspection.get_table_description(cursor, "projects_user_grants")
    return {one.name for one in found}.issuperset(COLUMNS)
