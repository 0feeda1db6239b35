"""The ids that are not to be found by the streams of the log, or were chosen by a caller, are claimed from now on: those of before, too."""

from typing import Any

from django.db import migrations

INNER = {
    "project.grant.added": "grantId",
    "project.application.added": "appId",
    "project.application.config.oidc.added": "clientId",
    "project.application.config.api.added": "clientId",
    "project.application.oidc.key.added": "keyId",
    "user.machine.key.added": "keyId",
    "user.pat.added": "tokenId",
}
"""Facts by which a thing begins inside a stream, and where they say its id."""
KINDS = ("org", "project", "session", "target", "user", "usergrant", "web_key")
DRAWN = {"postgresql": "aggregate_id ~ '^[0-9]{18}$'", "sqlite": f"aggregate_id GLOB '{'[0-9]' * 18}'"}


def claim(apps: Any, schema_editor: Any) -> None:
    """Two statements, each one pass over the log. Of ids that two things have, the first claims: the doctor names them."""
    engine = schema_editor.connection.vendor
    read = "payload->>'{}'" if engine == "postgresql" else "json_extract(payload, '$.{}')"
    inner = " ".join(f"WHEN '{event}' THEN {read.format(name)}" for event, name in INNER.items())
    sources = (
        f"SELECT instance_id, owner, CASE event_type {inner} END AS id FROM eventstore_events"  # noqa: S608 - constants
        f" WHERE event_type IN ({_listed(INNER)})",
        f"SELECT instance_id, owner, aggregate_id AS id FROM eventstore_events"  # noqa: S608 - constants
        f" WHERE version = 1 AND aggregate_type IN ({_listed(KINDS)}) AND NOT ({DRAWN[engine]})",
    )
    with schema_editor.connection.cursor() as cursor:
        for source in sources:
            cursor.execute(
                "INSERT INTO eventstore_claims (scope, kind, value, instance_id, owner)"  # noqa: S608 - constants
                f" SELECT instance_id, 'id', lower(id), instance_id, owner FROM ({source}) AS begun"
                " WHERE id <> '' ON CONFLICT DO NOTHING"
            )


def _listed(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in names)


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [("eventstore", "0001_initial")]  # noqa: RUF012 - as Django has it

    operations = [migrations.RunPython(claim, migrations.RunPython.noop)]  # noqa: RUF012 - as Django has it
