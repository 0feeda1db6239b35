"""Tables of the room."""

from typing import ClassVar

from django.db import models


class MilestoneRow(models.Model):
    """One milestone that an instance reached."""

    pk = models.CompositePrimaryKey("instance_id", "type")
    instance_id = models.CharField(max_length=200)
    type = models.SmallIntegerField()
    reached_at = models.DateTimeField()
    pushed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "usage_milestones"
        indexes: ClassVar = [models.Index(fields=["pushed_at"], name="usage_not_pushed")]


class ReportState(models.Model):
    """When the next report is due; one row for the whole installation."""

    id = models.SmallIntegerField(primary_key=True)
    installation = models.CharField(max_length=40)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)
    error = models.TextField(default="")

    class Meta:
        db_table = "usage_report"
