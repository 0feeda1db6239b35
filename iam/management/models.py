"""What set-up has done so far."""

from typing import Any

from django.db import models


class SetupStep(models.Model):
    """One step of set-up: what it chose, and when it was done."""

    name = models.CharField(max_length=100, primary_key=True)
    chosen: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "frame_setup_steps"
