"""The tables of the log, per engine: Django's description of the state, our own definitions in the database."""

from typing import Any

from django.db import migrations, models

SHARED = """
CREATE TABLE eventstore_claims (
    scope varchar(200) NOT NULL, kind varchar(200) NOT NULL, value varchar(1000) NOT NULL,
    instance_id varchar(200) NOT NULL, owner varchar(200) NOT NULL, PRIMARY KEY (scope, kind, value));
CREATE INDEX eventstore_claim_owner ON eventstore_claims (instance_id, owner);
"""

EVENT_COLUMNS = """
    instance_id varchar(200) NOT NULL, aggregate_type varchar(200) NOT NULL, aggregate_id varchar(200) NOT NULL,
    {version} event_type varchar(200) NOT NULL, {revision} owner varchar(200) NOT NULL, subject varchar(200) NOT NULL,
    payload {json} NOT NULL, actor varchar(200) NOT NULL, created_at {time} NOT NULL, context {json} NOT NULL
"""
VERSIONED = {
    "version": "version bigint NOT NULL, position bigint NOT NULL,",
    "revision": "revision smallint NOT NULL,",
}
PLAIN = {"version": "id varchar(200) NOT NULL,", "revision": ""}
INDEXES = """
CREATE INDEX eventstore_position ON eventstore_events (position);
CREATE INDEX eventstore_instance_pos ON eventstore_events (instance_id, position);
CREATE INDEX eventstore_instance_time ON eventstore_events (instance_id, created_at);
CREATE INDEX eventstore_activity_thing ON eventstore_activity (instance_id, aggregate_type, aggregate_id);
"""
EVENT_KEY = "PRIMARY KEY (instance_id, aggregate_type, aggregate_id, version)"
ACTIVITY_KEY = "PRIMARY KEY (instance_id, created_at, id)"


def _tables(json: str, time: str, digest: str, partitioned: str) -> str:
    events = EVENT_COLUMNS.format(json=json, time=time, **VERSIONED)
    activity = EVENT_COLUMNS.format(json=json, time=time, **PLAIN)
    return f"""
CREATE TABLE eventstore_events ({events}, digest {digest} NOT NULL, {EVENT_KEY});
CREATE TABLE eventstore_activity ({activity}, {ACTIVITY_KEY}) {partitioned};
CREATE TABLE eventstore_person_keys (
    instance_id varchar(200) NOT NULL, id varchar(200) NOT NULL, wrapped text NOT NULL, created_at {time} NOT NULL,
    erased_at {time} NULL, PRIMARY KEY (instance_id, id));
{SHARED}{INDEXES}"""


POSTGRES = (
    "CREATE SEQUENCE eventstore_position_seq;"
    + _tables("jsonb", "timestamptz", "bytea", "PARTITION BY RANGE (created_at)")
    + """
CREATE TABLE eventstore_activity_rest PARTITION OF eventstore_activity DEFAULT;
CREATE FUNCTION eventstore_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER eventstore_events_append_only BEFORE UPDATE OR DELETE ON eventstore_events
    FOR EACH ROW EXECUTE FUNCTION eventstore_refuse();
CREATE TRIGGER eventstore_events_no_truncate BEFORE TRUNCATE ON eventstore_events
    FOR EACH STATEMENT EXECUTE FUNCTION eventstore_refuse();
CREATE TRIGGER eventstore_activity_append_only BEFORE UPDATE OR DELETE ON eventstore_activity
    FOR EACH ROW EXECUTE FUNCTION eventstore_refuse();
"""
)
SQLITE = _tables("text", "datetime", "blob", "") + "".join(
    f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}"
    f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;\n"
    for table in ("eventstore_events", "eventstore_activity")
    for verb in ("update", "delete")
)


def create(apps: Any, schema_editor: Any) -> None:
    """Make the tables, the triggers that refuse changes, and on PostgreSQL the sequence and partitions."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRES, params=None)
        return
    with schema_editor.connection.cursor() as cursor:
        for statement in _statements(SQLITE):
            cursor.execute(statement)


def _statements(script: str) -> list[str]:
    """Split at semicolons that end a line; trigger bodies hold theirs inside one line."""
    return [part.strip() for part in script.split(";\n") if part.strip()]


class Migration(migrations.Migration):
    """Facts, activity, claims, keys of persons."""

    initial = True
    dependencies: list[tuple[str, str]] = []

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(create, elidable=False)],
            state_operations=[
                migrations.CreateModel(
                    name="PersonKey",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "instance_id",
                                "id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("instance_id", models.CharField(max_length=200)),
                        ("id", models.CharField(max_length=200)),
                        ("wrapped", models.TextField()),
                        ("created_at", models.DateTimeField()),
                        ("erased_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "db_table": "eventstore_person_keys",
                    },
                ),
                migrations.CreateModel(
                    name="ActivityRow",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "instance_id",
                                "created_at",
                                "id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("instance_id", models.CharField(max_length=200)),
                        ("id", models.CharField(max_length=200)),
                        ("aggregate_type", models.CharField(max_length=200)),
                        ("aggregate_id", models.CharField(max_length=200)),
                        ("event_type", models.CharField(max_length=200)),
                        ("owner", models.CharField(max_length=200)),
                        ("subject", models.CharField(max_length=200)),
                        ("payload", models.JSONField()),
                        ("actor", models.CharField(max_length=200)),
                        ("created_at", models.DateTimeField()),
                        ("context", models.JSONField()),
                    ],
                    options={
                        "db_table": "eventstore_activity",
                        "indexes": [
                            models.Index(
                                fields=[
                                    "instance_id",
                                    "aggregate_type",
                                    "aggregate_id",
                                ],
                                name="eventstore_activity_thing",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ClaimRow",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "scope",
                                "kind",
                                "value",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("scope", models.CharField(max_length=200)),
                        ("kind", models.CharField(max_length=200)),
                        ("value", models.CharField(max_length=1000)),
                        ("instance_id", models.CharField(max_length=200)),
                        ("owner", models.CharField(max_length=200)),
                    ],
                    options={
                        "db_table": "eventstore_claims",
                        "indexes": [
                            models.Index(
                                fields=["instance_id", "owner"],
                                name="eventstore_claim_owner",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="EventRow",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "instance_id",
                                "aggregate_type",
                                "aggregate_id",
                                "version",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("instance_id", models.CharField(max_length=200)),
                        ("aggregate_type", models.CharField(max_length=200)),
                        ("aggregate_id", models.CharField(max_length=200)),
                        ("version", models.BigIntegerField()),
                        ("position", models.BigIntegerField()),
                        ("event_type", models.CharField(max_length=200)),
                        ("revision", models.SmallIntegerField()),
                        ("owner", models.CharField(max_length=200)),
                        ("subject", models.CharField(max_length=200)),
                        ("payload", models.JSONField()),
                        ("actor", models.CharField(max_length=200)),
                        ("created_at", models.DateTimeField()),
                        ("context", models.JSONField()),
                        ("digest", models.BinaryField()),
                    ],
                    options={
                        "db_table": "eventstore_events",
                        "indexes": [
                            models.Index(
                                fields=["position"], name="eventstore_position"
                            ),
                            models.Index(
                                fields=["instance_id", "position"],
                                name="eventstore_instance_pos",
                            ),
                            models.Index(
                                fields=["instance_id", "created_at"],
                                name="eventstore_instance_time",
                            ),
                        ],
                    },
                ),
            ],
        ),
    ]
