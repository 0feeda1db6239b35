"""Read tables of targets and executions, and the calls that wait. Signing keys are sealed."""

from typing import ClassVar

from django.db import models

QUEUED, SENT, FAILED = "queued", "sent", "failed"


class TargetRow(models.Model):
    """One target. The key of before signs beside the key until its moment."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = models.CharField(max_length=200)
    id = models.CharField(max_length=200)
    name = models.CharField(max_length=1000)
    target_type = models.SmallIntegerField()
    endpoint = models.CharField(max_length=2048)
    timeout = models.DurationField()
    interrupt_on_error = models.BooleanField()
    payload_type = models.SmallIntegerField()
    signing_key = models.TextField()
    previous_key = models.TextField(default="")
    previous_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.BigIntegerField()

    class Meta:
        db_table = "actions_targets"


class ExecutionRow(models.Model):
    """One execution; its id says its condition."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = models.CharField(max_length=200)
    id = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.BigIntegerField()

    class Meta:
        db_table = "actions_executions"


class RouteRow(models.Model):
    """A target of an execution, for the facts between two positions of the log; `until` is empty as long as it goes on.

    A follower that is behind thus tells every fact to those who were targets when it happened.
    """

    pk = models.CompositePrimaryKey("instance_id", "execution_id", "target_id", "since")
    instance_id = models.CharField(max_length=200)
    execution_id = models.CharField(max_length=200)
    target_id = models.CharField(max_length=200)
    since = models.BigIntegerField()
    until = models.BigIntegerField(null=True)
    number = models.SmallIntegerField()

    class Meta:
        db_table = "actions_routes"


class Delivery(models.Model):
    """One fact on its way to one target. What is sent is read from the log each time: nothing of anybody is kept here."""

    pk = models.CompositePrimaryKey("instance_id", "target_id", "position")
    instance_id = models.CharField(max_length=200)
    target_id = models.CharField(max_length=200)
    position = models.BigIntegerField()
    id = models.CharField(max_length=32)
    """The same at every try. Positions come again when an older backup is put back; this does not."""
    state = models.CharField(max_length=10, default=QUEUED)
    tries = models.IntegerField(default=0)
    try_at = models.DateTimeField()
    noted_at = models.DateTimeField()

    class Meta:
        db_table = "actions_deliveries"
        indexes: ClassVar = [models.Index(fields=["state", "try_at"], name="actions_due")]
