"""The read table of memberships."""

from typing import ClassVar

from django.db import models


class MembershipRow(models.Model):
    """One administrator of one resource. `owner` is the organization (or instance) that owns the resource."""

    pk = models.CompositePrimaryKey("instance_id", "level", "resource_id", "user_id")
    instance_id = models.CharField(max_length=200)
    level = models.CharField(max_length=20)
    resource_id = models.CharField(max_length=200)
    user_id = models.CharField(max_length=200)
    owner = models.CharField(max_length=200)
    project_id = models.CharField(max_length=200, default="")
    roles = models.JSONField(default=list)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.BigIntegerField()

    class Meta:
        db_table = "access_memberships"
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "user_id"], name="access_member_user"),
            models.Index(fields=["instance_id", "owner"], name="access_member_owner"),
            models.Index(fields=["instance_id", "created_at", "user_id"], name="access_member_created"),
            models.Index(fields=["instance_id", "changed_at", "user_id"], name="access_member_changed"),
        ]
