"""Tables of the log. Only this room reads and writes them."""

from typing import Any, ClassVar

from django.db import models


def _text(**options: Any) -> "models.CharField[str, str]":
    return models.CharField(max_length=200, **options)


class EventRow(models.Model):
    """One fact. `subject` is the person whose key seals the personal fields; `context` tells where it came from."""

    pk = models.CompositePrimaryKey("instance_id", "aggregate_type", "aggregate_id", "version")
    instance_id = _text()
    aggregate_type = _text()
    aggregate_id = _text()
    version = models.BigIntegerField()
    position = models.BigIntegerField()
    event_type = _text()
    revision = models.SmallIntegerField()
    owner = _text()
    subject = _text()
    payload: "models.JSONField[Any, Any]" = models.JSONField()
    actor = _text()
    created_at = models.DateTimeField()
    context: "models.JSONField[Any, Any]" = models.JSONField()
    digest = models.BinaryField()

    class Meta:
        db_table = "eventstore_events"
        indexes: ClassVar = [
            models.Index(fields=["position"], name="eventstore_position"),
            models.Index(fields=["instance_id", "position"], name="eventstore_instance_pos"),
            models.Index(fields=["instance_id", "created_at"], name="eventstore_instance_time"),
        ]


class ActivityRow(models.Model):
    """One use: no version, no digest. Partitioned by month on PostgreSQL."""

    pk = models.CompositePrimaryKey("instance_id", "created_at", "id")
    instance_id = _text()
    id = _text()
    aggregate_type = _text()
    aggregate_id = _text()
    event_type = _text()
    owner = _text()
    subject = _text()
    payload: "models.JSONField[Any, Any]" = models.JSONField()
    actor = _text()
    created_at = models.DateTimeField()
    context: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        db_table = "eventstore_activity"
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "aggregate_type", "aggregate_id"], name="eventstore_activity_thing"),
        ]


class ClaimRow(models.Model):
    """A unique value and who holds it. `scope` is the instance, or empty for values unique on the whole server."""

    pk = models.CompositePrimaryKey("scope", "kind", "value")
    scope = _text()
    kind = _text()
    value = models.CharField(max_length=1000)
    instance_id = _text()
    owner = _text()

    class Meta:
        db_table = "eventstore_claims"
        indexes: ClassVar = [models.Index(fields=["instance_id", "owner"], name="eventstore_claim_owner")]


class PersonKey(models.Model):
    """The key of one person, wrapped; an empty `wrapped` tells that the person was erased."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = _text()
    id = _text()
    wrapped = models.TextField()
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "eventstore_person_keys"
