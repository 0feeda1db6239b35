"""The names of users beside their authorizations: lists of them are filtered by names without a join (decision 0005).

The database keeps them: triggers copy when an authorization comes, and whenever a user is called otherwise, so that no
program, old or new, leaves an old name. Set-up makes what is missing of them and copies what was there before.
"""

from typing import Any

from django.db import connections

from projections import by_database

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
FILL = f"""UPDATE projects_user_grants SET {COPY.format("users_users")} FROM users_users
WHERE users_users.instance_id = projects_user_grants.instance_id AND users_users.id = projects_user_grants.user_id
AND (user_login_name <> users_users.preferred_login_name OR user_display_name <> {SHOWN.format("users_users")}) AND """  # noqa: S608 - our names


def put(using: str = "default") -> None:
    """Make the triggers that are missing, and copy the names then. Costs a statement when all are there."""
    by_database.put(KEPT, using)


def fill(using: str = "default") -> None:
    """Copy the names of all users, some rows at a time.

    The triggers rest meanwhile: nobody's rights change, so what was kept of them stays true.
    """
    is_postgres = connections[using].vendor == "postgresql"

    def copy(cursor: Any, among: str, values: list[str]) -> None:
        if is_postgres:
            cursor.execute("ALTER TABLE projects_user_grants DISABLE TRIGGER USER")
        cursor.execute(FILL + among, values)
        if is_postgres:
            cursor.execute("ALTER TABLE projects_user_grants ENABLE TRIGGER USER")

    by_database.in_turns(using, "projects_user_grants", AT_ONCE, copy)


KEPT = by_database.Kept(
    triggers={"postgresql": POSTGRESQL, "sqlite": SQLITE},
    columns={"projects_user_grants": COLUMNS, "users_users": ()},
    fill=fill,
)
