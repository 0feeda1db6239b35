"""Read tables of instances and their settings."""

from typing import Any, ClassVar

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
    """Not used any more (see SettingRow); stays until no older process can be running beside this one."""
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


class TrustedDomainRow(models.Model):
    """One host that links may be made with."""

    pk = models.CompositePrimaryKey("instance_id", "domain")
    instance_id = models.CharField(max_length=200)
    domain = models.CharField(max_length=300)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "instance_trusted_domains"


class SettingRow(models.Model):
    """The own values of one kind of settings, of the instance or of an organization (`owner`)."""

    pk = models.CompositePrimaryKey("instance_id", "owner", "kind")
    instance_id = models.CharField(max_length=200)
    owner = models.CharField(max_length=200)
    kind = models.CharField(max_length=50)
    values: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.BigIntegerField()

    class Meta:
        db_table = "instance_settings"


class AssetRow(models.Model):
    """A file of a branding. Not fed by facts: those name the key it is stored under."""

    pk = models.CompositePrimaryKey("instance_id", "owner", "store_key")
    instance_id = models.CharField(max_length=200)
    owner = models.CharField(max_length=200)
    store_key = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    content = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "instance_assets"
        indexes: ClassVar = [models.Index(fields=["instance_id", "owner", "created_at"], name="instance_assets_age")]
