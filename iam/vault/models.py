"""Data keys, wrapped by the master key."""

from django.db import models


class DataKey(models.Model):
    """One data key of one instance and purpose. `check_value` tells whether a master key is the right one."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = models.CharField(max_length=200)
    id = models.CharField(max_length=200)
    purpose = models.CharField(max_length=50)
    wrapped = models.TextField()
    check_value = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "vault_data_keys"


class Slot(models.Model):
    """A number between 0 and 999 leased by one process, so that ids of different processes differ."""

    number = models.PositiveSmallIntegerField(primary_key=True)
    holder = models.CharField(max_length=200)
    leased_until = models.DateTimeField()

    class Meta:
        db_table = "vault_slots"
