"""The epochs: one row per instance and one per user whose roles changed, one value per class of cached answers."""

from django.db import models


class EpochRow(models.Model):
    """`scope` is an instance id, or `instance/user`.

    The values are random words. A trigger on each watched table puts a new one, in the transaction that changes the table.
    """

    scope = models.CharField(max_length=401, primary_key=True)
    memberships = models.CharField(max_length=40, default="")
    organization = models.CharField(max_length=40, default="")
    oidc = models.CharField(max_length=40, default="")
    renewed_by = models.CharField(max_length=200, default="")

    class Meta:
        db_table = "cache_epochs"
