"""Read tables of instances and their settings."""

from typing import Any

from django.db import models


class InstanceRow(models.Model):
    """One tenant."""

    instance_id = models.CharField(max_length=200, primary_key=True)
    name = models.CharField(max_length=200)
    primary_domain = models.CharField(max_length=300, default="")
    default_org_id = models.CharField(max_length=200, default="")
    default_language = models.CharField(max_length=20, default="en")
    iam_project_id = models.CharField(max_length=200, default="")
    console_client_id = models.CharField(max_length=200, default="")
    console_app_id = models.CharField(max_length=200, default="")
    settings: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.BigIntegerField()

    class Meta:
        db_table = "instance_instances"

    @property
    def id(self) -> str:
        """The instance's id."""
        return self.instance_id


class InstanceDomainRow(models.Model):
    """One host."""

    pk = models.CompositePrimaryKey("instance_id", "domain")
    instance_id = models.CharField(max_length=200)
    domain = models.CharField(max_length=300, unique=True)
    is_primary = models.BooleanField(default=False)
    is_generated = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "instance_domains"
