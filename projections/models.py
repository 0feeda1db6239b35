"""How far the followers are. Only this room reads and writes these tables."""

from django.db import models


class Horizon(models.Model):
    """Up to which position nothing can appear any more; one row, over all instances.

    `waiting_*` describe a gap that is not settled yet: missing positions below `waiting_below` belong to
    transactions with ids below `waiting_for`.
    """

    id = models.SmallIntegerField(primary_key=True)
    position = models.BigIntegerField(default=0)
    waiting_below = models.BigIntegerField(default=0)
    waiting_for = models.BigIntegerField(default=0)

    class Meta:
        db_table = "projections_horizon"


class Head(models.Model):
    """The last settled fact of an instance: followers may read up to here."""

    instance_id = models.CharField(max_length=200, primary_key=True)
    position = models.BigIntegerField()

    class Meta:
        db_table = "projections_heads"


class Checkpoint(models.Model):
    """How far one projection has come in one instance, and what stops it."""

    pk = models.CompositePrimaryKey("instance_id", "projection")
    instance_id = models.CharField(max_length=200)
    projection = models.CharField(max_length=100)
    position = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField()
    failed_position = models.BigIntegerField(default=0)
    failed_fact = models.CharField(max_length=200, default="")
    error = models.TextField(default="")
    failures = models.IntegerField(default=0)
    retry_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "projections_checkpoints"


class HourRow(models.Model):
    """How many facts an instance saw in one hour."""

    pk = models.CompositePrimaryKey("instance_id", "hour")
    instance_id = models.CharField(max_length=200)
    hour = models.DateTimeField()
    facts = models.BigIntegerField()

    class Meta:
        db_table = "projections_hours"
