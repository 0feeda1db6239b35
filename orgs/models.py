"""Read tables of organizations."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Upper

from projections.projection import UNKNOWN


class OrgRow(models.Model):
    """One organization."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = models.CharField(max_length=200)
    id = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    state = models.SmallIntegerField(default=1)
    primary_domain = models.CharField(max_length=300, default="")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.BigIntegerField()

    class Meta:
        db_table = "orgs_orgs"
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "name", "id"], name="orgs_name"),
            models.Index(fields=["instance_id", "created_at", "id"], name="orgs_created"),
            models.Index(fields=["instance_id", "state", "id"], name="orgs_state"),
            models.Index("instance_id", Upper("name"), name="orgs_any_case_name"),
        ]

    @property
    def state_word(self) -> str:
        """The state as a word."""
        return {1: "active", 2: "inactive"}.get(self.state, "removed")


class OrgDomainRow(models.Model):
    """One domain of an organization."""

    pk = models.CompositePrimaryKey("instance_id", "org_id", "domain")
    instance_id = models.CharField(max_length=200)
    org_id = models.CharField(max_length=200)
    domain = models.CharField(max_length=300)
    is_verified = models.BooleanField(default=False)
    verified_position = models.BigIntegerField(default=UNKNOWN, db_default=UNKNOWN)
    """Where in the log it was verified last; orders who has a login name (decision 0008)."""
    is_primary = models.BooleanField(default=False)
    validation_type = models.SmallIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "orgs_domains"
        indexes: ClassVar = [
            models.Index(fields=["instance_id", "domain"], name="orgs_domain"),
            models.Index("instance_id", Upper("domain"), name="orgs_any_case_domain"),
        ]


class OrgMetadataRow(models.Model):
    """One value under a key."""

    pk = models.CompositePrimaryKey("instance_id", "org_id", "key")
    instance_id = models.CharField(max_length=200)
    org_id = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    value = models.BinaryField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "orgs_metadata"
