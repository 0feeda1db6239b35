"""Who is signed in to the console, in which browser."""

from typing import ClassVar

from django.db import models


class ConsoleSession(models.Model):
    """One signed-in browser: digest of its cookie, and the tokens it stands for, sealed."""

    pk = models.CompositePrimaryKey("instance_id", "digest")
    instance_id = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    user_id = models.CharField(max_length=200)
    access_token = models.TextField()
    id_token = models.TextField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "console_sessions"
        indexes: ClassVar = [models.Index(fields=["instance_id", "expires_at"], name="console_session_expiry")]
